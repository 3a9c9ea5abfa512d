"""`workflow_nexthink_execution`: starts a Nexthink workflow on devices and users with `POST …/workflows/execute`.

One request takes 10 000 devices and 10 000 users at most, so more targets become several requests, each sent once.
Nexthink has no call that reports an execution: its state comes from a saved NQL query, which answers about a thousand
rows and is exported to a file for more. Destroying the resource
forgets the executions; they cannot be cancelled.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from provider_py.execution.errors import SystemFault
from provider_py.execution.launcher import Started
from provider_py.execution.poller import PollSource
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Run
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
from provider_py.systems.nexthink.reports import (
    SAVE_QUERY,
    Detail,
    Expected,
    NexthinkRequest,
    NexthinkSummary,
    NexthinkTargetExecution,
    complaint,
    phase,
    summary,
    worst,
)
from provider_py.systems.nexthink.settings import SYSTEM, saved_query
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.targets import (
    Device,
    Request,
    User,
    check_targets,
    count,
    distinct,
    repeated,
    split,
)

if TYPE_CHECKING:  # imported on first use
    from provider_py.systems.nexthink.looks import Looks


@model
class NexthinkExecution(Execution):
    """A run of a Nexthink workflow on devices and users."""

    workflow: Annotated[
        str,
        required("NQL id of the workflow, such as `#service_restart_and_repair`.", replace=True, checks=(not_empty,)),
    ]
    devices: Annotated[
        list[Device] | None,
        optional("Devices to run on. One that is named twice in the same way is sent once.", replace=True),
    ] = None
    users: Annotated[
        list[User] | None,
        optional("Users to run for. One that is named twice in the same way is sent once.", replace=True),
    ] = None
    params: Annotated[dict[str, str] | None, optional("Values of the workflow's parameters.", replace=True)] = None
    api_version: Annotated[
        str,
        optional(
            "Version of the execute call: `v2` takes names as well as ids, `v1` Collector UUIDs and SIDs only.",
            checks=(one_of("v1", "v2"),),
        ),
    ] = "v2"
    status_query: Annotated[
        str | None,
        optional(
            "Id of the saved NQL query that reports the executions of a request, in place of the provider's.",
            checks=(saved_query,),
        ),
    ] = None
    request_ids: Annotated[
        list[str] | None, computed("Ids of the requests; more than one if there are over 10 000 targets.")
    ] = None
    execution_ids: Annotated[list[str] | None, computed("Ids of the executions, one for each target.")] = None
    requests: Annotated[
        list[NexthinkRequest] | None, computed("The requests, each with the ids of its executions.")
    ] = None
    executions: Annotated[list[NexthinkTargetExecution] | None, computed("The executions as last reported.")] = None
    summary: Annotated[NexthinkSummary | None, computed("How many executions stand how.")] = None
    outputs: Annotated[
        dict[str, str] | None, computed("Outcome details by execution id, where the workflow gives any.")
    ] = None


def validate(config: Decoded[NexthinkExecution]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    given = config.model
    if given is None:
        return
    if not given.devices and not given.users and not config.unknown & {"devices", "users"}:
        yield error(
            "The workflow has no targets",
            "Give at least one device in `devices` or one user in `users`.",
            ("devices",),
        )
    devices = None if "devices" in config.unknown else given.devices  # parts that are not known yet look like None
    users = None if "users" in config.unknown else given.users
    yield from check_targets(devices, users, given.api_version)
    yield from repeated(devices, users, given.api_version)
    if given.on_destroy == "cancel":
        yield error(
            "Nexthink executions cannot be cancelled",
            'Nexthink has no call for it. Remove on_destroy = "cancel"; destroying the resource forgets the run.',
            ("on_destroy",),
        )


class NexthinkLauncher:
    """Starts executions and reads their state; what needs the generated client is imported on first use."""

    system = SYSTEM

    def __init__(self, nexthink: Nexthink) -> None:
        """Work on a connection."""
        self._nexthink = nexthink
        self._expected: dict[str, Expected] = {}
        self.source: PollSource[str, Run[Detail]] = PollSource(self._look, 10)

    async def prepare(self, config: NexthinkExecution, unknown: frozenset[str]) -> Sequence[Request]:
        """Check the workflow against the targets and parameters, and that the run's end can be seen."""
        from provider_py.systems.nexthink import calls
        from provider_py.systems.nexthink.preflight import check

        findings: list[Diagnostic] = []
        query = self._query(config)
        if config.wait and not unknown & {"wait", "status_query"}:
            if query is None:
                findings.append(without_query())
            else:
                await calls.check_query(self._nexthink, query)
        workflow = await calls.workflow(self._nexthink, config.workflow)
        findings.extend(check(workflow, config, unknown))
        if findings:
            raise DiagnosticError(*findings)
        if unknown & {"devices", "users", "params", "api_version"}:
            return ()
        version = config.api_version
        devices, users = distinct(config.devices or (), version), distinct(config.users or (), version)
        return split(config.workflow, version, devices, users, config.params or {}, query)

    async def start(self, part: Request, token: str) -> Started[Detail]:
        """Send one execute request, once."""
        from provider_py.systems.nexthink import calls

        return Started(await calls.execute(self._nexthink, part))

    def key(self, part: Request, run: Run[Detail]) -> str:
        """A request's id is enough to find its executions; remember which there are to be."""
        now = self._nexthink.runtime.clock.time()
        self._expected[run.id] = Expected(run.detail.execution_ids, query=part.status_query, since=now)
        return run.id

    def remember(self, state: NexthinkExecution, keys: Sequence[str]) -> None:
        """Learn the status query, and the executions that it has to report before a request can count as ended."""
        given = {each.id: each.execution_ids or () for each in state.requests or ()}
        seen = {each.execution_id for each in state.executions or () if each.status is not None}
        query = self._query(state)
        for key in keys:
            known = self._expected.get(key)
            if known is not None:
                self._expected[key] = dataclasses.replace(known, query=query, waited=state.wait)
                continue
            self._expected[key] = Expected(
                given.get(key, ()),
                targets=count(state.devices or (), state.users or (), state.api_version),
                query=query,
                waited=state.wait,
                seen=not seen.isdisjoint(given.get(key, ())),
                since=self._since(state),
            )

    def results(self, state: NexthinkExecution, runs: Sequence[Run[Detail]]) -> NexthinkExecution:
        """Add what is known of each execution; how all of them end is told by the worst."""
        reported = {str(each.execution_id): each for each in state.executions or ()}
        reported |= {str(each.execution_id): each for run in runs for each in run.detail.reported}
        requests = [NexthinkRequest(id=run.id, execution_ids=_identifiers(run.detail)) for run in runs]
        identifiers = [each for request in requests for each in request.execution_ids or ()]
        executions = [reported.get(each) or NexthinkTargetExecution(execution_id=each) for each in identifiers]
        if executions and all(run.phase.ended for run in runs):
            told = complaint(executions)
            state = dataclasses.replace(
                state, status=worst(executions), status_message=redact(told) if told is not None else None
            )
        return dataclasses.replace(
            state,
            request_ids=[run.id for run in runs],
            execution_ids=identifiers,
            requests=requests,
            executions=executions,
            summary=summary(executions),
            outputs={str(each.execution_id): each.outcome_details for each in executions if each.outcome_details},
        )

    def adopt(self, identifier: str, run: Run[Detail]) -> NexthinkExecution:
        """Name the workflow; what it ran on is for the configuration to say."""
        return NexthinkExecution(workflow=identifier.rpartition("/")[0])

    @functools.cached_property
    def _looks(self) -> Looks:
        from provider_py.systems.nexthink.looks import Looks

        return Looks(self._nexthink)

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        imported = Expected(query=self._nexthink.settings.status_query, waited=True)
        asked = {key: self._expected.get(key, imported) for key in keys}
        return await self._looks.look(asked)

    def _query(self, config: NexthinkExecution) -> str | None:
        return config.status_query or self._nexthink.settings.status_query

    def _since(self, state: NexthinkExecution) -> float:
        if state.started_at is None:
            return self._nexthink.runtime.clock.time()
        return datetime.fromisoformat(state.started_at).timestamp()


def _identifiers(detail: Detail) -> list[str]:
    return list(dict.fromkeys([*detail.execution_ids, *(str(each.execution_id) for each in detail.reported)]))


def without_query() -> Diagnostic:
    """Tell that the state of executions cannot be asked for."""
    return error(
        "Waiting for a Nexthink execution needs a status query",
        f"Nexthink reports the state of executions through NQL only. {SAVE_QUERY}",
        ("status_query",),
    )


KIND: Final = ExecutionType(
    name="nexthink_execution",
    title="Nexthink execution",
    system="nexthink",
    model=NexthinkExecution,
    description="Runs a Nexthink workflow on devices and users, once, and waits for the end of every execution.",
    phase=phase,
    keys=lambda state: state.request_ids or (),
    import_form="<workflow>/<request id>, such as #repair/b5972cf3-eef2-425c-8bdd-81e9eb1d8dbf",
    import_key=lambda identifier: identifier.rpartition("/")[2] if all(identifier.rpartition("/")) else None,
    validate=validate,
    launcher=NexthinkLauncher,
)
