"""What the account defines, found by name, by id and in lists."""

from __future__ import annotations

import pytest

from tests.contract.sandbox.harness.requests import APPLICATION, Harness


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('{ applicationByName(name: "test app") { id } }', "Invalid request: Application does not exist"),
        ('{ application(applicationId: "nope") { id } }', "Invalid request: Application does not exist"),
        ('{ workflow(workflowId: "nope") { id } }', "Invalid request: Workflow does not exist"),
        (
            f'{{ workflowByName(workflowName: "Restart", applicationId: "{APPLICATION}") {{ id }} }}',
            "Invalid request: Workflow does not exist",
        ),
        (
            f'{{ workflowByName(workflowName: "", applicationId: "{APPLICATION}") {{ id }} }}',
            "Invalid request: Empty Workflow name",
        ),
        (
            '{ pipelineByName(pipelineName: "Test Pipeline", applicationId: "") { id } }',
            "Invalid request: Empty Application Id",
        ),
        (
            '{ infrastructureDefinition(infrastructureId: "x") { id } }',
            "Invalid request: Infrastructure does not exist",
        ),
        ('{ execution(executionId: "x") { id } }', "Invalid request: Execution does not exist or access is denied"),
        (
            "{ applications(limit: -1) { nodes { id } } }",
            "Invalid request: Limit/Offset argument accepts only non negative values",
        ),
        (
            "{ services(limit: 1, filters: {service: {operator: EQUALS, values: []}}) { nodes { id } } }",
            "Invalid request: Values cannot be empty",
        ),
    ],
)
async def test_missing_object_is_an_error(harness: Harness, query: str, text: str) -> None:
    assert await harness.refusal(query) == text


@pytest.mark.parametrize(
    "query",
    [
        '{ pipeline(pipelineId: "x") { id } }',
        f'{{ pipelineByName(pipelineName: "Nope", applicationId: "{APPLICATION}") {{ id }} }}',
        '{ service(serviceId: "x") { id } }',
        '{ environment(environmentId: "x") { id } }',
    ],
)
async def test_missing_object_is_null_without_error_for_some_types(harness: Harness, query: str) -> None:
    assert list((await harness.data(query)).values()) == [None]


async def test_service_shows_its_sources_and_builds(harness: Harness) -> None:
    data = await harness.data(
        '{ service(serviceId: "XceFDCA7QgirrO8LJRphZQ") { name deploymentType artifactSources { __typename name '
        "... on DockerArtifactSource { imageName } artifacts(limit: 1) { nodes { buildNo collectedAt } } } } }"
    )

    artifact = {"buildNo": "stable-perl", "collectedAt": 1588243374775}
    source = {"__typename": "DockerArtifactSource", "name": "library_nginx", "imageName": "library/nginx"}
    assert data["service"] == {
        "name": "test",
        "deploymentType": "KUBERNETES",
        "artifactSources": [{**source, "artifacts": {"nodes": [artifact]}}],
    }


async def test_environments_hold_infrastructure_definitions(harness: Harness) -> None:
    condition = f'{{application: {{operator: EQUALS, values: "{APPLICATION}"}}}}'
    data = await harness.data(
        f"{{ environments(filters: {condition}, limit: 10) "
        "{ nodes { id name type infrastructureDefinitions(limit: 5) { nodes { id name } } } } }"
    )

    prod, qa = data["environments"]["nodes"]
    definition = prod["infrastructureDefinitions"]["nodes"][0]
    by_name = await harness.data(
        'query($e: String!) { infrastructureDefinitionByName(infrastructureName: "k8s", environmentId: $e) { id } }',
        {"e": prod["id"]},
    )
    assert [(prod["name"], prod["type"]), (qa["name"], qa["type"])] == [("Prod", "PROD"), ("QA", "NON_PROD")]
    assert by_name["infrastructureDefinitionByName"]["id"] == definition["id"]


async def test_lists_are_paged(harness: Harness) -> None:
    data = await harness.data(
        "{ workflows(limit: 2, offset: 1) { pageInfo { limit offset total hasMore } nodes { name } } }"
    )

    assert data["workflows"] == {
        "pageInfo": {"limit": 2, "offset": 1, "total": 7, "hasMore": True},
        "nodes": [{"name": "restart"}, {"name": "configured"}],
    }


async def test_page_holds_at_most_a_hundred(harness: Harness) -> None:
    data = await harness.data("{ applications(limit: 1000) { pageInfo { limit total hasMore } } }")

    assert data["applications"]["pageInfo"] == {"limit": 100, "total": 2, "hasMore": False}


async def test_workflow_variables_show_all_public_fields(harness: Harness) -> None:
    workflow_id = await harness.workflow_id("configured")
    data = await harness.data(
        "query($id: String!) { workflow(workflowId: $id) { workflowVariables { name type required allowedValues "
        "defaultValue fixed allowMultipleValues } } }",
        {"id": workflow_id},
    )

    size, region, owner, password = data["workflow"]["workflowVariables"]
    assert size["allowedValues"] == ["small", "medium", "large"]
    assert (region["required"], region["defaultValue"], region["allowedValues"]) == (False, "eu", None)
    assert (owner["fixed"], owner["defaultValue"]) == (True, "platform")
    assert password["defaultValue"] == ""
