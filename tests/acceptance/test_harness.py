"""Harness only: the life cycle of a trigger, pipelines and their data sources."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.stack import Result, Stack

pytestmark = pytest.mark.terraform

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"
DEPLOY = "bhI2FyPrTpupdzL4QEk0_A"
ADDRESS = "workflow_harness_trigger.nightly"
SCHEDULE = 'schedule = { cron = "0 0 2 * * ?" }'
SERVICE = """
data "workflow_harness_service" "k8s" {
  application = "Test App"
  service     = "k8s"
}
"""


def hcl(
    condition: str = SCHEDULE,
    action: str = f'workflow_id = "{DEPLOY}"',
    *,
    name: str = "nightly",
    more: str = "",
    resource: str = "nightly",
) -> str:
    return f"""
resource "workflow_harness_trigger" "{resource}" {{
  application_id = "{APPLICATION}"
  name           = "{name}"
  condition      = {{ {condition} }}
  action         = {{ {action} }}
  {more}
}}
"""


def ask(stack: Stack, query: str, variables: Mapping[str, Any]) -> Any:
    """Run a GraphQL operation in Harness, bypassing Terraform."""
    environment = stack.environment
    address = f"{environment['HARNESS_ENDPOINT']}/api/graphql?accountId={environment['HARNESS_ACCOUNT_ID']}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"x-api-key": environment["HARNESS_API_KEY"], "content-type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(address, body, headers), timeout=10) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    return answer["data"]


def change_outside_terraform(stack: Stack, identifier: str, cron: str) -> None:
    trigger = {
        "triggerId": identifier,
        "applicationId": APPLICATION,
        "name": "nightly",
        "condition": {"conditionType": "ON_SCHEDULE", "scheduleConditionInput": {"cronExpression": cron}},
        "action": {"executionType": "WORKFLOW", "entityId": DEPLOY},
    }
    ask(stack, "mutation($i: UpdateTriggerInput!) { updateTrigger(input: $i) { trigger { id } } }", {"i": trigger})


def cron(stack: Stack, identifier: str) -> str:
    query = "query($t: String!) { trigger(triggerId: $t) { condition { ... on OnSchedule { cronExpression } } } }"
    return str(ask(stack, query, {"t": identifier})["trigger"]["condition"]["cronExpression"])


def triggers(stack: Stack) -> list[str]:
    return [
        trigger["id"] for trigger in ask(stack, "{ triggers(limit: 10) { nodes { id } } }", {})["triggers"]["nodes"]
    ]


def planned(result: Result) -> list[str]:
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return [line["change"]["action"] for line in lines if line.get("type") == "planned_change"]


def test_the_life_cycle_of_a_trigger(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(hcl())
    stack.applied()
    created = stack.values(ADDRESS)
    assert triggers(stack) == [created["id"]]
    assert stack.plan().status == 0

    change_outside_terraform(stack, created["id"], "0 0 4 * * ?")
    assert planned(stack.applied()) == ["update"]
    assert cron(stack, created["id"]) == "0 0 2 * * ?"
    assert stack.plan().status == 0

    stack.write(hcl('webhook = { source = "GITHUB", event = "PUSH", branch_name = "main" }', name="on push"))
    assert planned(stack.applied()) == ["update"]
    changed = stack.values(ADDRESS)
    assert (changed["id"], changed["name"]) == (created["id"], "on push")
    assert created["id"] in changed["webhook_details"]["url"]
    assert stack.plan().status == 0

    pipeline = 'pipeline_id = data.workflow_harness_pipeline.release.id, variables = { note = "from a trigger" }'
    data_source = (
        'data "workflow_harness_pipeline" "release" {\n  application = "Test App"\n  pipeline = "Test Pipeline"\n}\n'
    )
    stack.write(hcl(action=pipeline) + data_source)
    assert planned(stack.applied()) == ["replace"]
    replaced = stack.values(ADDRESS)
    assert replaced["id"] != created["id"]
    assert triggers(stack) == [replaced["id"]]
    assert stack.plan().status == 0

    assert stack.run("state", "rm", ADDRESS).status == 0
    imported = stack.run("import", "-input=false", "-no-color", ADDRESS, f"{APPLICATION}/{replaced['id']}")
    assert imported.status == 0, imported.stderr
    assert stack.values(ADDRESS) == replaced
    assert stack.plan().status == 0

    ask(
        stack,
        "mutation($i: DeleteTriggerInput!) { deleteTrigger(input: $i) { clientMutationId } }",
        {"i": {"applicationId": APPLICATION, "triggerId": replaced["id"]}},
    )
    assert planned(stack.applied()) == ["create"]
    stack.destroy()
    assert triggers(stack) == []


CONDITIONS = {
    "artifact": (
        "new_artifact = { artifact_source_id = data.workflow_harness_service.k8s.artifact_sources[0].id }",
        f'workflow_id = "{DEPLOY}", artifact_selections = [{{ service_id = data.workflow_harness_service.k8s.id, '
        'type = "FROM_TRIGGERING_ARTIFACT" }]',
    ),
    "webhook": (
        'webhook = { source = "CUSTOM", secret = "s3cr3t" }',
        f'workflow_id = "{DEPLOY}", variables = {{ Environment = "Prod", tag = "$${{webhook.body.tag}}" }}',
    ),
}


def test_applied_triggers_have_an_empty_plan(stack: Stack) -> None:
    stack.write(
        "".join(
            hcl(condition, action, name=name, more='description = "by \\"terraform\\""', resource=name)
            for name, (condition, action) in CONDITIONS.items()
        )
        + SERVICE
    )
    result = stack.applied()
    assert len(triggers(stack)) == len(CONDITIONS)
    assert "s3cr3t" not in result.stdout
    assert stack.plan().status == 0
    stack.destroy()


INVALID = {
    "without_condition": ({"condition": ""}, "Missing trigger condition"),
    "two_conditions": (
        {"condition": f'{SCHEDULE}, pipeline_completion = {{ pipeline_id = "p" }}'},
        "Conflicting trigger conditions",
    ),
    "without_action": ({"action": ""}, "Missing trigger action"),
    "two_actions": ({"action": 'workflow_id = "w", pipeline_id = "p"'}, "Conflicting trigger actions"),
    "unknown_source": ({"condition": 'webhook = { source = "SVN" }'}, "SVN"),
    "blank_name": ({"name": "  "}, "name"),
}
ELSEWHERE = {"elsewhere": ({"action": 'workflow_id = "of-another-application"'}, "of-another-application")}


@pytest.mark.parametrize("invalid", [INVALID, ELSEWHERE], ids=["offline", "preflight"])
def test_invalid_triggers_are_reported_in_the_plan(
    stack: Stack, invalid: Mapping[str, tuple[dict[str, str], str]]
) -> None:
    stack.write("".join(hcl(**arguments, resource=name) for name, (arguments, _) in invalid.items()))
    result = stack.plan()
    assert result.status == 1
    for name, (_, words) in invalid.items():
        errors = [error for error in result.errors if error.address.endswith(f".{name}")]
        assert any(words in error.text for error in errors), (name, result.errors)
    assert triggers(stack) == []


def test_a_pipeline_reports_its_stages_and_outputs(stack: Stack) -> None:
    stack.write("""
data "workflow_harness_service" "services" {
  for_each    = toset(["test", "k8s"])
  application = "Test App"
  service     = each.key
}

resource "workflow_harness_execution" "release" {
  application = "Test App"
  pipeline    = "Test Pipeline"
  variables   = { Environment = "Prod", InfraDefinition_Kubernetes = "k8s" }
  artifacts = {
    for name, service in data.workflow_harness_service.services : name => {
      source       = service.artifact_sources[0].name
      build_number = service.artifact_sources[0].artifacts[0].build_number
    }
  }
}

data "workflow_harness_executions" "all" {
  application = "Test App"
  depends_on  = [workflow_harness_execution.release]
}

output "listed" { value = data.workflow_harness_executions.all.executions[*].id }
""")
    stack.applied()
    values = stack.values("workflow_harness_execution.release")
    assert [stage["status"] for stage in values["stages"]] == ["SUCCESS", "SUCCESS"]
    assert values["id"] in values["url"]
    assert values["outputs"]["Environment"] not in {"", "Prod"}
    assert stack.outputs()["listed"] == [values["id"]]
    assert stack.plan().status == 0
