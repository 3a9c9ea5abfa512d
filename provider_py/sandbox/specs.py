"""Where the vendors' specs lie: beside the packages in a checkout, inside the package once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def spec_file(*parts: str) -> Path:
    """The path of a spec, given as the parts below specs/; an error names where it was looked for."""
    installed = _PACKAGE / "specs"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "specs"
    path = folder.joinpath(*parts)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; the sandbox needs the specs/ folder beside provider_py/")
    return path
