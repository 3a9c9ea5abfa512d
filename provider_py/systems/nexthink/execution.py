"""`workflow_nexthink_execution`: starts a Nexthink workflow on devices and users with `POST …/workflows/execute`.

One request takes 10 000 devices and 10 000 users at most, so more targets become several requests, each sent once.
Nexthink has no call that reports an execution: its state comes from a saved NQL query. Destroying the resource
forgets the executions; they cannot be cancelled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from provider_py.execution.errors import SystemFault
from provider_py.execution.launcher import ExecutionKind, Started
from provider_py.execution.poller import Poller
from provider_py.execution.run import Execution, Phase, Run
from provider_py.plugin.checks import not_empty, one_of
from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, error
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import build, computed, model, optional, required
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.targets import Device, Request, User, check_targets, split

PHASES: Final = {
    "success": Phase.SUCCEEDED,
    "failure": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "expired": Phase.FAILED,
}
QUERY: Final = """workflow.executions during past 30d
| where request_id == $request_id
| list execution_id, request_id, status, status_details, outcome, outcome_details"""


@model
class NexthinkTargetExecution:
    """The execution on one target."""

    execution_id: str | None = computed("Id of the execution.")
    status: str | None = computed("`success`, `failure`, `in_progress`, `cancelled` or `expired`.")
    status_details: str | None = computed("What Nexthink says about the status.")
    outcome: str | None = computed("`action_taken`, `no_action_taken`, `failed` or `other`.")
    outcome_details: str | None = computed("Text of the workflow's last step.")


@model
class NexthinkExecution(Execution):
    """A run of a Nexthink workflow on devices and users."""

    workflow: str = required(
        "NQL id of the workflow, such as `#service_restart_and_repair`.", replace=True, checks=(not_empty,)
    )
    devices: list[Device] | None = optional("Devices to run on.", replace=True)
    users: list[User] | None = optional("Users to run for.", replace=True)
    params: dict[str, str] | None = optional("Values of the workflow's parameters.", replace=True)
    api_version: str = optional(
        "Version of the execute call: `v2` takes names as well as ids, `v1` Collector UUIDs and SIDs only.",
        default="v2",
        checks=(one_of("v1", "v2"),),
    )
    status_query: str | None = optional(
        "Id of the saved NQL query that reports the executions of a request, in place of the provider's."
    )
    request_ids: list[str] | None = computed("Ids of the requests; more than one if there are over 10 000 targets.")
    execution_ids: list[str] | None = computed("Ids of the executions, one for each target.")
    executions: list[NexthinkTargetExecution] | None = computed("The executions as last reported.")
    outputs: dict[str, str] | None = computed("Outcome details by execution id, where the workflow gives any.")


def validate(config: Decoded[NexthinkExecution]) -> Iterable[Diagnostic]:
    """Judge the arguments together."""
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
    if given.on_destroy == "cancel":
        yield error(
            "Nexthink executions cannot be cancelled",
            'Nexthink has no call for it. Remove on_destroy = "cancel"; destroying the resource forgets the run.',
            ("on_destroy",),
        )


def phase(status: str | None) -> Phase:
    """Return what a status means."""
    return PHASES.get((status or "").lower(), Phase.ACTIVE)


@dataclass(frozen=True, slots=True)
class Detail:
    """The executions of one request: the ids it was answered with, and what the status query reports of them."""

    execution_ids: Sequence[str]
    reported: Sequence[NexthinkTargetExecution] = ()


class NexthinkLauncher:
    """Starts executions and reads their state; what needs the generated client is imported on first use."""

    system = SYSTEM
    searchable = False

    def __init__(self, nexthink: Nexthink) -> None:
        """Work on a connection."""
        self._nexthink = nexthink
        self._expected: dict[str, Sequence[str]] = {}
        self._queries: dict[str, str] = {}
        self._reported: set[str] = set()
        self.poller: Poller[str, Run[Detail]] = Poller(self._look, nexthink.runtime, batch=10)

    async def prepare(self, config: NexthinkExecution, unknown: frozenset[str]) -> Sequence[Request]:
        """Check the workflow against the targets and parameters."""
        from provider_py.systems.nexthink import calls
        from provider_py.systems.nexthink.preflight import check

        if config.wait and "wait" not in unknown and "status_query" not in unknown:
            self._status_query(config)
        workflow = await calls.workflow(self._nexthink, config.workflow)
        findings = tuple(check(workflow, config, unknown))
        if findings:
            raise DiagnosticError(*findings)
        if unknown & {"devices", "users", "params", "api_version"}:
            return ()
        return split(
            config.workflow,
            config.api_version,
            config.devices or (),
            config.users or (),
            config.params or {},
            config.status_query,
        )

    def likeness(self, part: Request) -> None:
        """Nothing: a start that was not answered cannot be searched for at all."""

    async def start(self, part: Request, token: str) -> Started[Detail]:
        """Send one execute request, once."""
        from provider_py.systems.nexthink import calls

        return Started(await calls.execute(self._nexthink, part))

    async def search(self, part: Request, token: str, since: float, taken: frozenset[str]) -> Run[Detail] | None:
        """Nothing can be found: the saved query needs the id of the request, which only the lost answer had."""
        return None

    def key(self, part: Request, run: Run[Detail]) -> str:
        """A request's id is enough to find its executions; remember how many there are to be."""
        self._expected[run.id] = run.detail.execution_ids
        if part.status_query is not None:
            self._queries[run.id] = part.status_query
        return run.id

    def remember(self, state: NexthinkExecution, keys: Sequence[str]) -> None:
        """Learn the status query, and the executions that it has to report before a request can count as ended."""
        # The answers of several requests are not kept apart in the state, so only a single one is known in full.
        alone = len(keys) == 1
        for key in keys:
            self._expected.setdefault(key, (state.execution_ids or ()) if alone else ())
        if alone and any(each.status for each in state.executions or ()):
            self._reported.update(keys)
        if state.status_query is not None:
            self._queries.update(dict.fromkeys(keys, state.status_query))

    def results(self, state: NexthinkExecution, runs: Sequence[Run[Detail]]) -> NexthinkExecution:
        """Add what is known of each execution."""
        started = [identifier for run in runs for identifier in run.detail.execution_ids]
        reported = {str(each.execution_id): each for run in runs for each in run.detail.reported}
        identifiers = list(dict.fromkeys([*started, *(state.execution_ids or ()), *reported]))
        unseen = (build(NexthinkTargetExecution, execution_id=each) for each in identifiers)
        return dataclasses.replace(
            state,
            request_ids=[run.id for run in runs],
            execution_ids=identifiers,
            executions=[reported.get(str(each.execution_id), each) for each in unseen],
            outputs={key: each.outcome_details for key, each in reported.items() if each.outcome_details},
        )

    async def cancel(self, state: NexthinkExecution) -> None:
        """Nothing: validation refuses on_destroy = "cancel"."""

    def adopt(self, identifier: str, run: Run[Detail]) -> NexthinkExecution:
        """Name the workflow; what it ran on is for the configuration to say."""
        return build(NexthinkExecution, workflow=identifier.rpartition("/")[0])

    def _status_query(self, config: NexthinkExecution) -> str:
        query = config.status_query or self._nexthink.settings.status_query
        if query is None:
            raise DiagnosticError(
                error(
                    "Waiting for a Nexthink execution needs a status query",
                    "Nexthink reports the state of executions through NQL only. Save this query (Administration, NQL "
                    f"API queries), for example with the id #workflow_request_status:\n\n{QUERY}\n\nThen set "
                    "`status_query` here or in the provider's `nexthink` block (NEXTHINK_STATUS_QUERY), or set "
                    "wait = false.",
                    ("status_query",),
                )
            )
        return query

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        from provider_py.systems.nexthink import calls

        default = self._nexthink.settings.status_query or ""
        asked = {key: (self._queries.get(key, default), self._expected.get(key, ())) for key in keys}
        looks = await calls.look(self._nexthink, asked)
        return {key: look for key, look in looks.items() if not self._is_gone(key, look)}

    def _is_gone(self, key: str, look: Run[Detail] | SystemFault) -> bool:
        """Rows come with some delay, so their absence tells something only where there were some, or none are known."""
        if isinstance(look, SystemFault):
            return False
        if look.detail.reported:
            self._reported.add(key)
            return False
        return key in self._reported or key not in self._expected


KIND: Final = ExecutionKind(
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
