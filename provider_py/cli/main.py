"""The `workflow-provider` command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from provider_py.cli import demo as demonstration
from provider_py.cli import install as installation
from provider_py.cli import journal
from provider_py.cli import report as diagnosis
from provider_py.cli import sandbox as simulation
from provider_py.cli.errors import CommandError

app = typer.Typer(help="Install and try the provider for workflow runs.", no_args_is_help=True, add_completion=False)
app.add_typer(journal.app, name="journal")

Mirror = Annotated[
    Path | None,
    typer.Option("--directory", help="Terraform's plugin directory, if not ~/.terraform.d/plugins.", file_okay=False),
]


@app.command()
def install(directory: Mirror = None) -> None:
    """Put the provider where `terraform init` finds it."""
    for launcher in installation.install(_mirror(directory)):
        print(f"{'Wrote' if launcher.written else 'Unchanged:'} {launcher.path}")
    print(f"\nAdd this to your configuration and run `terraform init`:\n\n{installation.requirement()}")


@app.command()
def sandbox(
    run_seconds: Annotated[float, typer.Option(min=0, help="Duration of a run, in seconds.")] = 2.0,
    speed: Annotated[float, typer.Option(min=0, help="Speed of the systems' clock, as a factor.")] = 1.0,
) -> None:
    """Simulate the three systems on loopback until Ctrl-C, and print the variables that point the provider at them."""
    simulation.serve(run_seconds=run_seconds, speed=speed)


@app.command()
def demo() -> None:
    """Apply the examples with the real Terraform against the sandbox; needs a checkout of the project."""
    demonstration.demo()


@app.command()
def report(directory: Mirror = None) -> None:
    """Print versions, paths and the names of configured settings for a bug report; never a secret."""
    print(diagnosis.report(_mirror(directory)))


def _mirror(directory: Path | None) -> Path:
    return directory.absolute() if directory else Path.home() / installation.MIRROR


def main(run: Callable[[], object] = app) -> None:
    """Run the command; a `CommandError` becomes one line on stderr and exit status 1."""
    try:
        run()
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
