from __future__ import annotations

import pytest
from harness_client import batches

from provider_py.execution import Phase
from provider_py.systems.harness.polling import BATCH, phase


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("SUCCESS", Phase.SUCCEEDED),
        ("SKIPPED", Phase.SUCCEEDED),
        ("FAILED", Phase.FAILED),
        ("ERROR", Phase.FAILED),
        ("ABORTED", Phase.FAILED),
        ("REJECTED", Phase.FAILED),
        ("EXPIRED", Phase.FAILED),
        ("PAUSED", Phase.HELD),
        ("WAITING", Phase.HELD),
        ("RUNNING", Phase.ACTIVE),
        ("QUEUED", Phase.ACTIVE),
        ("RESUMED", Phase.ACTIVE),
        ("A_FUTURE_STATUS", Phase.ACTIVE),
        (None, Phase.ACTIVE),
    ],
)
def test_status_has_a_phase(status: str | None, meaning: Phase) -> None:
    assert phase(status) is meaning


def test_batch_is_what_the_generated_queries_take() -> None:
    assert BATCH == batches.EXECUTION_STATE_LIMIT == batches.EXECUTION_STATE_OLDER_LIMIT
