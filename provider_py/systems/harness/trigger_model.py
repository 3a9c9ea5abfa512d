"""The model of `workflow_harness_trigger`, and the rules of Harness for it, checked so that nothing is sent in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

from provider_py.execution import LOOKING_SECONDS
from provider_py.plugin import Decoded, Diagnostic, Path, computed, error, model, not_empty, one_of, optional, required

CONDITIONS: Final = ("schedule", "pipeline_completion", "new_artifact", "webhook")
SOURCES: Final = ("GITHUB", "GITLAB", "BITBUCKET", "CUSTOM")
_PULL_REQUESTS: Final = ("ANY", "CREATED", "UPDATED", "APPROVED", "APPROVAL_REMOVED", "MERGED", "DECLINED")
_COMMENTS: Final = ("COMMENT_CREATED", "COMMENT_UPDATED", "COMMENT_DELETED")
EVENTS: Final = {
    "GITHUB": ("PULL_REQUEST", "PUSH", "DELETE", "ANY", "RELEASE", "PACKAGE"),
    "GITLAB": ("PULL_REQUEST", "PUSH", "ANY"),
    "BITBUCKET": (
        *("ANY", "PUSH", "FORK", "UPDATED", "REFS_CHANGED", "DIAGNOSTICS_PING", "COMMIT_COMMENT_CREATED"),
        *("BUILD_STATUS_CREATED", "BUILD_STATUS_UPDATED"),
        *("ISSUE_ANY", "ISSUE_CREATED", "ISSUE_UPDATED", "ISSUE_COMMENT_CREATED"),
        *(f"PULL_REQUEST_{event}" for event in (*_PULL_REQUESTS, *_COMMENTS)),
    ),
    "CUSTOM": (),
}
"""The events of every webhook source."""
GITHUB_ACTIONS: Final = (
    *("OPENED", "REOPENED", "CLOSED", "EDITED", "ASSIGNED", "UNASSIGNED", "LABELED", "UNLABELED", "SYNCHRONIZED"),
    *("REVIEW_REQUESTED", "REVIEW_REQUESTED_REMOVED", "PACKAGE_PUBLISHED", "CREATED", "DELETED"),
    *("PUBLISHED", "UNPUBLISHED", "RELEASED", "PRE_RELEASED"),
)
SELECTIONS: Final = {
    "FROM_TRIGGERING_ARTIFACT": None,
    "FROM_TRIGGERING_PIPELINE": None,
    "FROM_PAYLOAD_SOURCE": None,
    "LAST_COLLECTED": "artifact_source_id",
    "LAST_DEPLOYED_WORKFLOW": "workflow_id",
    "LAST_DEPLOYED_PIPELINE": "pipeline_id",
}
"""The ways to select an artifact, with the attribute that each requires."""
_SELECTION_CONDITIONS: Final = {
    "FROM_TRIGGERING_ARTIFACT": "new_artifact",
    "FROM_TRIGGERING_PIPELINE": "pipeline_completion",
    "FROM_PAYLOAD_SOURCE": "webhook",
}
"""The condition that each of these ways depends on."""


@model
class HarnessSchedule:
    """A schedule."""

    cron: Annotated[str, required("Quartz cron expression, such as `0 2 * * ?`.", checks=(not_empty,))]
    on_new_artifact_only: Annotated[bool | None, optional("Whether to skip starts without a new artifact.")] = None


@model
class HarnessPipelineCompletion:
    """The completion of a pipeline."""

    pipeline_id: Annotated[str, required("ID of the pipeline.", checks=(not_empty,))]


@model
class HarnessNewArtifact:
    """A new artifact."""

    artifact_source_id: Annotated[str, required("ID of the artifact source.", checks=(not_empty,))]
    artifact_filter: Annotated[str | None, optional("Build number or tag. Defaults to any.")] = None
    regex: Annotated[bool | None, optional("Whether `artifact_filter` is a regular expression.")] = None


@model
class HarnessWebhook:
    """A call of the trigger's webhook."""

    source: Annotated[
        str,
        required(
            "Sender of the webhook. Must be one of `GITHUB`, `GITLAB`, `BITBUCKET` or `CUSTOM`.",
            checks=(one_of(*SOURCES),),
        ),
    ]
    event: Annotated[str | None, optional("Event, such as `PUSH` or `PULL_REQUEST`. Not for `CUSTOM`.")] = None
    action: Annotated[str | None, optional("Action of the event, such as `OPENED`. `GITHUB` only.")] = None
    branch_name: Annotated[str | None, optional("Name of the branch to react to.")] = None
    branch_regex: Annotated[str | None, optional("Regular expression for the branches to react to.")] = None
    repo_name: Annotated[str | None, optional("Repository, for an account-level Git connector.")] = None
    file_paths: Annotated[list[str] | None, optional("List of files to react to.")] = None
    deploy_only_if_files_changed: Annotated[
        bool | None, optional("Whether to start only if one of `file_paths` changed.")
    ] = None
    git_connector_id: Annotated[str | None, optional("ID of the Git connector for `file_paths`.")] = None
    secret: Annotated[
        str | None,
        optional(
            "Secret of the webhook. Harness never returns it, so changes made outside of Terraform are not detected.",
            sensitive=True,
        ),
    ] = None


@model
class HarnessTriggerCondition:
    """The condition of a trigger: exactly one of these."""

    schedule: Annotated[HarnessSchedule | None, optional("Start on a schedule.")] = None
    pipeline_completion: Annotated[
        HarnessPipelineCompletion | None, optional("Start when a pipeline has succeeded.")
    ] = None
    new_artifact: Annotated[HarnessNewArtifact | None, optional("Start when Harness collects a new artifact.")] = None
    webhook: Annotated[HarnessWebhook | None, optional("Start when the webhook is called.")] = None


@model
class HarnessArtifactSelection:
    """The artifact to deploy for a service."""

    service_id: Annotated[str, required("ID of the service.", checks=(not_empty,))]
    type: Annotated[
        str,
        required(
            f"How the artifact is selected. Must be one of {', '.join(f'`{name}`' for name in SELECTIONS)}.",
            checks=(one_of(*SELECTIONS),),
        ),
    ]
    artifact_source_id: Annotated[
        str | None, optional("Artifact source ID, for `LAST_COLLECTED` and `FROM_PAYLOAD_SOURCE`.")
    ] = None
    regex: Annotated[bool | None, optional("Whether `artifact_filter` is a regular expression.")] = None
    artifact_filter: Annotated[str | None, optional("Build numbers or tags to select from, for `LAST_COLLECTED`.")] = (
        None
    )
    workflow_id: Annotated[str | None, optional("ID of the workflow, for `LAST_DEPLOYED_WORKFLOW`.")] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline, for `LAST_DEPLOYED_PIPELINE`.")] = None


@model
class HarnessTriggerAction:
    """What a trigger starts: a workflow or a pipeline."""

    workflow_id: Annotated[str | None, optional("ID of the workflow to start.", checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline to start.", checks=(not_empty,))] = None
    variables: Annotated[
        dict[str, str] | None,
        optional("Map of variable values. Expressions, such as `$${webhook.body.x}`, are evaluated at each start."),
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None, optional("Map of IDs for environment, service and infrastructure definition variables.")
    ] = None
    artifact_selections: Annotated[
        list[HarnessArtifactSelection] | None, optional("List of artifacts to deploy, one for each service.")
    ] = None
    exclude_hosts_with_same_artifact: Annotated[
        bool | None, optional("Whether to skip hosts that already have the artifact.")
    ] = None
    continue_with_default_values: Annotated[
        bool | None, optional("Whether pipeline stages use default values instead of waiting for runtime inputs.")
    ] = None


@model
class HarnessWebhookDetails:
    """How to call a trigger's webhook."""

    url: Annotated[str | None, computed("URL of the webhook. Whoever knows it can activate the trigger.")] = None
    method: Annotated[str | None, computed("HTTP method.")] = None
    header: Annotated[str | None, computed("HTTP header to send.")] = None
    payload: Annotated[str | None, computed("Example of a request body.")] = None


@model
class HarnessTrigger:
    """A trigger of a Harness FirstGen application."""

    application_id: Annotated[str, required("ID of the application.", replace=True, checks=(not_empty,))]
    name: Annotated[str, required("Name of the trigger. Must be unique in the application.", checks=(not_empty,))]
    description: Annotated[str | None, optional("Description of the trigger.")] = None
    condition: Annotated[HarnessTriggerCondition, required("Trigger condition. Specify exactly one.")]
    action: Annotated[
        HarnessTriggerAction,
        required(
            "Workflow or pipeline to start. Changing from a workflow to a pipeline, or back, replaces the trigger."
        ),
    ]
    id: Annotated[str | None, computed("ID of the trigger.")] = None
    webhook_details: Annotated[
        HarnessWebhookDetails | None, computed("How to call the webhook. Null for other conditions.", sensitive=True)
    ] = None

    @property
    def idempotency_key(self) -> None:
        """A trigger has a name, which is unique in its application."""

    @property
    def wait(self) -> bool:
        """A trigger has no end but that it was created."""
        return True

    @property
    def judges_failure(self) -> bool:
        """A trigger that was deleted meanwhile does not count as created."""
        return True

    def seconds(self, operation: str) -> float:
        """Return the time limit of creating the trigger."""
        return LOOKING_SECONDS


def validate(config: Decoded[HarnessTrigger]) -> Iterable[Diagnostic]:
    """Validate arguments against each other, by the rules of Harness."""
    trigger = config.model
    if trigger is not None:
        yield from _validate_condition(trigger.condition, complete="condition" not in config.unknown)
        yield from _validate_action(trigger.action, trigger.condition, config.unknown)


def _validate_condition(condition: HarnessTriggerCondition, *, complete: bool) -> Iterator[Diagnostic]:
    """Require one condition, and a webhook that its source supports; parts that are not known yet may follow."""
    configured = [name for name in CONDITIONS if getattr(condition, name) is not None]
    listed = ", ".join(f"`{name}`" for name in CONDITIONS)
    if not configured and complete:
        yield error("Missing trigger condition", f"Specify exactly one of {listed}.", ("condition",))
    if len(configured) > 1:
        names = " and ".join(f"`{name}`" for name in configured)
        yield error(
            "Conflicting trigger conditions",
            f"Specify only one of {names}, and create another trigger for each of the others.",
            ("condition", configured[1]),
        )
    if condition.webhook is not None:
        yield from _validate_webhook(condition.webhook, ("condition", "webhook"))


def _validate_webhook(webhook: HarnessWebhook, path: Path) -> Iterator[Diagnostic]:
    events = EVENTS[webhook.source]
    if webhook.event is not None and webhook.event not in events:
        detail = f"Must be one of: {', '.join(events)}." if events else "Remove `event`: every call triggers a start."
        yield error(f"Unknown {webhook.source} event {webhook.event!r}", detail, (*path, "event"))
    if webhook.action is None:
        return
    if webhook.source != "GITHUB" or webhook.event is None:
        detail = "Only GitHub events have actions. Remove `action`, or set `source` to `GITHUB` and specify `event`."
        yield error("Webhook action without a GitHub event", detail, (*path, "action"))
    elif webhook.action not in GITHUB_ACTIONS:
        detail = f"Must be one of: {', '.join(GITHUB_ACTIONS)}."
        yield error(f"Unknown GITHUB action {webhook.action!r}", detail, (*path, "action"))


def _validate_action(
    action: HarnessTriggerAction, condition: HarnessTriggerCondition, unknown: frozenset[str]
) -> Iterator[Diagnostic]:
    """Require one thing to start, and artifacts that the condition can provide."""
    complete = "action" not in unknown
    if action.workflow_id is not None and action.pipeline_id is not None:
        detail = "Specify either a workflow or a pipeline: keep `workflow_id` or `pipeline_id`."
        yield error("Conflicting trigger actions", detail, ("action", "pipeline_id"))
    elif action.workflow_id is None and action.pipeline_id is None and complete:
        yield error("Missing trigger action", "Specify `workflow_id` or `pipeline_id`.", ("action",))
    if action.workflow_id is not None and action.continue_with_default_values is not None:
        detail = (
            "Only pipeline stages wait for runtime inputs. Remove `continue_with_default_values`, or start a pipeline."
        )
        yield error("Default values specified for a workflow", detail, ("action", "continue_with_default_values"))
    for name in sorted((action.variables or {}).keys() & (action.variable_ids or {}).keys()):
        detail = "It is set in both `variables` and `variable_ids`. Remove one of the two."
        yield error(f"Duplicate variable {name!r}", detail, ("action", "variable_ids"))
    for index, selection in enumerate(action.artifact_selections or ()):
        path: Path = ("action", "artifact_selections", index)
        required_attribute = SELECTIONS[selection.type]
        if required_attribute is not None and getattr(selection, required_attribute) is None and complete:
            detail = f"A selection of type {selection.type} requires `{required_attribute}`."
            yield error(f"Missing `{required_attribute}`", detail, path)
        if "condition" not in unknown:
            yield from _validate_selection(selection, condition, path)


def _validate_selection(
    selection: HarnessArtifactSelection, condition: HarnessTriggerCondition, path: Path
) -> Iterator[Diagnostic]:
    origin = _SELECTION_CONDITIONS.get(selection.type)
    if origin is None:
        return
    webhook = condition.webhook
    is_other_webhook = origin == "webhook" and webhook is not None and webhook.source != "CUSTOM"
    if getattr(condition, origin) is None or is_other_webhook:
        wanted = "a webhook of source CUSTOM" if origin == "webhook" else f"`{origin}`"
        detail = f"Change the type, for example to LAST_COLLECTED, or change the condition to {wanted}."
        yield error(f"{selection.type} requires {wanted} as the condition", detail, (*path, "type"))
