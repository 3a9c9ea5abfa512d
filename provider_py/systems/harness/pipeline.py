"""`workflow_harness_pipeline`: the queries `pipelineByName` and `pipeline`, with the variables of a run."""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.plugin import model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.entity import HarnessEntity, data_source


@model
class HarnessPipeline(HarnessEntity):
    """A pipeline of a Harness FirstGen application."""

    pipeline: Annotated[
        str | None, optional("Name of the pipeline. Case-sensitive. Conflicts with `pipeline_id`.", checks=(not_empty,))
    ] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline.", checks=(not_empty,))] = None


def _ref(config: HarnessPipeline) -> lookup.EntityRef | None:
    return lookup.entity_ref(pipeline=config.pipeline, pipeline_id=config.pipeline_id)


TYPE: Final = data_source("pipeline", HarnessPipeline, _ref)
