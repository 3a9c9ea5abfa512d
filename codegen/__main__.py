"""`python -m codegen`: generate, check and pin, from the repository's root.

generate    make generated/ and the generated pages of docs/ from specs/ and the provider's schema
check       fail if they are not what generate would make; names every stale, missing or surplus file
pin         record the hashes of the specifications in specs/sources.toml, after a change that was meant
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen import output, sources
from codegen.build import build
from codegen.errors import CodegenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["generate", "check", "pin"])
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the repository (default: the working directory)")
    given = parser.parse_args(arguments)
    commands = {"generate": _generate, "check": _check, "pin": _pin}
    try:
        return commands[given.command](given.root.resolve())
    except CodegenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _generate(root: Path) -> int:
    with output.staging(root) as staged:
        build(root, staged)
        changed = output.differences(staged, root)
        if changed:
            output.replace(staged, root)
    print("\n".join(changed) if changed else "everything is up to date")
    return 0


def _check(root: Path) -> int:
    with output.staging(root) as staged:
        build(root, staged)
        changed = output.differences(staged, root)
    if changed:
        print("\n".join(changed), file=sys.stderr)
        print("error: generated files are not fresh; run `make generate` and commit the result", file=sys.stderr)
        return 1
    return 0


def _pin(root: Path) -> int:
    changed = sources.pin(root)
    print("\n".join(changed) if changed else "every hash is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
