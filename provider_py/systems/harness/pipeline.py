"""`workflow_harness_pipeline`: the queries `pipelineByName` and `pipeline`, with the variables of a run."""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.plugin import model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.entity import HarnessEntity, data_source


@model
class HarnessPipeline(HarnessEntity):
    """A pipeline of a Harness FirstGen application."""

    pipeline: Annotated[str | None, optional("Name of the pipeline. Case-sensitive.", checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline, instead of its name.", checks=(not_empty,))] = None

    def ref(self) -> lookup.EntityRef | None:
        """Return what the configuration names."""
        return lookup.entity_ref(pipeline=self.pipeline, pipeline_id=self.pipeline_id)


KIND: Final = data_source("pipeline", HarnessPipeline)
