"""`python -m codegen`: generate, check, pin and refresh, from the repository's root.

generate    make generated/ and the generated pages of docs/ from specs/ and the provider's schema
check       fail if they are not what generate would make; names every stale, missing or surplus file
pin         record the hashes of the specifications in specs/sources.toml, after a change that was meant
refresh     compare a shipped specification with what its vendor serves now; --write takes it over.
            Exit codes: 0 nothing touches our operations, 1 something does, 2 it could not be compared
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
    given = _parser().parse_args(arguments)
    commands = {"generate": _generate, "check": _check, "pin": _pin}
    root: Path = given.root.resolve()
    try:
        return _refresh(root, given) if given.command == "refresh" else commands[given.command](root)
    except CodegenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if given.command == "refresh" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--root", type=Path, default=Path.cwd(), help="the repository (default: the working directory)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("generate", "check", "pin"):
        commands.add_parser(name, parents=[common])
    refresh = commands.add_parser("refresh", parents=[common], help="compare with what the vendor serves now")
    refresh.add_argument("name", help="a table of specs/sources.toml, such as harness")
    newer = refresh.add_mutually_exclusive_group(required=True)
    newer.add_argument("--from", dest="documents", nargs="+", default=[], metavar="FILE_OR_URL", help="the newer files")
    newer.add_argument("--endpoint", metavar="URL", help="a GraphQL endpoint that answers introspection")
    refresh.add_argument("--account-id", metavar="ID", help="the account to ask the endpoint for")
    refresh.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the API key")
    refresh.add_argument("--write", action="store_true", help="take the newer specification over")
    return parser


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


def _refresh(root: Path, given: argparse.Namespace) -> int:
    from codegen.refresh import Origin, refresh  # lazy: no other command needs HTTP

    origin = Origin(given.documents, given.endpoint, given.account_id, given.api_key_env)
    return refresh(root, given.name, origin, write=given.write)


if __name__ == "__main__":
    sys.exit(main())
