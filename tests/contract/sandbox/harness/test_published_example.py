"""The four requests of the vendor's published example, as printed there, get the printed answers."""

from __future__ import annotations

import json

from tests.contract.sandbox.harness.requests import Harness

FIND_APPLICATION = """{
  applicationByName(name: "Test App") {
    id
    name
  }
}"""
FIND_WORKFLOW = """{
  workflowByName(applicationId: "naNJDKrUTZKKdKycL5Tx4g", workflowName: "multi service graphql test") {
    id
    name
    workflowVariables {
      name
      type
      required
    }
  }
}"""
VARIABLES = """[
    {
      name: "Environment"
      variableValue: {
        type: NAME
        value: "Prod"
      }
    },
    {
      name: "InfraDefinition_Kubernetes"
      variableValue: {
        type: NAME
        value: "k8s"
      }
    },
    {
      name: "InfraDefinition_Kubernetes2"
      variableValue: {
        type: NAME
        value: "k8s"
      }
    }
  ]"""
FIND_INPUTS = f"""query {{
  executionInputs(applicationId: "naNJDKrUTZKKdKycL5Tx4g"
    entityId: "bhI2FyPrTpupdzL4QEk0_A"
  executionType: WORKFLOW,
  variableInputs: {VARIABLES}){{
    serviceInputs{{
      id
      name
      artifactType
    }}
  }}
}}"""
START = f"""mutation {{
  startExecution(input: {{
    applicationId: "naNJDKrUTZKKdKycL5Tx4g"
    entityId: "bhI2FyPrTpupdzL4QEk0_A"
    executionType: WORKFLOW,
    variableInputs: {VARIABLES},
    serviceInputs: [ {{
      name: "test",
      artifactValueInput: {{
        valueType: BUILD_NUMBER
        buildNumber: {{
          buildNumber: "stable-perl"
          artifactSourceName: "library_nginx"
        }}
      }}
    }},
      {{
      name: "k8s",
      artifactValueInput: {{
        valueType: BUILD_NUMBER
        buildNumber: {{
          buildNumber: "latest"
          artifactSourceName: "docker_hello-world"
        }}
      }}
    }}
    ]
  }}
  ){{
    clientMutationId
    execution{{
      id
      status
    }}
  }}
}}"""


async def test_application_is_found_by_name(harness: Harness) -> None:
    assert await harness.data(FIND_APPLICATION) == {
        "applicationByName": {"id": "naNJDKrUTZKKdKycL5Tx4g", "name": "Test App"}
    }


async def test_workflow_is_found_by_name_with_its_variables(harness: Harness) -> None:
    definition = {"type": "Infrastructure definition", "required": True}
    assert await harness.data(FIND_WORKFLOW) == {
        "workflowByName": {
            "id": "bhI2FyPrTpupdzL4QEk0_A",
            "name": "multi service graphql test",
            "workflowVariables": [
                {"name": "Environment", "type": "Environment", "required": True},
                {"name": "InfraDefinition_Kubernetes", **definition},
                {"name": "InfraDefinition_Kubernetes2", **definition},
            ],
        }
    }


async def test_services_that_need_artifacts_are_named(harness: Harness) -> None:
    assert await harness.data(FIND_INPUTS) == {
        "executionInputs": {
            "serviceInputs": [
                {"id": "XceFDCA7QgirrO8LJRphZQ", "name": "test", "artifactType": "DOCKER"},
                {"id": "kqf9rA1dQ4SluU54K-ouOw", "name": "k8s", "artifactType": "DOCKER"},
            ]
        }
    }


async def test_execution_is_started(harness: Harness) -> None:
    payload = (await harness.data(START))["startExecution"]

    execution_id = payload["execution"].pop("id")
    assert payload == {"clientMutationId": None, "execution": {"status": "RUNNING"}}
    assert len(execution_id) == 22
    assert [run.id for run in harness.world.runs.of("harness")] == [execution_id]


async def test_bare_query_is_accepted_as_plain_text(harness: Harness) -> None:
    response = await harness.http.post("/api/graphql", content=FIND_APPLICATION, headers={"content-type": "text/plain"})

    assert json.loads(response.text)["data"]["applicationByName"]["id"] == "naNJDKrUTZKKdKycL5Tx4g"
