"""Settings that every system has: how to trust it, how long to wait for it, and which files and addresses are safe.

Not guaranteed: that a value which is not recognized as the content of a file is a path. A token of few characters in
place of the token file's path looks like one, and is named in the message that there is no such file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from provider_py.plugin import Declaration, DiagnosticError, attributes, duration, error, format_path, setting
from provider_py.plugin import Path as AttributePath

_LONGEST_NAME: Final = 255
"""The longest name of a file, in characters, that any common file system takes."""


def ca_file(system: str) -> Declaration:
    """Declare the setting `ca_file`; `system` is the prefix of the system's environment variables."""
    return setting(
        "Path of a PEM file with certificate authorities to trust in addition to the system's.",
        environment=f"{system}_CA_FILE",
    )


def request_timeout(system: str, default: str, note: str = "") -> Declaration:
    """Declare the setting `request_timeout`, with a note on what takes long."""
    return setting(
        f"Timeout of a single request, as a Go duration. {note}Defaults to `{default}`.",
        environment=f"{system}_REQUEST_TIMEOUT",
        fallback=default,
        checks=(duration,),
    )


def allow_insecure_http(system: str) -> Declaration:
    """Declare the setting `allow_insecure_http`, which `require_encryption` goes by."""
    return setting(
        "Whether to accept an `http://` address of another host, which sends credentials unencrypted. Defaults to "
        "`false`: `http://` is for loopback only.",
        environment=f"{system}_ALLOW_INSECURE_HTTP",
        fallback=False,
    )


def local_path(text: str, setting: AttributePath) -> Path:
    """Return the path that a setting names, with `~` or `~user` expanded; others stay as they are.

    Raises DiagnosticError for the content of a file in place of its path, which is never part of the message.
    """
    name = format_path(setting)
    if (
        text.lstrip().startswith(("{", "[{", "-----BEGIN"))
        or any(character < " " for character in text)
        or any(len(part) > _LONGEST_NAME for part in text.split("/"))
    ):
        detail = f"`{name}` holds what looks like the content of a file. Store it in a file, and set that file's path."
        raise DiagnosticError(error("Content in place of a path", detail, setting))
    try:
        return Path(text).expanduser()
    except RuntimeError as fault:
        detail = f"`{name}` is {text!r}, whose home directory is unknown ({fault}). Write the whole path."
        raise DiagnosticError(error("Unknown home directory", detail, setting)) from fault


def optional_path(text: str | None, setting: AttributePath) -> str | None:
    """Return the path as text, as `local_path` does, of a setting that may be missing."""
    return None if text is None else str(local_path(text, setting))


def writable_path(text: str, setting: AttributePath, variable: str) -> Path:
    """Return the path of a file that may have to be created, as `local_path` does.

    Raises DiagnosticError where a directory is in its place or there is none to hold it; none is created, since a
    mistyped path would get one too. `variable` is the setting's environment variable.
    """
    path = local_path(text, setting)
    if path.is_dir():
        problem = f"{str(path)!r} is a directory. Name a file in it."
    elif not path.parent.is_dir():
        exists = "is not a directory" if path.parent.exists() else "does not exist"
        problem = f"{str(path.parent)!r} {exists}. Create the directory, or name a file in another one."
    else:
        return path
    name = format_path(setting)
    detail = f"`{name}` ({variable}) is {text!r}: {problem}"
    raise DiagnosticError(error(f"Invalid path in `{name}`", detail, setting))


class _Block(Protocol):
    @property
    def allow_insecure_http(self) -> bool | None: ...


def require_encryption(block: str, settings: _Block, names: Sequence[str]) -> None:
    """Check that the addresses in these settings are `https://`, or `http://` to this machine.

    Raises DiagnosticError with an error for each other one, unless the block's `allow_insecure_http` accepts them.
    """
    if settings.allow_insecure_http:
        return
    declared = attributes(type(settings))
    problems = [
        error(
            "Insecure address",
            f"`{block}.{name}` ({declared[name].environment}) is {url!r}: credentials and data would be sent "
            "unencrypted, for anyone on the way to read. Use an `https://` address, or accept that with "
            f"`allow_insecure_http = true` in the `{block}` block ({declared['allow_insecure_http'].environment}).",
            (block, name),
        )
        for name in names
        if (url := getattr(settings, name)) is not None and not _is_private(url)
    ]
    if problems:
        raise DiagnosticError(*problems)


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
