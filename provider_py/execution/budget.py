"""The request budget of a system: a sliding window that every request of the process passes through."""

from __future__ import annotations

import asyncio

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from provider_py.execution.runtime import Runtime


class Budget:
    """At most `requests` in any `seconds`; further ones wait their turn, first come first served."""

    def __init__(self, requests: int, seconds: float, runtime: Runtime) -> None:
        """Start with the whole budget unspent."""
        self._bucket = InMemoryBucket([Rate(requests, int(seconds * 1000))])
        self._runtime = runtime
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Spend one request; waits until there is one to spend, raises Interrupted if Terraform stops meanwhile."""
        async with self._turn:
            while not self._bucket.put(item := RateItem("request", int(self._runtime.clock.monotonic() * 1000))):
                pause = self._bucket.waiting(item)
                await self._runtime.sleep((pause if isinstance(pause, int) else 0) / 1000 + 0.001)
            self._bucket.leak(item.timestamp)
