"""The three simulated systems and their control API, each on a free port of the loopback interface."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from provider_py.sandbox import control, harness, nexthink, vcd
from provider_py.sandbox.observer import observer
from provider_py.sandbox.world import World

_SYSTEMS: dict[str, Callable[[World], web.Application]] = {
    "harness": harness.application,
    "nexthink": nexthink.application,
    "vcd": vcd.application,
}
_GRACE = 0.2
"""Seconds a request in flight may still take when the sandbox stops."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of the systems and the control API."""

    harness: str
    nexthink: str
    vcd: str
    control: str


class Sandbox:
    """The simulated systems, served while the context lasts."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        run_seconds: float = 2.0,
        speed: float = 1.0,
        tls: ssl.SSLContext | None = None,
        world: World | None = None,
    ) -> None:
        """Prepare without listening yet; with `tls` the systems speak HTTPS, the control API never does."""
        self.world = world or World(run_seconds, speed)
        self._host = host
        self._tls = tls
        self._stack = AsyncExitStack()
        self._urls: Urls | None = None

    @property
    def urls(self) -> Urls:
        """The addresses; raises RuntimeError before the context is entered."""
        if self._urls is None:
            raise RuntimeError("the sandbox is not running; use it as `async with Sandbox() as sandbox`")
        return self._urls

    async def __aenter__(self) -> Self:
        """Start listening."""
        try:
            urls = {name: await self._start_system(name) for name in _SYSTEMS}
            urls["control"] = await self._listen(control.application(self.world, tuple(_SYSTEMS)), None)
        except BaseException:
            await self._stack.aclose()
            raise
        self._urls = Urls(**urls)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and drop every connection."""
        await self._stack.aclose()

    async def _start_system(self, name: str) -> str:
        app = _SYSTEMS[name](self.world)
        app.middlewares.insert(0, observer(self.world, name))
        return await self._listen(app, self._tls)

    async def _listen(self, app: web.Application, tls: ssl.SSLContext | None) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, self._host, 0, ssl_context=tls).start()
        host, port = runner.addresses[0][:2]
        return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def environment(self) -> dict[str, str]:
        """The environment variables that make the provider use this sandbox."""
        urls = self.urls
        return {
            "HARNESS_ENDPOINT": f"{urls.harness}/gateway",
            **harness.CREDENTIALS,
            "NEXTHINK_API_URL": urls.nexthink,
            "NEXTHINK_TOKEN_URL": f"{urls.nexthink}{nexthink.TOKEN_PATH}",
            **nexthink.CREDENTIALS,
            "VCD_URL": urls.vcd,
            **vcd.CREDENTIALS,
            "WORKFLOW_SANDBOX_CONTROL": urls.control,
        }
