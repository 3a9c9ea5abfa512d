"""specs/sources.toml: where each specification comes from, and which bytes are meant to be shipped.

A table per specification:

    [nexthink]
    kind = "openapi"                    openapi, graphql or protobuf
    package = "nexthink_client"         what is generated from it
    vendor, api_version, origin, maintainer
    document = "nexthink/openapi.json"  the file or, for protobuf, the folder
    overlay = "nexthink/overlay.yaml"   openapi: our corrections (optional)
    operations = "harness/operations"   graphql: our operations
    scalars = { Long = "int" }          graphql: the Python types of the schema's own scalars (optional)

    [nexthink.sha256]                   what the vendor publishes, by file
    "nexthink/openapi.json" = "…"
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from codegen.errors import SpecError

SPECS: Final = "specs"
SOURCES: Final = f"{SPECS}/sources.toml"
KINDS: Final = ("openapi", "graphql", "protobuf")
_PIN: Final = re.compile(r'^"(?P<file>[^"]+)" = "[0-9a-f]*"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spec:
    """One specification; files are relative to the repository's root."""

    name: str
    kind: str
    package: str
    vendor: str
    api_version: str
    origin: str
    maintainer: str
    document: str
    overlay: str | None = None
    operations: str | None = None
    scalars: Mapping[str, str] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)

    def files(self, root: Path) -> list[str]:
        """List every file that the output depends on."""
        named = [name for name in (self.document, self.overlay, self.operations) if name]
        listed = {file for name in named for file in _files(root, root / name)}
        return sorted(listed | set(self.sha256))


def load(root: Path) -> list[Spec]:
    """Read sources.toml; raise SpecError unless every file it names exists and has the recorded hash."""
    specs = _read(root)
    for spec in specs:
        _verify(root, spec)
    return specs


def pin(root: Path) -> list[str]:
    """Record the current hashes of the files; return the files whose hash changed."""
    path = root / SOURCES
    recorded = {file: digest for spec in _read(root) for file, digest in spec.sha256.items()}
    for file in recorded:
        if not (root / file).is_file():
            raise SpecError(SOURCES, "sha256", f"{file} does not exist")
    actual = {file: sha256(root / file) for file in recorded}

    def hashed(match: re.Match[str]) -> str:
        file = match["file"]
        return f'"{file}" = "{actual[f"{SPECS}/{file}"]}"'

    path.write_text(_PIN.sub(hashed, path.read_text("utf-8")), "utf-8")
    return sorted(file for file in recorded if recorded[file] != actual[file])


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_text(root: Path, file: str) -> str:
    """Read a specification as UTF-8."""
    try:
        return (root / file).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(file, f"byte {error.start}", "is not UTF-8") from None
    except FileNotFoundError:
        raise SpecError(file, "", "does not exist") from None


def _read(root: Path) -> list[Spec]:
    try:
        tables = tomllib.loads(read_text(root, SOURCES))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(SOURCES, "", f"is not TOML: {error}") from None
    return [_spec(name, table) for name, table in tables.items()]


def _spec(name: str, table: Mapping[str, Any]) -> Spec:
    strings = {"kind", "package", "vendor", "api_version", "origin", "maintainer", "document"}
    for key in sorted(strings):
        if not isinstance(table.get(key), str):
            raise SpecError(SOURCES, f"[{name}]", f"{key} is missing or is not a string")
    for key in sorted(table.keys() - strings - {"overlay", "operations", "scalars", "sha256"}):
        raise SpecError(SOURCES, f"[{name}]", f"{key} is not a setting")
    if table["kind"] not in KINDS:
        raise SpecError(SOURCES, f"[{name}].kind", f"{table['kind']} is not one of {', '.join(KINDS)}")
    located = {key: f"{SPECS}/{table[key]}" for key in ("document", "overlay", "operations") if key in table}
    hashes = {f"{SPECS}/{file}": str(digest) for file, digest in table.get("sha256", {}).items()}
    plain = {key: table[key] for key in strings - {"document"}}
    return Spec(name=name, **plain, **located, scalars=table.get("scalars", {}), sha256=hashes)


def _verify(root: Path, spec: Spec) -> None:
    for file in filter(None, (spec.document, spec.overlay, spec.operations, *spec.sha256)):
        path = root / file
        if not path.exists() or (path.is_dir() and file in spec.sha256):
            raise SpecError(SOURCES, f"[{spec.name}]", f"{file} does not exist")
    for file, recorded in spec.sha256.items():
        actual = sha256(root / file)
        if actual != recorded:
            reason = (
                f"{file} has sha256 {actual[:12]}… instead of the recorded {recorded[:12]}…; "
                "if the change is intended, run `python -m codegen pin`"
            )
            raise SpecError(SOURCES, f"[{spec.name}.sha256]", reason)


def _files(root: Path, path: Path) -> Iterable[str]:
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    return (file.relative_to(root).as_posix() for file in paths if file.is_file())
