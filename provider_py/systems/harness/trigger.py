"""`workflow_harness_trigger`: has Harness start a workflow or pipeline by itself, by the mutations on triggers.

Destroying it deletes the trigger; executions that it started go on. An update sends the trigger whole, as Harness wants
it. What Harness answers to a write is kept beside the state: it shows some values in its own form, such as ids for
names, and only what differs from that answer later was changed by somebody else.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

from provider_py.execution import messages
from provider_py.execution.connection import Connector
from provider_py.execution.errors import Missing, SystemFault
from provider_py.execution.preflight import preflight
from provider_py.execution.registry_types import ResourceType
from provider_py.plugin import (
    ApplyResult,
    Change,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Plan,
    ReadResult,
    computed,
    error,
    model,
    not_empty,
    one_of,
    optional,
    required,
)
from provider_py.systems.harness.system import Harness
from provider_py.systems.harness.trigger_rules import SELECTIONS, SOURCES, judge_action, judge_condition

TITLE: Final = "Harness trigger"


@model
class HarnessSchedule:
    """A schedule."""

    cron: Annotated[str, required("Quartz cron expression, such as `0 2 * * ?`.", checks=(not_empty,))]
    on_new_artifact_only: Annotated[
        bool | None, optional("Start only if there is a new artifact since the last time.")
    ] = None


@model
class HarnessPipelineCompletion:
    """The end of a pipeline."""

    pipeline_id: Annotated[str, required("Id of the pipeline.", checks=(not_empty,))]


@model
class HarnessNewArtifact:
    """A new artifact."""

    artifact_source_id: Annotated[str, required("Id of the artifact source.", checks=(not_empty,))]
    artifact_filter: Annotated[str | None, optional("Build number or tag to start on; all without it.")] = None
    regex: Annotated[bool | None, optional("Whether the filter is a regular expression.")] = None


@model
class HarnessWebhook:
    """A call of the trigger's webhook."""

    source: Annotated[
        str, required("Who calls: `GITHUB`, `GITLAB`, `BITBUCKET` or `CUSTOM`.", checks=(one_of(*SOURCES),))
    ]
    event: Annotated[
        str | None, optional("The source's event, such as `PUSH` or `PULL_REQUEST`; not for `CUSTOM`.")
    ] = None
    action: Annotated[str | None, optional("What happened in the event, such as `OPENED`; for `GITHUB` only.")] = None
    branch_name: Annotated[str | None, optional("Branch whose pushes count.")] = None
    branch_regex: Annotated[str | None, optional("Regular expression of branches whose pushes count.")] = None
    repo_name: Annotated[str | None, optional("Repository, where the Git connector is of an account.")] = None
    file_paths: Annotated[list[str] | None, optional("Files whose changes count.")] = None
    deploy_only_if_files_changed: Annotated[bool | None, optional("Start only if one of the files changed.")] = None
    git_connector_id: Annotated[str | None, optional("Id of the Git connector of those files.")] = None
    secret: Annotated[
        str | None, optional("The webhook's secret. Harness never shows it, so drift goes unseen.", sensitive=True)
    ] = None


@model
class HarnessTriggerCondition:
    """What sets the trigger off: exactly one of these."""

    schedule: Annotated[HarnessSchedule | None, optional("Start on a schedule.")] = None
    pipeline_completion: Annotated[
        HarnessPipelineCompletion | None, optional("Start when a pipeline has succeeded.")
    ] = None
    new_artifact: Annotated[HarnessNewArtifact | None, optional("Start when an artifact is collected.")] = None
    webhook: Annotated[HarnessWebhook | None, optional("Start when the webhook is called.")] = None


@model
class HarnessArtifactSelection:
    """The artifact to deploy for one service."""

    service_id: Annotated[str, required("Id of the service.", checks=(not_empty,))]
    type: Annotated[
        str,
        required(f"How it is chosen: {', '.join(f'`{name}`' for name in SELECTIONS)}.", checks=(one_of(*SELECTIONS),)),
    ]
    artifact_source_id: Annotated[
        str | None, optional("Id of the artifact source, for `LAST_COLLECTED` and `FROM_PAYLOAD_SOURCE`.")
    ] = None
    regex: Annotated[bool | None, optional("Whether the filter is a regular expression.")] = None
    artifact_filter: Annotated[str | None, optional("Build numbers or tags to choose from, for `LAST_COLLECTED`.")] = (
        None
    )
    workflow_id: Annotated[str | None, optional("Id of the workflow, for `LAST_DEPLOYED_WORKFLOW`.")] = None
    pipeline_id: Annotated[str | None, optional("Id of the pipeline, for `LAST_DEPLOYED_PIPELINE`.")] = None


@model
class HarnessTriggerAction:
    """What the trigger starts: a workflow or a pipeline."""

    workflow_id: Annotated[str | None, optional("Id of the workflow to start.", checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("Id of the pipeline to start.", checks=(not_empty,))] = None
    variables: Annotated[
        dict[str, str] | None,
        optional(
            "Values of its variables, by name. One with an expression, such as `$${webhook.body.x}`, is evaluated "
            "later.",
        ),
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None, optional("Values that name an environment, service or so on, by id.")
    ] = None
    artifact_selections: Annotated[
        list[HarnessArtifactSelection] | None, optional("The artifacts to deploy, one per service.")
    ] = None
    exclude_hosts_with_same_artifact: Annotated[bool | None, optional("Skip hosts that have the artifact already.")] = (
        None
    )
    continue_with_default_values: Annotated[
        bool | None,
        optional("Use default values where a pipeline's stage would pause for runtime inputs; pipelines only."),
    ] = None


@model
class HarnessWebhookDetails:
    """How to call the trigger's webhook."""

    url: Annotated[str | None, computed("Its address. Whoever knows it can set the trigger off.")] = None
    method: Annotated[str | None, computed("The HTTP method.")] = None
    header: Annotated[str | None, computed("The header to send.")] = None
    payload: Annotated[str | None, computed("An example of a body.")] = None


@model
class HarnessTrigger:
    """A trigger of a Harness FirstGen application."""

    application_id: Annotated[str, required("Id of the application.", replace=True, checks=(not_empty,))]
    name: Annotated[str, required("Name of the trigger, unique in the application.", checks=(not_empty,))]
    description: Annotated[str | None, optional("What it is for.")] = None
    condition: Annotated[HarnessTriggerCondition, required("What sets it off: exactly one condition.")]
    action: Annotated[
        HarnessTriggerAction,
        required("What it starts. A change from a workflow to a pipeline, or back, replaces the trigger."),
    ]
    id: Annotated[str | None, computed("The trigger's id.")] = None
    webhook_details: Annotated[
        HarnessWebhookDetails | None, computed("How to call the webhook, if that is the condition.", sensitive=True)
    ] = None


def validate(config: Decoded[HarnessTrigger]) -> Iterable[Diagnostic]:
    """Validate the arguments together, by the rules that Harness applies."""
    given = config.model
    if given is not None:
        yield from judge_condition(given.condition, complete="condition" not in config.unknown)
        yield from judge_action(given.action, given.condition, config.unknown)


class HarnessTriggerResource:
    """A trigger; the module that needs the generated client is imported on first use."""

    name = "harness_trigger"
    model = HarnessTrigger
    description = (
        "Has Harness FirstGen start a workflow or pipeline on a schedule, an artifact, a pipeline or a webhook."
    )
    version = 0

    def __init__(self, connector: Connector[Harness]) -> None:
        self._connector = connector

    def validate(self, config: Decoded[HarnessTrigger]) -> Iterable[Diagnostic]:
        """Validate the arguments together."""
        return validate(config)

    async def plan(self, change: Change[HarnessTrigger]) -> Plan:
        """Replace where the kind of what is started changes, which Harness refuses to update; look for that thing."""
        planned, prior = change.planned.model, change.prior
        if planned is None or not change.changed:
            return Plan()
        kinds = {_kind(each.action) for each in (prior, planned) if each is not None} - {None}
        return Plan(
            unknown=frozenset({"webhook_details"} if prior is not None and "condition" in change.changed else ()),
            replace=[("action",)] if len(kinds) > 1 else (),
            diagnostics=await self._preflight(planned, change.planned.unknown),
        )

    async def create(self, planned: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Create the trigger, once."""
        from provider_py.systems.harness import trigger_calls

        with _told(f"The {TITLE} {planned.name!r} was not created"):
            made = await trigger_calls.create(self._connected(), planned)
        return _written(planned, made)

    async def read(self, state: HarnessTrigger, private: bytes) -> ReadResult[HarnessTrigger]:
        """Show what was changed elsewhere; a trigger that is gone leaves the state."""
        from provider_py.systems.harness import trigger_calls

        with _told(f"The {TITLE} {state.name!r} could not be read"):
            try:
                remote = await trigger_calls.read(self._connected(), state.application_id, state.id or "")
            except Missing:
                return ReadResult(None)
        seen: HarnessTrigger = _merged(state, _known(private), remote)
        return ReadResult(dataclasses.replace(seen, webhook_details=remote.webhook_details), private=_private(remote))

    async def update(
        self, prior: HarnessTrigger, planned: HarnessTrigger, private: bytes
    ) -> ApplyResult[HarnessTrigger]:
        """Send the trigger whole."""
        from provider_py.systems.harness import trigger_calls

        with _told(f"The {TITLE} {planned.name!r} was not changed"):
            changed = await trigger_calls.update(self._connected(), dataclasses.replace(planned, id=prior.id))
        return _written(planned, changed)

    async def delete(self, state: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Delete the trigger; one that is gone already is fine."""
        from provider_py.systems.harness import trigger_calls

        with _told(f"The {TITLE} {state.name!r} was not deleted"):
            await trigger_calls.delete(self._connected(), state.application_id, state.id or "")
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[HarnessTrigger]:
        """Adopt a trigger by the ids of its application and its own."""
        from provider_py.systems.harness import trigger_calls

        application, slash, trigger = identifier.partition("/")
        if not (application and slash and trigger):
            form = "Write the ids of the application and of the trigger: `<application id>/<trigger id>`."
            raise DiagnosticError(error(f"{identifier!r} is not an import id of a {TITLE}", form))
        with _told(f"The {TITLE} {identifier!r} was not imported"):
            remote = await trigger_calls.listed(self._connected(), application, trigger)
        return ReadResult(remote, private=_private(remote))

    async def _preflight(self, planned: HarnessTrigger, unknown: frozenset[str]) -> Sequence[Diagnostic]:
        harness = self._connector.open()
        kind = _kind(planned.action)
        if harness is None or kind is None or not harness.runtime.preflight or "application_id" in unknown:
            return ()
        return await preflight(_exists(harness, planned, kind), f"The {TITLE}", harness.runtime)

    def _connected(self) -> Harness:
        return self._connector.connect(TITLE)


async def _exists(harness: Harness, planned: HarnessTrigger, kind: str) -> None:
    from provider_py.systems.harness import entities

    identifier = str(getattr(planned.action, f"{kind}_id"))
    if not await entities.belongs(harness, planned.application_id, kind, identifier):
        raise DiagnosticError(entities.elsewhere(kind, identifier, ("action", f"{kind}_id")))


def _kind(action: HarnessTriggerAction) -> str | None:
    return "workflow" if action.workflow_id is not None else "pipeline" if action.pipeline_id is not None else None


@contextmanager
def _told(summary: str) -> Iterator[None]:
    try:
        yield
    except SystemFault as fault:
        raise DiagnosticError(messages.from_fault(fault, summary)) from fault


def _written(planned: HarnessTrigger, remote: HarnessTrigger) -> ApplyResult[HarnessTrigger]:
    state = dataclasses.replace(planned, id=remote.id, webhook_details=remote.webhook_details)
    return ApplyResult(state, private=_private(remote))


def _private(remote: HarnessTrigger) -> bytes:
    shown = dataclasses.asdict(dataclasses.replace(remote, webhook_details=None))
    return json.dumps(shown, ensure_ascii=False).encode()


def _known(private: bytes) -> Any:
    return json.loads(private) if private else None


def _merged(state: Any, known: Any, remote: Any) -> Any:
    """Take from `remote` what is no longer as `known`, and all else from the state."""
    plain = dataclasses.asdict(remote) if dataclasses.is_dataclass(type(remote)) else remote
    if plain == known:
        return state
    if type(state) is type(remote) and isinstance(known, dict) and isinstance(plain, dict) and plain is not remote:
        parts = {name: _merged(getattr(state, name), known.get(name), getattr(remote, name)) for name in plain}
        return type(remote)(**parts)
    return remote


KIND: Final = ResourceType(
    name=HarnessTriggerResource.name,
    system="harness",
    model=HarnessTrigger,
    description=HarnessTriggerResource.description,
    make=HarnessTriggerResource,
)
