"""The sandbox of the three systems in a process of its own, as the demo and the tests use it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from provider_py.cli.errors import CommandError

CONTROL = "WORKFLOW_SANDBOX_CONTROL"


def require() -> None:
    """Say what to do where the sandbox's dependencies are not installed."""
    if importlib.util.find_spec("aiohttp") is None:
        message = "The sandbox needs its extra: pip install 'terraform-provider-workflow[sandbox]' (or `make venv`)."
        raise CommandError(message)


class SandboxProcess:
    """A running sandbox: the environment that points the provider at it, and its control API."""

    environment: dict[str, str]
    control: httpx2.Client

    def __init__(self, *, run_seconds: float = 2.0, speed: float = 1.0) -> None:
        """Take how long runs last, and how much faster than real its clock goes."""
        self._options = ["--json", "--run-seconds", str(run_seconds), "--speed", str(speed)]

    def __enter__(self) -> Self:
        """Start it, and wait until it serves."""
        require()
        # A session of its own: Ctrl-C is for terraform, which still needs the systems while it stops.
        self._process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-m", "provider_py.sandbox", *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            line = self._process.stdout.readline() if self._process.stdout else ""
        except BaseException:
            self._stop()
            raise
        if not line:
            message = f"The sandbox ended with exit status {self._process.wait()} before it served."
            raise CommandError(message)
        self.environment = json.loads(line)
        self.control = httpx2.Client(base_url=self.environment[CONTROL], timeout=30, trust_env=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it; kill it where it does not."""
        self.control.close()
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the control API and return the answer."""
        answer = self.control.request(method, path, json=body)
        if answer.is_error:
            message = f"The sandbox refused {method} {path}: {answer.text}"
            raise CommandError(message)
        return answer.json() if answer.content else None

    def requests(self, system: str | None = None) -> Sequence[dict[str, Any]]:
        """Return what the systems received since it was last forgotten."""
        received: list[dict[str, Any]] = self.ask("GET", "/requests" + (f"?system={system}" if system else ""))
        return received

    def forget_requests(self) -> None:
        """Forget what the systems received."""
        self.ask("DELETE", "/requests")


def serve(*, run_seconds: float, speed: float) -> None:
    """Become the sandbox, serving until it is told to stop."""
    require()
    options = ["--run-seconds", str(run_seconds), "--speed", str(speed)]
    os.execv(sys.executable, [sys.executable, "-m", "provider_py.sandbox", *options])  # noqa: S606 - this Python
