"""`workflow_nexthink_execution`: runs a Nexthink workflow on devices and users with `POST …/workflows/execute`.

More targets than one request takes become several requests, each sent once (`targets`). Nexthink has no call that
reports an execution, so their status comes from a saved NQL query (`polling`). Destroying the resource forgets the
executions; they cannot be cancelled.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final

import nexthink_client
from nexthink_client import api, models

from provider_py.execution import (
    Execution,
    ExecutionType,
    Phase,
    PollSource,
    Run,
    Started,
    Unanswered,
    readable,
    rfc3339,
)
from provider_py.plugin import (
    Decoded,
    Diagnostic,
    DiagnosticError,
    computed,
    error,
    model,
    not_empty,
    one_of,
    optional,
    redact,
    required,
)
from provider_py.systems.nexthink import polling, preflight, targets
from provider_py.systems.nexthink.config import SYSTEM, saved_query
from provider_py.systems.nexthink.connection import SOURCE, Nexthink
from provider_py.systems.nexthink.lookup import get_workflow
from provider_py.systems.nexthink.polling import Detail, Expected, NexthinkTargetExecution
from provider_py.systems.nexthink.targets import Device, Request, User


@model
class NexthinkRequest:
    """A request and the executions it started."""

    id: Annotated[str | None, computed("ID of the request.")] = None
    execution_ids: Annotated[list[str] | None, computed("IDs of the executions that the request started.")] = None


@model
class NexthinkSummary:
    """Execution counts by status."""

    total: Annotated[int | None, computed("Number of executions.")] = None
    succeeded: Annotated[int | None, computed("Number of executions with the status `success`.")] = None
    failed: Annotated[int | None, computed("Number of executions with the status `failure`.")] = None
    cancelled: Annotated[int | None, computed("Number of executions with the status `cancelled`.")] = None
    expired: Annotated[int | None, computed("Number of executions with the status `expired`.")] = None
    in_progress: Annotated[int | None, computed("Number of executions that are still running or not reported yet.")] = (
        None
    )


@model
class NexthinkExecution(Execution):
    """A run of a Nexthink workflow on devices and users."""

    workflow: Annotated[
        str,
        required("NQL ID of the workflow, such as `#service_restart_and_repair`.", replace=True, checks=(not_empty,)),
    ]
    devices: Annotated[
        list[Device] | None,
        optional("Devices to run the workflow on. Each device is sent once, even if it is repeated.", replace=True),
    ] = None
    users: Annotated[
        list[User] | None,
        optional("Users to run the workflow for. Each user is sent once, even if it is repeated.", replace=True),
    ] = None
    params: Annotated[
        dict[str, str] | None, optional("Values of the workflow's parameters, by parameter ID.", replace=True)
    ] = None
    api_version: Annotated[
        str,
        optional(
            "Version of the API call that starts the workflow. `v2` takes every identifier of a device or user, `v1` "
            "takes `collector_uid` and `sid` only.",
            checks=(one_of("v1", "v2"),),
        ),
    ] = "v2"
    status_query: Annotated[
        str | None,
        optional(
            "ID of the saved NQL query that returns the executions of a request. Overrides the provider's "
            "`status_query`.",
            checks=(saved_query,),
        ),
    ] = None
    request_ids: Annotated[
        list[str] | None, computed("IDs of the requests: one for every 10,000 devices or users.")
    ] = None
    execution_ids: Annotated[list[str] | None, computed("IDs of the executions, one for each target.")] = None
    requests: Annotated[list[NexthinkRequest] | None, computed("Requests, each with the IDs of its executions.")] = None
    executions: Annotated[list[NexthinkTargetExecution] | None, computed("Executions as last reported.")] = None
    summary: Annotated[NexthinkSummary | None, computed("Execution counts by status.")] = None
    outputs: Annotated[
        dict[str, str] | None, computed("Outcome details by execution ID, for executions that report any.")
    ] = None


def validate(config: Decoded[NexthinkExecution]) -> Iterable[Diagnostic]:
    """Require targets, each with an identifier; warn of duplicates; reject cancelling."""
    execution = config.model
    if execution is None:
        return
    if not execution.devices and not execution.users and not config.unknown & {"devices", "users"}:
        yield error(
            "Missing workflow targets",
            "The workflow has no targets. Specify at least one device in `devices` or one user in `users`.",
            ("devices",),
        )
    configured = {"devices": execution.devices or (), "users": execution.users or ()}
    known = {name: items for name, items in configured.items() if name not in config.unknown}
    for check in (targets.check_identifiers, targets.check_duplicates):
        for attribute, items in known.items():
            yield from check(attribute, items, execution.api_version)
    if execution.on_destroy == "cancel":
        yield error(
            "Nexthink executions cannot be cancelled",
            'Nexthink has no API call that cancels executions. Remove on_destroy = "cancel"; destroying the resource '
            "then forgets them.",
            ("on_destroy",),
        )


class NexthinkLauncher:
    """Starts executions and reads their state."""

    system = SYSTEM

    def __init__(self, nexthink: Nexthink) -> None:
        self._nexthink = nexthink
        self._poller = polling.RequestPoller(nexthink)
        self.source: PollSource[str, Run[Detail]] = PollSource(self._poller.poll, 10)

    async def prepare(self, config: NexthinkExecution, unknown: frozenset[str]) -> Sequence[Request]:
        """Check the workflow against targets and parameters, and that the end of the run can be seen."""
        problems: list[Diagnostic] = []
        query = self._status_query(config)
        if config.wait and not unknown & {"wait", "status_query"}:
            if query is None:
                problems.append(_missing_status_query())
            else:
                await preflight.check_status_query(self._nexthink, query)
        devices, users, params = config.devices or (), config.users or (), config.params or {}
        workflow = await get_workflow(self._nexthink, config.workflow)
        runs_on = {"devices": devices, "users": users}
        problems.extend(preflight.check_workflow(workflow, config.workflow, runs_on, params, unknown))
        if problems:
            raise DiagnosticError(*problems)
        if unknown & {"devices", "users", "params", "api_version"}:
            return ()
        version = config.api_version
        return Request(
            workflow=config.workflow,
            api_version=version,
            devices=targets.distinct(devices, version),
            users=targets.distinct(users, version),
            params=params,
            status_query=query,
        ).split()

    async def start(self, part: Request, token: str) -> Started[Detail]:
        """Send one execute request, once. Nexthink has no room for the token."""
        clock = self._nexthink.runtime.clock
        with readable(SYSTEM, "the execute request"):
            answer = await _execute(self._nexthink, part)
            if not isinstance(answer, models.ExecutionResponse):
                raise Unanswered(SYSTEM, "the execute request was answered without a request ID")
            request_id, execution_ids = str(answer.request_uuid), [str(uuid) for uuid in answer.executions_uuids]
        self._poller.expect(request_id, Expected(execution_ids, query=part.status_query, sent_at=clock.monotonic()))
        detail = Detail(execution_ids)
        return Started(Run(request_id, "in_progress", Phase.ACTIVE, detail, started_at=rfc3339(clock.time())))

    def unread(self, key: str) -> Run[Detail]:
        """Return a request by its ID; its executions are learned from the query."""
        return Run(key, "in_progress", Phase.ACTIVE, Detail(()))

    def key(self, part: Request, run: Run[Detail]) -> str:
        """A request's ID is enough to find its executions."""
        return run.id

    def remember(
        self, state: NexthinkExecution, keys: Sequence[str], *, sent_at: float | None = None, seen: bool = False
    ) -> None:
        """Learn the status query, and the executions it must report before a request can count as ended."""
        started = {request.id: request.execution_ids or () for request in state.requests or ()}
        reported = {execution.execution_id for execution in state.executions or () if execution.status is not None}
        most = targets.count_executions(state.devices or (), state.users or (), state.api_version) if keys else 0
        clock = self._nexthink.runtime.clock
        if sent_at is None and state.started_at:
            sent_at = datetime.fromisoformat(state.started_at).timestamp()
        age = 0.0 if sent_at is None else clock.time() - sent_at
        for key in keys:
            expected = Expected(
                started.get(key, ()),
                max_executions=most,
                query=self._status_query(state),
                awaited=state.wait,
                seen=seen or not reported.isdisjoint(started.get(key, ())),
                sent_at=clock.monotonic() - age,
            )
            self._poller.expect(key, expected)

    def results(self, state: NexthinkExecution, runs: Sequence[Run[Detail]]) -> NexthinkExecution:
        """Add what is known of each execution; the worst of all determines the status."""
        known = {str(execution.execution_id): execution for execution in state.executions or ()}
        known |= {str(execution.execution_id): execution for run in runs for execution in run.detail.reported}
        requests = [NexthinkRequest(id=run.id, execution_ids=_execution_ids(run.detail)) for run in runs]
        execution_ids = [execution_id for request in requests for execution_id in request.execution_ids or ()]
        executions = [known.get(name) or NexthinkTargetExecution(execution_id=name) for name in execution_ids]
        if executions and all(run.phase.ended for run in runs):
            message = polling.failure_message(executions)
            status_message = None if message is None else redact(message)
            state = dataclasses.replace(state, status=polling.worst_status(executions), status_message=status_message)
        return dataclasses.replace(
            state,
            request_ids=[run.id for run in runs],
            execution_ids=execution_ids,
            requests=requests,
            executions=executions,
            summary=summarize(executions),
            outputs={str(row.execution_id): row.outcome_details for row in executions if row.outcome_details},
        )

    def adopt(self, identifier: str, run: Run[Detail]) -> NexthinkExecution:
        """Name the workflow; Nexthink does not say what it ran on."""
        return NexthinkExecution(workflow=identifier.rpartition("/")[0])

    def _status_query(self, config: NexthinkExecution) -> str | None:
        return config.status_query or self._nexthink.settings.status_query


async def _execute(nexthink: Nexthink, request: Request) -> object:
    client, workflows = nexthink.client, api.workflows
    if request.api_version == "v1":
        return await workflows.execute_ea.asyncio(client=client, body=body_v1(request), source=SOURCE)
    return await workflows.execute_ea_with_external_ids.asyncio(client=client, body=body_v2(request), source=SOURCE)


def body_v1(request: Request) -> models.ExecutionRequest:
    """Return the body of a call of version 1; both lists of targets are sent, as the published API requires."""
    return models.ExecutionRequest(
        workflow_id=request.workflow,
        devices=[str(device.collector_uid) for device in request.devices],
        users=[str(user.sid) for user in request.users],
        params=models.ExecutionRequestParams.from_dict(request.params),
    )


def body_v2(request: Request) -> models.ExternalIdsExecutionRequest:
    """Return the body of a call of version 2; both lists of targets are sent, as the published API requires."""
    return models.ExternalIdsExecutionRequest(
        workflow_id=request.workflow,
        devices=[
            models.DeviceData(name=_sent(device.name), uid=_sent(device.uid), collector_uid=_sent(device.collector_uid))
            for device in request.devices
        ],
        users=[
            models.UserData(uid=_sent(user.uid), upn=_sent(user.upn), sid=_sent(user.sid)) for user in request.users
        ],
        params=models.ExternalIdsExecutionRequestParams.from_dict(request.params),
    )


def _sent(identifier: str | None) -> str | nexthink_client.types.Unset:
    return nexthink_client.types.UNSET if identifier is None else identifier


def summarize(executions: Sequence[NexthinkTargetExecution]) -> NexthinkSummary:
    """Count executions by status; an unknown status counts as in progress."""
    counts = Counter((execution.status or "").lower() for execution in executions)
    return NexthinkSummary(
        total=len(executions),
        succeeded=counts["success"],
        failed=counts["failure"],
        cancelled=counts["cancelled"],
        expired=counts["expired"],
        in_progress=len(executions) - sum(counts[status] for status in polling.PHASES),
    )


def _execution_ids(detail: Detail) -> list[str]:
    return list(dict.fromkeys([*detail.execution_ids, *(str(row.execution_id) for row in detail.reported)]))


def _missing_status_query() -> Diagnostic:
    return error(
        "Waiting for a Nexthink execution needs a status query",
        f"Nexthink reports the status of executions through NQL only. {polling.HOW_TO_SAVE}",
        ("status_query",),
    )


TYPE: Final = ExecutionType(
    name="nexthink_execution",
    title="Nexthink execution",
    system="nexthink",
    model=NexthinkExecution,
    description="Runs a Nexthink workflow on devices and users, once, and waits until all its executions have ended.",
    phase=polling.phase,
    keys=lambda state: state.request_ids or (),
    import_form="<workflow>/<request id>, such as #repair/b5972cf3-eef2-425c-8bdd-81e9eb1d8dbf",
    import_key=lambda identifier: identifier.rpartition("/")[2] if all(identifier.rpartition("/")) else None,
    workflow=lambda state: state.workflow,
    validate=validate,
    launcher=NexthinkLauncher,
)
