"""Whether a workflow, as Nexthink describes it, can be run the way a configuration wants."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nexthink_client.models import Workflow, WorkflowParameter, WorkflowVersion
from nexthink_client.types import Unset

from provider_py.plugin import Diagnostic, Key, error

if TYPE_CHECKING:
    from provider_py.systems.nexthink.execution import NexthinkExecution


def check(workflow: Workflow, config: NexthinkExecution, unknown: frozenset[str]) -> Iterator[Diagnostic]:
    """Validate state, trigger method, targets and parameters; what Nexthink leaves out of its answer is not judged."""
    name = repr(config.workflow)
    if workflow.status != "ACTIVE":
        yield error(
            f"Workflow {name} is not active",
            f"Its status is {workflow.status}. Activate it in Nexthink.",
            ("workflow",),
        )
    if workflow.trigger_methods.api_enabled is False:
        yield error(
            f"Workflow {name} cannot be started through the API",
            "Enable the trigger method API in the workflow's settings in Nexthink.",
            ("workflow",),
        )
    version = next((each for each in workflow.versions if each.status == "ACTIVE"), None)
    if version is None:
        return
    if version.valid is False:
        yield error(f"The active version of workflow {name} is not valid", "Correct it in Nexthink.", ("workflow",))
    yield from _targets(name, version, config, unknown)
    if "params" not in unknown and not isinstance(version.parameters, Unset):
        yield from _params(name, version.parameters, config)


def _targets(
    name: str, version: WorkflowVersion, config: NexthinkExecution, unknown: frozenset[str]
) -> Iterator[Diagnostic]:
    takes = {"devices": version.has_device, "users": version.has_user}
    other = {"devices": "users", "users": "devices"}
    for attribute, taken in takes.items():
        if taken is not False or not getattr(config, attribute):
            continue
        instead = other[attribute]
        if takes[instead] is False:
            advice = "It runs on no targets at all, so it cannot be started on any."
        elif getattr(config, instead) or instead in unknown:
            advice = f"Remove `{attribute}`."
        else:
            advice = f"It runs on {instead}: name them in `{instead}`, and remove `{attribute}`."
        yield error(f"Workflow {name} does not run on {attribute}", advice, (attribute,))


def _params(name: str, declared: list[WorkflowParameter], config: NexthinkExecution) -> Iterator[Diagnostic]:
    known = {each.id: each for each in declared}
    for param, value in (config.params or {}).items():
        path = ("params", Key(param))
        if param not in known:
            near = difflib.get_close_matches(param, known, n=1, cutoff=0.5)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            yield error(
                f"Workflow {name} has no parameter {param!r}",
                f"Its parameters are: {', '.join(known) or 'none'}.{meant}",
                path,
            )
            continue
        options = known[param].options or ()
        if known[param].allow_custom_value is False and options and value not in options:
            yield error(
                f"Parameter {param!r} does not take the value {value!r}", f"Write one of: {', '.join(options)}.", path
            )
