"""A server for Terraform's `http` backend: one state, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class StateServer:
    """The server, while the context lasts. `content` is the state, empty at first; `writes` counts what was stored.

    `on_write` is called before a state is stored; if it returns False, the state is not stored, nor is the request
    answered.
    """

    def __init__(self) -> None:
        self.content = b""
        self.writes = 0
        self.on_write: Callable[[], bool] = lambda: True
        states = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200 if states.content else 404, states.content)

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                if not states.on_write():
                    self.close_connection = True
                    return
                states.content = content
                states.writes += 1
                self._answer(200, b"")

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the name of the base class
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/state"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
