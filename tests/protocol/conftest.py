"""One plugin for the tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import host


@pytest.fixture(scope="module")
def plugin() -> Iterator[host.Plugin]:
    """A running toy provider, behind TLS."""
    with host.started() as running:
        yield running
