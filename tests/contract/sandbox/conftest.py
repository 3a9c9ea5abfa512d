"""What the tests of all simulated systems share."""

from __future__ import annotations

import pytest

from provider_py.sandbox import World
from tests.contract.sandbox.serving import still_world


@pytest.fixture
def world() -> World:
    return still_world()
