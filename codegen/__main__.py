"""Generate clients, constructs and documentation, and keep the specifications current.

generate    write generated/ and the generated pages of docs/ from specs/ and the provider's schema
check       fail if they differ from what generate would write; list every stale, missing or surplus file
pin         record the hashes of the specifications in specs/sources.toml, after an intended change
refresh     compare a shipped specification with what its vendor serves now; --write adopts the newer one.
            Exit codes: 0 no change touches our operations, 1 some do, 2 the comparison failed
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen import output, sources
from codegen.build import build
from codegen.changes import FAILED
from codegen.errors import CodegenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    commands = {"generate": _generate, "check": _check, "pin": _pin}
    root: Path = options.root.resolve()
    try:
        return _refresh(root, options) if options.command == "refresh" else commands[options.command](root)
    except CodegenError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED if options.command == "refresh" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--root", type=Path, default=Path.cwd(), help="the repository (default: the current directory)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("generate", "check", "pin"):
        commands.add_parser(name, parents=[common])
    refresh = commands.add_parser("refresh", parents=[common], help="compare with what the vendor serves now")
    refresh.add_argument("name", help="a specification of specs/sources.toml, such as harness")
    newer = refresh.add_mutually_exclusive_group(required=True)
    newer.add_argument("--from", dest="documents", nargs="+", default=[], metavar="FILE_OR_URL", help="the newer files")
    newer.add_argument("--endpoint", metavar="URL", help="a GraphQL endpoint that answers introspection")
    refresh.add_argument("--account-id", metavar="ID", help="the account whose endpoint is asked")
    refresh.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the API key")
    refresh.add_argument("--write", action="store_true", help="replace the shipped specification with the newer one")
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
        print("error: generated files are out of date; run `make generate` and commit the result", file=sys.stderr)
        return 1
    return 0


def _pin(root: Path) -> int:
    changed = sources.pin(root)
    print("\n".join(changed) if changed else "every hash is up to date")
    return 0


def _refresh(root: Path, options: argparse.Namespace) -> int:
    from codegen.refresh import Origin, refresh  # lazy: 0.5 s, and no other command needs HTTP

    origin = Origin(options.documents, options.endpoint, options.account_id, options.api_key_env)
    return refresh(root, options.name, origin, write=options.write)


if __name__ == "__main__":
    sys.exit(main())
