"""What Harness demands of a trigger's condition and action, so that nothing is sent that it would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from provider_py.plugin import Diagnostic, Path, error

if TYPE_CHECKING:
    from provider_py.systems.harness.trigger import (
        HarnessArtifactSelection,
        HarnessTriggerAction,
        HarnessTriggerCondition,
        HarnessWebhook,
    )

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
        *(f"PULL_REQUEST_{what}" for what in (*_PULL_REQUESTS, *_COMMENTS)),
    ),
    "CUSTOM": (),
}
"""The events that each source can be listened to for."""
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
"""The ways of choosing an artifact, each with the attribute that it cannot do without."""
_SELECTION_NEEDS: Final = {
    "FROM_TRIGGERING_ARTIFACT": "new_artifact",
    "FROM_TRIGGERING_PIPELINE": "pipeline_completion",
    "FROM_PAYLOAD_SOURCE": "webhook",
}


def judge_condition(condition: HarnessTriggerCondition, *, complete: bool) -> Iterator[Diagnostic]:
    """Demand one condition, and of a webhook what its source has; an incomplete one may still get the rest."""
    given = [name for name in CONDITIONS if getattr(condition, name) is not None]
    listed = ", ".join(f"`{name}`" for name in CONDITIONS)
    if not given and complete:
        yield error("The trigger has no condition", f"Set exactly one of {listed}.", ("condition",))
    if len(given) > 1:
        kept = " and ".join(f"`{name}`" for name in given)
        yield error(
            "The trigger has more than one condition",
            f"{kept} exclude each other: keep one, and write another trigger for each of the rest.",
            ("condition", given[1]),
        )
    if condition.webhook is not None:
        yield from _judge_webhook(condition.webhook, ("condition", "webhook"))


def _judge_webhook(webhook: HarnessWebhook, path: Path) -> Iterator[Diagnostic]:
    events = EVENTS[webhook.source]
    if webhook.event is not None and webhook.event not in events:
        known = f"Write one of: {', '.join(events)}." if events else "Remove `event`: any call starts it."
        yield error(f"{webhook.source} has no event {webhook.event!r}", known, (*path, "event"))
    if webhook.action is None:
        return
    if webhook.source != "GITHUB" or webhook.event is None:
        detail = "Remove `action`, or set `source` to `GITHUB` and `event` to what the action belongs to."
        yield error("A webhook's action belongs to an event of GitHub", detail, (*path, "action"))
    elif webhook.action not in GITHUB_ACTIONS:
        detail = f"Write one of: {', '.join(GITHUB_ACTIONS)}."
        yield error(f"GITHUB has no action {webhook.action!r}", detail, (*path, "action"))


def judge_action(
    action: HarnessTriggerAction, condition: HarnessTriggerCondition, unknown: frozenset[str]
) -> Iterator[Diagnostic]:
    """Demand one thing to start, and artifacts that its condition can offer."""
    complete = "action" not in unknown
    if action.workflow_id is not None and action.pipeline_id is not None:
        detail = "`workflow_id` and `pipeline_id` exclude each other: keep one of them."
        yield error("The trigger would start two things", detail, ("action", "pipeline_id"))
    elif action.workflow_id is None and action.pipeline_id is None and complete:
        yield error("The trigger starts nothing", "Set `workflow_id` or `pipeline_id`.", ("action",))
    if action.workflow_id is not None and action.continue_with_default_values is not None:
        detail = "Remove it, or start a pipeline: only a pipeline's stages pause for runtime inputs."
        yield error(
            "A workflow does not continue with default values", detail, ("action", "continue_with_default_values")
        )
    for name in sorted((action.variables or {}).keys() & (action.variable_ids or {}).keys()):
        detail = "It is in `variables` and in `variable_ids`: keep one of them."
        yield error(f"Variable {name!r} is given twice", detail, ("action", "variable_ids"))
    for place, selection in enumerate(action.artifact_selections or ()):
        path: Path = ("action", "artifact_selections", place)
        yield from _judge_selection(selection, condition, path, complete=complete, settled="condition" not in unknown)


def _judge_selection(
    selection: HarnessArtifactSelection,
    condition: HarnessTriggerCondition,
    path: Path,
    *,
    complete: bool,
    settled: bool,
) -> Iterator[Diagnostic]:
    needed = SELECTIONS[selection.type]
    if needed is not None and getattr(selection, needed) is None and complete:
        yield error(f"`{needed}` is missing", f"{selection.type} cannot do without it.", path)
    origin = _SELECTION_NEEDS.get(selection.type)
    if origin is None or not settled:
        return
    webhook = condition.webhook
    if getattr(condition, origin) is None or (
        origin == "webhook" and webhook is not None and webhook.source != "CUSTOM"
    ):
        wanted = "a webhook of source CUSTOM" if origin == "webhook" else f"`{origin}`"
        detail = f"Write another type, such as LAST_COLLECTED, or make the condition {wanted}."
        yield error(f"{selection.type} can be used only with {wanted}", detail, (*path, "type"))
