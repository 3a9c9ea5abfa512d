"""Whether a workflow, as Nexthink describes it, can run the way a configuration wants, and its end can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import nexthink_client
from nexthink_client import models

from provider_py.execution import Refused, Unauthorized, did_you_mean
from provider_py.plugin import Diagnostic, DiagnosticError, Key, error
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.nexthink.polling import QUERY, run_status_query

_NO_REQUEST: Final = "00000000-0000-0000-0000-000000000000"
"""The ID of no request, for which a working status query returns no rows."""


async def check_status_query(nexthink: Nexthink, query: str) -> None:
    """Raise DiagnosticError if the saved query does not exist or takes no request ID."""
    try:
        await nexthink.lookups.get(("query", query), lambda: run_status_query(nexthink, query, _NO_REQUEST))
    except Unauthorized:
        raise
    except Refused as fault:
        raise DiagnosticError(
            error(
                f"Status query {query!r} does not report executions",
                f"Nexthink says: {fault.reason}. Save this query under that ID (Administration, NQL API queries):\n\n"
                f"{QUERY}",
                ("status_query",),
            )
        ) from fault


def check_workflow(
    workflow: models.Workflow,
    name: str,
    targets: Mapping[str, Sequence[object] | None],
    params: Mapping[str, str],
    unknown: frozenset[str],
) -> Iterator[Diagnostic]:
    """Check status, trigger method, targets and parameters; what Nexthink leaves out of its answer is not checked.

    `targets` holds `devices` and `users`; attributes in `unknown` have no value yet.
    """
    if workflow.status != "ACTIVE":
        status = f"The status of workflow {name!r} is {workflow.status}"
        yield error("Workflow is not active", f"{status}. Activate it in Nexthink.", ("workflow",))
    if workflow.trigger_methods.api_enabled is False:
        yield error(
            "Workflow cannot be started through the API",
            f"Enable the trigger method API of workflow {name!r} in Nexthink.",
            ("workflow",),
        )
    version = next((version for version in workflow.versions if version.status == "ACTIVE"), None)
    if version is None:
        return
    if version.valid is False:
        problem = f"Nexthink considers the active version of workflow {name!r} invalid"
        yield error("Workflow version is not valid", f"{problem}. Correct it in Nexthink.", ("workflow",))
    yield from _check_targets(name, version, targets, unknown)
    if "params" not in unknown and not isinstance(version.parameters, nexthink_client.types.Unset):
        yield from _check_params(name, version.parameters, params)


def _check_targets(
    name: str, version: models.WorkflowVersion, targets: Mapping[str, Sequence[object] | None], unknown: frozenset[str]
) -> Iterator[Diagnostic]:
    accepted = {"devices": version.has_device, "users": version.has_user}
    for attribute, other in (("devices", "users"), ("users", "devices")):
        if accepted[attribute] is not False or not targets[attribute]:
            continue
        if accepted[other] is False:
            advice = "It takes no targets at all, so it cannot be run by this resource."
        elif targets[other] or other in unknown:
            advice = f"Remove `{attribute}`."
        else:
            advice = f"It runs on {other}: specify `{other}`, and remove `{attribute}`."
        yield error(f"Workflow {name!r} does not run on {attribute}", advice, (attribute,))


def _check_params(
    name: str, declared: Sequence[models.WorkflowParameter], params: Mapping[str, str]
) -> Iterator[Diagnostic]:
    parameters = {parameter.id: parameter for parameter in declared}
    for param, value in params.items():
        path = ("params", Key(param))
        parameter = parameters.get(param)
        if parameter is None:
            yield error(
                f"Unknown workflow parameter {param!r}",
                f"Workflow {name!r} has no parameter {param!r}. Its parameters are: {', '.join(parameters) or 'none'}."
                f"{did_you_mean(param, parameters)}",
                path,
            )
        elif parameter.allow_custom_value is False and parameter.options and value not in parameter.options:
            yield error(
                f"Invalid value of workflow parameter {param!r}",
                f"{value!r} is not allowed. Must be one of: {', '.join(parameter.options)}.",
                path,
            )
