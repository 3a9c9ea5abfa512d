"""`workflow_harness_workflow`: the queries `workflowByName` and `workflow`, with the variables of a run."""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.plugin import model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.entity import HarnessEntity, data_source


@model
class HarnessWorkflow(HarnessEntity):
    """A workflow of a Harness FirstGen application."""

    workflow: Annotated[
        str | None, optional("Name of the workflow. Case-sensitive. Conflicts with `workflow_id`.", checks=(not_empty,))
    ] = None
    workflow_id: Annotated[str | None, optional("ID of the workflow.", checks=(not_empty,))] = None


def _ref(config: HarnessWorkflow) -> lookup.EntityRef | None:
    return lookup.entity_ref(config.workflow, config.workflow_id)


TYPE: Final = data_source("workflow", HarnessWorkflow, _ref)
