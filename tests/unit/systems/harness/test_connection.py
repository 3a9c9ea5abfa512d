from __future__ import annotations

import pytest

from provider_py.execution.errors import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.systems.harness.connection import UnknownField, fault_of, timestamp


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Exception while fetching data (/applicationByName) : Invalid request: Application does not exist", Missing),
        ("Exception while fetching data (/execution) : Execution doesn't exist", Missing),
        ("Exception while fetching data (/startExecution) : User not authorized: Not authorized", Unauthorized),
        ("Invalid Api Key", Unauthorized),
        ("Exception while fetching data (/x) : An error has occurred. Please contact support.", Unanswered),
        ("Validation error of type FieldUndefined: Field 'x' in type 'Query' is undefined", UnknownField),
        ("Deployment rate limit reached. You have reached 100.0% of allowed limits for deployments in a day.", Refused),
        ("Exception while fetching data (/startExecution) : Invalid request: Value not provided", Refused),
    ],
)
def test_error_message_becomes_a_fault(message: str, fault: type[SystemFault]) -> None:
    raised = fault_of([message])
    assert type(raised) is fault
    assert "Exception while fetching data" not in raised.reason


@pytest.mark.parametrize(
    ("moment", "formatted"),
    [
        (1588243374775, "2020-04-30T10:42:54.775Z"),
        ("1588243374775", "2020-04-30T10:42:54.775Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (None, None),
    ],
)
def test_date_time_is_formatted_as_rfc_3339(moment: int | str | None, formatted: str | None) -> None:
    assert timestamp(moment) == formatted
