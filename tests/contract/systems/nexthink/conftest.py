from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.nexthink import Bench, bench


@pytest.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[Bench]:
    """Serve a tenant, and connect the provider's side to it."""
    async with bench(tmp_path / "journal.sqlite3") as opened:
        yield opened
