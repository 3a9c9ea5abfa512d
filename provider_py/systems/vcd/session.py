"""Signing in to Cloud Director: API tokens, service accounts and password sessions.

An API token is exchanged for an access token and stays valid; a password opens a session that has to be closed. A
service account is the hard case: each exchange invalidates the refresh token that was used and returns the next one,
so losing one answer, or exchanging one token twice, locks the account out until an administrator issues a new token.

Reading the file, exchanging and writing it back does not work: Terraform starts several provider processes at once, a
full disk shows only after the old token is gone, and a reader may meet a half-written file. Therefore
 1. a lock file beside the token file lets one process at a time read, exchange and write;
 2. the replacement file is created before the token is exchanged, so that a directory that cannot be written to costs
    no token;
 3. the new token is written there, synced, and renamed over the old file. A symbolic link stays one.

Not guaranteed: a token survives neither a crash nor a lost answer between the exchange and the rename, nor use by
programs that do not take the lock.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import AsyncFileLock

from provider_py.execution import readable
from provider_py.execution.tokens import Token
from provider_py.execution.transport import Channel
from provider_py.plugin import Diagnostic, DiagnosticError, error, protect
from provider_py.systems.vcd.config import SYSTEM, ApiToken, Config, Password, ServiceAccount

LOCK_SECONDS: Final = 60.0
"""How long another process may take to exchange the service account's token."""


class Session:
    """Gets access tokens in the configured way."""

    def __init__(self, config: Config, channel: Channel) -> None:
        """`channel` has the address of Cloud Director and does not authenticate by itself."""
        self._config = config
        self._channel = channel
        self._opened: str | None = None

    async def token(self) -> Token:
        """Sign in."""
        match self._config.sign_in:
            case ApiToken(token):
                return (await self._exchange(token))[0]
            case ServiceAccount(file):
                return await self._exchange_stored(file)
            case Password(user, password):
                return await self._open(user, password)

    async def close(self) -> None:
        """End the session that a password opened, if any."""
        opened, self._opened = self._opened, None
        if opened is not None:
            bearer = {"authorization": f"Bearer {opened}"}
            request = self._channel.build_request("DELETE", "/cloudapi/1.0.0/sessions/current", headers=bearer)
            await self._channel.send_last(request)

    async def _open(self, user: str, password: str) -> Token:
        path = "sessions/provider" if self._config.as_provider else "sessions"
        response = await self._channel.post(f"/cloudapi/1.0.0/{path}", auth=(f"{user}@{self._config.org}", password))
        with readable(SYSTEM, "the sign-in"):
            self._opened = response.headers["x-vmware-vcloud-access-token"]
        return Token(self._opened)

    async def _exchange(self, refresh_token: str) -> tuple[Token, str]:
        """Return an access token, and the refresh token to use next time."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        response = await self._channel.post(
            f"/oauth/{self._config.realm}/token", data=form, headers={"accept": "application/json"}
        )
        with readable(SYSTEM, "the token request"):
            answer = response.json()
            lifetime = answer.get("expires_in")
            token = Token(str(answer["access_token"]), None if lifetime is None else float(lifetime))
        return token, str(answer.get("refresh_token") or refresh_token)

    async def _exchange_stored(self, file: Path) -> Token:
        try:
            async with AsyncFileLock(_lock_file(file), timeout=LOCK_SECONDS):
                return await self._rotate(file)
        except OSError as fault:
            raise DiagnosticError(_unusable(file, "it cannot be locked", fault)) from fault

    async def _rotate(self, file: Path) -> Token:
        content = _read(file)
        refresh_token = str(content["refresh_token"])
        protect(refresh_token)
        with _replacement(file) as write:
            token, next_token = await self._exchange(refresh_token)
            protect(next_token)
            updated_on = datetime.now(UTC).isoformat(timespec="seconds")
            write(json.dumps({**content, "refresh_token": next_token, "updated_on": updated_on}, indent=2))
        return token


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise DiagnosticError(_unusable(file, "it cannot be read as JSON", fault)) from fault
    if not isinstance(content, dict) or not isinstance(content.get("refresh_token"), str):
        raise DiagnosticError(_unusable(file, "it has no `refresh_token`"))
    return content


@contextmanager
def _replacement(file: Path) -> Iterator[Callable[[str], None]]:
    """Create a file beside this one, and yield the function that writes it and puts it in this one's place."""
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


def _lock_file(file: Path) -> Path:
    target = file.resolve()
    return target.with_name(f".{target.name}.lock")


def _unusable(file: Path, reason: str, fault: Exception | None = None) -> Diagnostic:
    cause = f" ({type(fault).__name__})" if fault else ""
    return error(
        "The service account's token file cannot be used",
        f"`vcd.service_account_token_file` is {str(file)!r}: {reason}{cause}. It must be a readable and writable JSON "
        "file in the format of Cloud Director's tools.",
        ("vcd", "service_account_token_file"),
    )
