"""The sandbox of the three systems in a separate process, for the demo and the tests."""

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
    """Raise `CommandError` if the sandbox's dependencies are not installed."""
    if importlib.util.find_spec("aiohttp") is None:
        message = "The sandbox needs its extra: pip install 'terraform-provider-workflow[sandbox]' (or `make venv`)."
        raise CommandError(message)


class SandboxProcess:
    """A sandbox process: the environment variables that point the provider at it, and its control API."""

    environment: dict[str, str]
    control: httpx2.Client

    def __init__(self, *, run_seconds: float = 2.0, speed: float = 1.0) -> None:
        """Set the duration of a run in seconds, and the speed of the sandbox's clock as a factor."""
        self._options = ["--json", "--run-seconds", str(run_seconds), "--speed", str(speed)]

    def __enter__(self) -> Self:
        """Start the process and wait until it accepts requests."""
        require()
        # Its own session: Ctrl-C must not stop the systems while Terraform, which gets it too, still talks to them.
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
            message = f"The sandbox exited with status {self._process.wait()} before it accepted requests."
            raise CommandError(message)
        self.environment = json.loads(line)
        self.control = httpx2.Client(base_url=self.environment[CONTROL], timeout=30, trust_env=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the process; kill it if it has not exited after ten seconds."""
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
        """Send a request to the control API and return the decoded response."""
        response = self.control.request(method, path, json=body)
        if response.is_error:
            message = f"The sandbox rejected {method} {path}: {response.text}"
            raise CommandError(message)
        return response.json() if response.content else None

    def requests(self, system: str | None = None) -> Sequence[dict[str, Any]]:
        """Return the requests that the systems received since the last `forget_requests`."""
        received: list[dict[str, Any]] = self.ask("GET", "/requests" + (f"?system={system}" if system else ""))
        return received

    def forget_requests(self) -> None:
        """Clear the log of received requests."""
        self.ask("DELETE", "/requests")


def serve(*, run_seconds: float, speed: float) -> None:
    """Replace this process by the sandbox, which runs until Ctrl-C or SIGTERM."""
    require()
    options = ["--run-seconds", str(run_seconds), "--speed", str(speed)]
    os.execv(sys.executable, [sys.executable, "-m", "provider_py.sandbox", *options])  # noqa: S606 - this Python
