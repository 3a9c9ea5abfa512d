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


REFUSALS_OF_A_START = [
    "Invalid request: Value not provided for required variable: [a,b]",
    "Invalid request: Entity Id cannot be empty",
    "User not authorized: Not authorized to access the app",
    "User not authorized.",
    "Invalid Api Key",
    "User doesn't have rights to execute Workflow in this Environment",
    "Workflow w1 doesn't exist in the specified application a1",
    "Environment [x] doesn't exist in specified application a1",
    "Infrastructure Definition  [x] doesn't exist in specified application and environment a1 e1",
    "Environment is required",
    "ServiceInput required for service: web",
    "ArtifactValueInput is required for the service Input: web",
    "Cannot find artifact Source: nginx in specified service: web",
    "Cannot find or collect artifact for specified Build Number: 7",
    "Cannot find artifact for specified Id: a1. Might be deleted",
    "Cannot find helm chart for specified version number: 1.0 and service: web",
    "Variable env doesnt allow multiple values",
    "Deployment rate limit reached. You have reached 100.0% of allowed limits for deployments in a day.",
    "Deployment Freeze Window [xmas] is active for the environment. No deployments are allowed to proceed.",
    "Master Deployment Freeze is active. No deployments are allowed.",
    "You can not deploy an empty pipeline.",
    "Pipeline is already triggered.",
    "Validation error of type FieldUndefined: Field 'x' in type 'Query' is undefined @ 'startExecution/x'",
    "Validation error of type WrongType: argument 'input' with value '{}' is missing required fields '[entityId]'",
    "Variable 'input' has coerced Null value for NonNull type 'StartExecutionInput!'",
    "Variable 'input' has an invalid value. Expected a whole number",
    "Field 'entityId' of variable 'input' has coerced Null value for NonNull type 'String!'",
    "The variables input contains a field name 'f' that is not defined for input object type 'T' ",
    "Invalid input for Enum 'ExecutionType'. No value found for name 'V'",
    "Invalid Syntax : offending token <EOF> at line 1 column 1",
    "maximum query depth exceeded 11 > 10",
]
"""Every way in which Harness is known to refuse a start before it does anything."""


@pytest.mark.parametrize("prefix", ["", "Exception while fetching data (/startExecution) : "])
@pytest.mark.parametrize("message", REFUSALS_OF_A_START)
def test_a_known_refusal_of_a_start_means_not_started(message: str, prefix: str) -> None:
    fault = fault_of([prefix + message], starting=True)
    assert isinstance(fault, Refused)
    assert fault.reason == message


@pytest.mark.parametrize(
    "messages",
    [
        ["An error has occurred. Please contact the Harness support team."],
        ["Exception while fetching data (/startExecution) : null"],
        ["Failed to acquire the lock of the pipeline"],
        ["Connection reset"],
        ["Exception while fetching data (/startExecution/execution) : Execution doesn't exist"],
        ["Invalid request: no; An error has occurred. Please contact the Harness support team."],
        ["Invalid request: no", "java.util.concurrent.TimeoutException"],
        [""],
        [],
    ],
)
def test_any_other_error_leaves_open_whether_an_execution_was_started(messages: list[str]) -> None:
    assert type(fault_of(messages, starting=True)) is Unanswered


@pytest.mark.parametrize("message", ["Failed to acquire the lock of the pipeline", "Connection reset"])
def test_an_unknown_error_of_a_look_up_is_a_refusal(message: str) -> None:
    assert type(fault_of([message])) is Refused


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
