from __future__ import annotations

import pytest
from harness_client import (
    ArtifactSelectionInput,
    ArtifactSelectionType,
    ConditionType,
    CreateTriggerInput,
    ExecutionType,
    ScheduleConditionInput,
    TriggerActionInput,
    TriggerConditionInput,
)

from provider_py.execution import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.systems.harness.connection import UnknownField, fault_of, omit_nulls, timestamp


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


def test_null_fields_are_left_out_of_an_input_and_those_in_it() -> None:
    schedule = ScheduleConditionInput(cronExpression="0 2 * * ?", onNewArtifactOnly=None)
    condition = TriggerConditionInput(conditionType=ConditionType.ON_SCHEDULE, scheduleConditionInput=schedule)
    selection = ArtifactSelectionInput(
        serviceId="s", artifactSelectionType=ArtifactSelectionType.LAST_COLLECTED, regex=None
    )
    action = TriggerActionInput(
        executionType=ExecutionType.WORKFLOW, entityId="w", variables=[], artifactSelections=[selection]
    )
    trigger = CreateTriggerInput(name="n", applicationId="a", description=None, condition=condition, action=action)
    assert omit_nulls(trigger).model_dump(mode="json", by_alias=True, exclude_unset=True) == {
        "name": "n",
        "applicationId": "a",
        "condition": {"conditionType": "ON_SCHEDULE", "scheduleConditionInput": {"cronExpression": "0 2 * * ?"}},
        "action": {
            "executionType": "WORKFLOW",
            "entityId": "w",
            "variables": [],
            "artifactSelections": [{"serviceId": "s", "artifactSelectionType": "LAST_COLLECTED"}],
        },
    }
