"""Serve the sandbox: `python -m provider_py.sandbox` prints the environment to use, then "ready"."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
from collections.abc import Sequence

from provider_py.sandbox import Sandbox


async def serve(run_seconds: float, speed: float, as_json: bool) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with Sandbox(run_seconds=run_seconds, speed=speed) as sandbox:
        environment = sandbox.environment()
        if as_json:
            print(json.dumps(environment))
        else:
            print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items()))
        print("ready", flush=True)
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m provider_py.sandbox", description=__doc__)
    parser.add_argument("--run-seconds", type=_positive, default=2.0, help="duration of a run in seconds (2)")
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="seconds of the systems' clock per real second (1)"
    )
    parser.add_argument("--json", action="store_true", help="print the environment as one JSON object")
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.run_seconds, options.speed, options.json))


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


if __name__ == "__main__":
    main()
