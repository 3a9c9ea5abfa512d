"""Starts a Harness workflow with the typed client and follows it: `python main.py`.

The steps are those of the vendor's page on triggering a workflow: find the application, find the workflow, ask what it
needs, start it. A fifth one waits for the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any, Final

import httpx2
from harness_client import (
    ArtifactValueInput,
    BuildNumberInput,
    Client,
    ServiceInput,
    StartExecutionInput,
    VariableInput,
    VariableValue,
)
from harness_client.enums import ArtifactInputType, ExecutionStatus, ExecutionType, VariableValueType
from harness_client.exceptions import GraphQLClientError

APPLICATION: Final = "Test App"
WORKFLOW: Final = "multi service graphql test"
VARIABLES: Final = {
    "Environment": "Prod",
    "InfraDefinition_Kubernetes": "k8s",
    "InfraDefinition_Kubernetes2": "k8s",
}
BUILDS: Final = {"test": ("library_nginx", "stable-perl"), "k8s": ("docker_hello-world", "latest")}
"""Artifact source and build number by the service's name."""
UNFINISHED: Final = {
    None,
    ExecutionStatus.QUEUED,
    ExecutionStatus.RUNNING,
    ExecutionStatus.PAUSED,
    ExecutionStatus.WAITING,
    ExecutionStatus.RESUMED,
}


def variables() -> list[VariableInput | None]:
    """The workflow's variables; the server resolves names to ids."""
    return [
        VariableInput(name=name, variableValue=VariableValue(type=VariableValueType.NAME, value=value))
        for name, value in VARIABLES.items()
    ]


def build(service: str) -> ServiceInput:
    """The build to deploy for a service."""
    source, number = BUILDS[service]
    chosen = BuildNumberInput(artifactSourceName=source, buildNumber=number)
    artifact = ArtifactValueInput(valueType=ArtifactInputType.BUILD_NUMBER, buildNumber=chosen)
    return ServiceInput(name=service, artifactValueInput=artifact)


async def start(client: Client) -> str:
    """Take the four steps and return the execution's id."""
    application = (await client.application_by_name(APPLICATION)).application_by_name
    if application is None or application.id is None:
        raise SystemExit(f"There is no application {APPLICATION!r} that this key may see.")
    print(f"application {application.name}: {application.id}")

    workflow = (await client.workflow_by_name(WORKFLOW, application.id)).workflow_by_name
    if workflow is None or workflow.id is None:
        raise SystemExit(f"{APPLICATION!r} has no workflow {WORKFLOW!r}.")
    needed = [each.name for each in workflow.workflow_variables or [] if each and each.required]
    print(f"workflow {workflow.name}: {workflow.id}, needs {', '.join(str(name) for name in needed)}")

    inputs = await client.execution_inputs(workflow.id, application.id, ExecutionType.WORKFLOW, variables())
    services = inputs.execution_inputs.service_inputs if inputs.execution_inputs else None
    names = [str(service.name) for service in services or [] if service]
    print(f"services that need an artifact: {', '.join(names)}")

    wanted = StartExecutionInput(
        applicationId=application.id,
        entityId=workflow.id,
        executionType=ExecutionType.WORKFLOW,
        variableInputs=variables(),
        serviceInputs=[build(name) for name in names],
    )
    started = (await client.start_execution(wanted)).start_execution
    if started is None or started.execution is None or started.execution.id is None:
        raise SystemExit("Harness does not say whether it started the workflow: look into its executions first.")
    print(f"execution {started.execution.id}: {started.execution.execution_url}")
    return started.execution.id


async def follow(client: Client, execution_id: str, seconds: float) -> ExecutionStatus | None:
    """Ask for the status until it is final; each question counts for the account's requests per minute."""
    while True:
        execution = (await client.execution_state(execution_id)).execution
        status = execution.status if execution else None
        print(f"status {status.value if status else 'unknown'}")
        if status not in UNFINISHED:
            return status
        await asyncio.sleep(seconds)


async def main(poll_seconds: float) -> int:
    """Start the workflow, follow it, and return the exit code."""
    http: Any = httpx2.AsyncClient(
        params={"accountId": os.environ["HARNESS_ACCOUNT_ID"]},
        headers={"x-api-key": os.environ["HARNESS_API_KEY"]},
        timeout=60,
    )
    endpoint = os.environ.get("HARNESS_ENDPOINT", "https://app.harness.io/gateway").rstrip("/")
    async with Client(f"{endpoint}/api/graphql", http_client=http) as client:
        try:
            status = await follow(client, await start(client), poll_seconds)
        except GraphQLClientError as error:
            print(f"Harness answered: {error}", file=sys.stderr)
            return 1
    return 0 if status == ExecutionStatus.SUCCESS else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Start a Harness workflow and follow it to its end.")
    parser.add_argument("--poll-seconds", type=float, default=15.0, help="seconds between two looks (default: 15)")
    sys.exit(asyncio.run(main(parser.parse_args().poll_seconds)))
