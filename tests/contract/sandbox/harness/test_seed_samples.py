"""The queries and mutations that the vendor's documentation prints get an answer without errors.

The four steps of the page about starting a workflow, with their printed answers, are in test_published_example.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.contract.sandbox.harness import test_published_example as started
from tests.contract.sandbox.harness.requests import APPLICATION, WORKFLOW, Harness

CREATE_APPLICATION = """mutation createapp($app: CreateApplicationInput!) {
  createApplication(input: $app) {
    clientMutationId
    application {
      name
      id
    }
  }
}"""
APPLICATION_BY_NAME = """query {
  applicationByName(name: "Harness GraphQL"){
    id
    name
  }
}"""
PIPELINE_BY_VARIABLE = """query($thisPipeline: String!) {
  pipeline(pipelineId: $thisPipeline) {
    id
    name
    description
  }
}"""
ARTIFACT_SOURCES = """query{
  service(serviceId: "ABEvYYxdRSegoaSFxIx2xX"){
    artifactSources{
      id
      name
      artifacts(limit:10, offset:0){
        nodes {
          id
          buildNo
        }
      }
    }
  }
}"""
ARTIFACTS = """{
  artifacts(filters:[
    {
      artifact: {
        operator: EQUALS,
        values: ["a9xxxABCDwCNxnk90as1fA"]
      }
    }
  ], limit:10, offset:0){
    nodes {
      id
      artifactSource {
        id
      }
      buildNo
    }
  }
}"""
EXECUTIONS = """{
  executions(
    filters: [
      { workflow: { operator: EQUALS, values: ["<workflowId>"] } }
    ]
    limit: 30
  ) {
    pageInfo {
      total
    }
    nodes {
      id
    }
  }
}"""
PIPELINE_ID = """query{pipelineByName(applicationId: "-XXXXqR6QIeXXXz-VuwIzA" pipelineName: "Test Pipeline"
) {
  id
}}"""
PIPELINE = """{
  pipeline(pipelineId: "<pipelineId>") {
    id
    name
    description
  }
}"""
SERVICES = """{
  services(
    filters: [
      { application: { operator: EQUALS, values: ["<applicationId>"] } }
    ]
    limit: 1000
  ) {
    pageInfo {
      total
    }
    nodes {
      id
      name
    }
  }
}"""
ARTIFACT_STREAM = """
    {
      name: "ArtifactStream"
      variableValue: {
        type: NAME
        value: "library_nginx"
      }
    },"""


class Known(NamedTuple):
    """Ids of the simulated account to put in place of the printed ones."""

    service: str
    artifact: str
    pipeline: str
    execution: str


async def known(harness: Harness) -> Known:
    services = "{ services(limit: 1) { nodes { id artifactSources { artifacts(limit: 1) { nodes { id } } } } } }"
    service = (await harness.data(services))["services"]["nodes"][0]
    artifact = service["artifactSources"][0]["artifacts"]["nodes"][0]["id"]
    execution = (await harness.data(started.START))["startExecution"]["execution"]["id"]
    return Known(service["id"], artifact, await harness.pipeline_id("Test Pipeline"), execution)


async def test_printed_requests_create_and_find_an_application(harness: Harness) -> None:
    variables = {"app": {"name": "Harness GraphQL", "clientMutationId": "1"}}

    created = (await harness.data(CREATE_APPLICATION, variables))["createApplication"]
    by_name = (await harness.data(APPLICATION_BY_NAME))["applicationByName"]

    assert (created["clientMutationId"], created["application"]) == ("1", by_name)


async def test_printed_requests_find_and_show_a_pipeline(harness: Harness) -> None:
    by_name = await harness.data(PIPELINE_ID.replace("-XXXXqR6QIeXXXz-VuwIzA", APPLICATION))
    key = by_name["pipelineByName"]["id"]

    by_literal = await harness.data(PIPELINE.replace("<pipelineId>", key))
    by_variable = await harness.data(PIPELINE_BY_VARIABLE, {"thisPipeline": key})

    assert by_literal == by_variable == {"pipeline": {"id": key, "name": "Test Pipeline", "description": None}}


async def test_artifact_sources_and_artifacts_link_to_each_other(harness: Harness) -> None:
    ids = await known(harness)

    service = await harness.data(ARTIFACT_SOURCES.replace("ABEvYYxdRSegoaSFxIx2xX", ids.service))
    artifacts = await harness.data(ARTIFACTS.replace("a9xxxABCDwCNxnk90as1fA", ids.artifact))

    source = service["service"]["artifactSources"][0]
    assert source["name"] == "library_nginx"
    assert artifacts["artifacts"]["nodes"] == [
        {**source["artifacts"]["nodes"][0], "artifactSource": {"id": source["id"]}}
    ]


async def test_executions_of_a_workflow_are_listed(harness: Harness) -> None:
    ids = await known(harness)

    listed = await harness.data(EXECUTIONS.replace("<workflowId>", WORKFLOW))

    assert listed == {"executions": {"pageInfo": {"total": 1}, "nodes": [{"id": ids.execution}]}}


async def test_services_of_an_application_are_listed(harness: Harness) -> None:
    listed = (await harness.data(SERVICES.replace("<applicationId>", APPLICATION)))["services"]

    assert listed["pageInfo"] == {"total": 4}
    assert [node["name"] for node in listed["nodes"]] == ["test", "k8s", "jar", "chart"]


async def test_artifact_stream_variable_is_accepted(harness: Harness) -> None:
    started_with = started.START.replace("variableInputs: [", f"variableInputs: [{ARTIFACT_STREAM}")

    payload = (await harness.data(started_with))["startExecution"]

    assert payload["execution"]["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("printed", "answer"),
    [
        (ARTIFACT_SOURCES, {"service": None}),
        (ARTIFACTS, {"artifacts": {"nodes": []}}),
        (EXECUTIONS, {"executions": {"pageInfo": {"total": 0}, "nodes": []}}),
        (PIPELINE_ID, {"pipelineByName": None}),
        (PIPELINE, {"pipeline": None}),
        (SERVICES, {"services": {"pageInfo": {"total": 0}, "nodes": []}}),
    ],
)
async def test_request_with_a_placeholder_returns_nothing_without_error(
    harness: Harness, printed: str, answer: dict[str, Any]
) -> None:
    assert await harness.data(printed) == answer
