"""Executions that others have started: they fill the lists of an account that is not the provider's alone."""

from __future__ import annotations

from provider_py.sandbox.harness.account import Account
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.harness.catalog import Application, Entity, GraphQLObject, Workflow, new_id
from provider_py.sandbox.harness.executions import Execution, PipelineExecution, WorkflowExecution
from provider_py.sandbox.runs import RunsOfOthers


def add(account: Account, others: RunsOfOthers) -> None:
    """Add executions with the course of a run without a script; raises LookupError for an unknown target."""
    application, entity = _find(account, others.target)
    cause = GraphQLObject("ExecutedByAPIKey", api_key=account.api_key, using="GRAPHQL_API")
    for started_at in others.moments(account.now):
        identifier = new_id()
        run = account.world.runs.add(SYSTEM, entity.id, (entity.name,), identifier, started_at)
        execution: Execution
        if isinstance(entity, Workflow):
            execution = WorkflowExecution(identifier, application, run, entity, cause, entity.environment)
        else:
            execution = PipelineExecution(identifier, application, run, entity, cause)
        execution.notes = others.notes
        account.executions[identifier] = execution


def _find(account: Account, target: str) -> tuple[Application, Entity]:
    for application in account.applications:
        entities: list[Entity] = [*application.workflows, *application.pipelines]
        for entity in entities:
            if target in {entity.id, entity.name}:
                return application, entity
    raise LookupError(f"there is no workflow or pipeline {target!r}")
