"""Location of the vendors' specs: beside the packages in a checkout, inside the package once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def spec_file(*parts: str) -> Path:
    """The path of a spec below specs/; raises FileNotFoundError with the path tried."""
    installed = _PACKAGE / "specs"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "specs"
    path = folder.joinpath(*parts)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; the sandbox needs the specs/ folder beside provider_py/")
    return path
