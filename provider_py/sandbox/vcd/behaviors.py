"""What the simulated Cloud Director can be switched to."""

from __future__ import annotations

from typing import Final

from provider_py.sandbox.behaviors import Behavior

SYSTEM: Final = "vcd"

BEHAVIORS: Final = {
    "token_seconds": Behavior(3600),  # lifetime of an access token
    "api_token_answer": Behavior("null", "repeat"),  # refresh_token in the answer to an API token
    "unauthorized_body": Behavior("empty", "error"),  # body of a 401: none, or an error object
    "missing": Behavior("404", "403"),  # status for an object that does not exist
    "workflow_ids": Behavior("any", "urn"),  # all three ids name a workflow, or only the service item's URN
    "input_types": Behavior("class", "any", "short"),  # inputType: StringParam, either, or string
    "unknown_parameters": Behavior("refuse", "ignore"),  # inputs the workflow does not declare
    "presentation": Behavior("full", "untyped", "absent"),  # without the parameters' types; none at all
    "start_answer": Behavior("plain", "location_task", "task_header", "location_execution", "task"),  # see vcd/app.py
    "execution_state": Behavior("present", "absent"),  # an execution is answered with or without its state
    "state_shape": Behavior("string", "object", "value"),  # "running", {"state": …} or {"value": …}
    "list_lag": Behavior(0.0),  # seconds by which the list of executions is behind
    "tenant_context": Behavior("uuid", "any"),  # the context header may also be the organization's URN
    "date_form": Behavior("colon", "short"),  # UTC offset of dates: +00:00, or +0000
    "session_outputs": Behavior(True),  # outputs contain values of the session, among them its token
}
