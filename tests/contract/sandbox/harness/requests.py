"""A small GraphQL client for the simulated Harness, and requests the tests share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from provider_py.sandbox import World

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW = "bhI2FyPrTpupdzL4QEk0_A"
RUN_SECONDS = 60.0
START = """mutation($input: StartExecutionInput!) {
  startExecution(input: $input) { clientMutationId warningMessage execution { id status } }
}"""


@dataclass(frozen=True)
class Harness:
    """What the tests do with the system."""

    world: World
    http: httpx2.AsyncClient

    async def post(self, query: str, variables: dict[str, Any] | None = None, **body: Any) -> httpx2.Response:
        return await self.http.post("/api/graphql", json={"query": query, "variables": variables, **body})

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of a request that must succeed."""
        answer = (await self.post(query, variables)).json()
        assert list(answer) == ["data"], answer
        data: dict[str, Any] = answer["data"]
        return data

    async def refusal(self, query: str, variables: dict[str, Any] | None = None) -> str:
        """The server's text for a request it must refuse with HTTP 200, without the engine's prefix."""
        response = await self.post(query, variables)
        answer = response.json()
        assert response.status_code == 200
        assert list(answer) == ["errors", "data"], answer
        message: str = answer["errors"][0]["message"]
        assert set(answer["errors"][0]) == {"message", "locations", "path"}
        return re.sub(r"^Exception while fetching data \(\S+\) : ", "", message)

    async def workflow_id(self, name: str) -> str:
        query = "query($n: String!, $a: String!) { workflowByName(workflowName: $n, applicationId: $a) { id } }"
        return str((await self.data(query, {"n": name, "a": APPLICATION}))["workflowByName"]["id"])

    async def pipeline_id(self, name: str) -> str:
        query = "query($n: String!, $a: String!) { pipelineByName(pipelineName: $n, applicationId: $a) { id } }"
        return str((await self.data(query, {"n": name, "a": APPLICATION}))["pipelineByName"]["id"])

    async def start(self, entity_id: str, execution_type: str = "WORKFLOW", **more: Any) -> dict[str, Any]:
        """The payload of a start that must succeed."""
        payload: dict[str, Any] = (await self.data(START, start_input(entity_id, execution_type, **more)))[
            "startExecution"
        ]
        return payload

    async def start_simple(self, **more: Any) -> str:
        """The id of an execution of a workflow that needs nothing."""
        return str((await self.start(await self.workflow_id("restart"), **more))["execution"]["id"])

    async def state(self, execution_id: str, selection: str = "status") -> Any:
        query = f"query($id: String!) {{ execution(executionId: $id) {{ {selection} }} }}"
        execution = (await self.data(query, {"id": execution_id}))["execution"]
        return execution[selection] if selection.isidentifier() else execution


def start_input(entity_id: str, execution_type: str = "WORKFLOW", **more: Any) -> dict[str, Any]:
    return {"input": {"applicationId": APPLICATION, "entityId": entity_id, "executionType": execution_type, **more}}


def variables(value_type: str = "NAME", /, **values: str) -> list[dict[str, Any]]:
    return [{"name": name, "variableValue": {"type": value_type, "value": value}} for name, value in values.items()]


def build(service: str, source: str, number: str) -> dict[str, Any]:
    chosen = {"artifactSourceName": source, "buildNumber": number}
    return {"name": service, "artifactValueInput": {"valueType": "BUILD_NUMBER", "buildNumber": chosen}}


SEED_VARIABLES = variables(Environment="Prod", InfraDefinition_Kubernetes="k8s", InfraDefinition_Kubernetes2="k8s")
SEED_SERVICES = [build("test", "library_nginx", "stable-perl"), build("k8s", "docker_hello-world", "latest")]
