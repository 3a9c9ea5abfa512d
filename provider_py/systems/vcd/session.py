"""Signing in to Cloud Director: password sessions, API tokens and service accounts. Imported on first use."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx2
from filelock import AsyncFileLock

from provider_py.execution.connection import readable
from provider_py.execution.tokens import Token
from provider_py.execution.transport import Channel
from provider_py.plugin import Diagnostic, DiagnosticError, error, protect
from provider_py.systems.vcd.settings import SYSTEM, VcdSettings

LOCK_SECONDS: Final = 60.0
"""How long another process may take to exchange the service account's token."""


class Session:
    """The way in that the settings name. A password opens a session, which `close` ends again."""

    def __init__(self, settings: VcdSettings, door: Channel) -> None:
        """`door` is a channel without authentication of its own."""
        self._settings = settings
        self._login_channel = door
        self._opened: str | None = None

    async def token(self) -> Token:
        """Sign in."""
        settings = self._settings
        if settings.api_token is not None:
            return (await self._exchange(settings.api_token))[0]
        if settings.service_account_token_file is not None:
            return await self._service_account(Path(settings.service_account_token_file))
        return await self._password()

    async def close(self) -> None:
        """Sign out where a session was opened."""
        opened, self._opened = self._opened, None
        if opened is not None:
            bearer = {"authorization": f"Bearer {opened}"}
            await self._login_channel.delete(
                f"{self._settings.address}/cloudapi/1.0.0/sessions/current", headers=bearer
            )

    async def _password(self) -> Token:
        path = "sessions/provider" if self._settings.provider else "sessions"
        credential = httpx2.BasicAuth(f"{self._settings.user}@{self._settings.org}", self._settings.password or "")
        response = await self._login_channel.post(f"{self._settings.address}/cloudapi/1.0.0/{path}", auth=credential)
        with readable(SYSTEM, "the sign-in"):
            self._opened = response.headers["x-vmware-vcloud-access-token"]
        return Token(self._opened)

    async def _exchange(self, refresh_token: str) -> tuple[Token, str]:
        """Return an access token and the refresh token to use next time."""
        address = f"{self._settings.address}/oauth/{self._settings.realm}/token"
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        response = await self._login_channel.post(address, data=form, headers={"accept": "application/json"})
        with readable(SYSTEM, "the token request"):
            answer = response.json()
            lifetime = answer.get("expires_in")
            token = Token(str(answer["access_token"]), None if lifetime is None else float(lifetime))
        return token, str(answer.get("refresh_token") or refresh_token)

    async def _service_account(self, file: Path) -> Token:
        """Exchange the file's token, while no other process does: each exchange ends the token that it is given."""
        try:
            async with AsyncFileLock(_beside(file, ".lock"), timeout=LOCK_SECONDS):
                return await self._rotate(file)
        except OSError as fault:
            raise DiagnosticError(_unusable(file, "it cannot be locked", fault)) from fault

    async def _rotate(self, file: Path) -> Token:
        kept = _read(file)
        protect(str(kept["refresh_token"]))
        with _replacement(file) as write:
            token, following = await self._exchange(str(kept["refresh_token"]))
            protect(following)
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            write(json.dumps({**kept, "refresh_token": following, "updated_on": moment}, indent=2))
        return token


def _read(file: Path) -> Mapping[str, object]:
    try:
        kept = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise DiagnosticError(_unusable(file, "it cannot be read as JSON", fault)) from fault
    if not isinstance(kept, dict) or not isinstance(kept.get("refresh_token"), str):
        raise DiagnosticError(_unusable(file, "it has no `refresh_token`"))
    return kept


@contextmanager
def _replacement(file: Path) -> Iterator[Callable[[str], None]]:
    """Make the file that is to replace this one, before the token in it is used up; no reader sees a half of it."""
    target = file.resolve()
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # created with mode 0600
    except OSError as fault:
        raise DiagnosticError(_unusable(file, "its directory cannot be written to", fault)) from fault

    def write(text: str) -> None:
        try:
            with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(target)
        except OSError as fault:
            raise DiagnosticError(_unusable(file, "its new token could not be written", fault)) from fault

    try:
        yield write
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


def _beside(file: Path, ending: str) -> Path:
    target = file.resolve()
    return target.with_name(f".{target.name}{ending}")


def _unusable(file: Path, reason: str, fault: Exception | None = None) -> Diagnostic:
    cause = f" ({type(fault).__name__})" if fault else ""
    return error(
        "The service account's token file cannot be used",
        f"`vcd.service_account_token_file` is {str(file)!r}: {reason}{cause}. It must be a readable and writable JSON "
        "file as Cloud Director's tools write it.",
        ("vcd", "service_account_token_file"),
    )
