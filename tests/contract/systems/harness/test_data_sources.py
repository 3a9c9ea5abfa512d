"""What the data sources look up in the simulated Harness, and what they say of what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution.connection import Connector
from provider_py.execution.registry_types import LookupDataSource
from provider_py.plugin import Decoded, DiagnosticError
from provider_py.provider import DATA_SOURCES
from provider_py.sandbox.harness.catalog import Service, Workflow, fixed_id
from provider_py.systems.harness.execution import HarnessExecution, HarnessLauncher
from tests.contract.systems.harness.conftest import APPLICATION, Account

KINDS = {kind.name: kind for kind in DATA_SOURCES}
DEPLOY = {"application": "Test App", "workflow": "multi service graphql test"}
DEPLOY_VARIABLES = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
NASTY = [
    'a"b',
    "a\\",
    "line\nbreak",
    "naïve - 名前 🚀",
    '") { id } #',
    "{}",
    "$name",
    "${x}",
    "'; drop",
    " Test App",
    "x" * 500,
]


async def read(account: Account, name: str, **given: Any) -> Any:
    kind = KINDS[name]
    source = LookupDataSource(kind, Connector("harness", lambda: account.harness))
    config = kind.model(**given)
    assert list(source.validate(Decoded(config))) == []
    return (await source.read(config)).state


async def refused(account: Account, name: str, **given: Any) -> str:
    with pytest.raises(DiagnosticError) as raised:
        await read(account, name, **given)
    return "\n".join(f"{each.path} {each.summary}\n{each.detail}" for each in raised.value.diagnostics)


async def run(account: Account, workflow: str, times: int) -> None:
    launcher = HarnessLauncher(account.harness)
    config = HarnessExecution(application="Test App", workflow=workflow)
    (part,) = await launcher.prepare(config, frozenset())
    for number in range(times):
        await launcher.start(part, f"t-{number}")


async def test_an_application(account: Account) -> None:
    by_name = await read(account, "harness_application", application="Test App")
    by_id = await read(account, "harness_application", application_id=APPLICATION)
    assert (by_name.id, by_name.name) == (by_id.id, by_id.name) == (APPLICATION, "Test App")


@pytest.mark.parametrize("name", ["Tset App", "test app"])
async def test_names_are_exact_and_near_ones_are_listed(account: Account, name: str) -> None:
    assert "'Test App'" in await refused(account, "harness_application", application=name)


async def test_a_workflow_with_its_variables(account: Account) -> None:
    found = await read(account, "harness_workflow", application="Test App", workflow="configured")
    variables = {each.name: each for each in found.variables}
    assert variables["size"].allowed_values == ["small", "medium", "large"]
    assert (variables["owner"].fixed, variables["owner"].default) == (True, "platform")
    assert (variables["region"].required, variables["size"].required) == (False, True)
    by_id = await read(account, "harness_workflow", application_id=APPLICATION, workflow_id=found.id)
    assert (by_id.name, by_id.variables) == ("configured", found.variables)


async def test_a_pipeline(account: Account) -> None:
    found = await read(account, "harness_pipeline", application="Test App", pipeline="Test Pipeline")
    assert [each.name for each in found.variables] == ["Environment", "InfraDefinition_Kubernetes", "note"]
    assert (await read(account, "harness_pipeline", application="Test App", pipeline_id=found.id)).id == found.id
    assert "'Test Pipeline'" in await refused(
        account, "harness_pipeline", application="Test App", pipeline="Tset Pipeline"
    )


@pytest.mark.parametrize("kind", ["workflow", "pipeline", "service"])
async def test_an_id_of_another_application_is_told(account: Account, kind: str) -> None:
    name = {"workflow": "restart", "pipeline": "Test Pipeline", "service": "k8s"}[kind]
    found = await read(account, f"harness_{kind}", application="Test App", **{kind: name})
    told = await refused(account, f"harness_{kind}", application="Billing", **{f"{kind}_id": found.id})
    assert f"('{kind}_id',)" in told
    assert found.id in told
    assert account.refused_by_schema() == []


async def test_a_service_with_its_sources_and_artifacts(account: Account) -> None:
    found = await read(account, "harness_service", application="Test App", service="k8s", recent_artifacts=1)
    (source,) = found.artifact_sources
    assert (source.name, source.type) == ("docker_hello-world", "DockerArtifactSource")
    assert [each.build_number for each in source.artifacts] == ["latest"]
    assert source.artifacts[0].collected_at.endswith("Z")
    assert "'k8s'" in await refused(account, "harness_service", application="Test App", service="k8")


async def test_pages_are_hidden(account: Account) -> None:
    app = account.harness_application()
    app.services = [Service(fixed_id("many", str(n)), f"service {n}", 0.0) for n in range(250)]
    app.workflows += [Workflow(fixed_id("many", "workflow", str(n)), f"workflow {n}", 0.0) for n in range(150)]
    found = await read(account, "harness_service", application="Test App", service="service 249")
    assert found.name == "service 249"
    assert account.operations().count("serviceNames") == 3
    told = await refused(account, "harness_workflow", application="Test App", workflow="workflow 1490")
    assert "'workflow 149'" in told


async def test_the_executions_newest_first_through_all_pages(account: Account) -> None:
    account.behave(deployments_per_day=0)
    await run(account, "restart", 130)
    found = await read(account, "harness_executions", application="Test App", workflow="restart", limit=120)
    assert len(found.executions) == len({each.id for each in found.executions}) == 120
    assert found.executions[0].workflow == "restart"
    assert account.operations().count("listedExecutions") == 2
    assert len((await read(account, "harness_executions", application="Test App")).executions) == 20
    other = await read(account, "harness_executions", application="Test App", pipeline="Test Pipeline")
    assert other.executions == []


async def test_executions_by_status(account: Account) -> None:
    await run(account, "restart", 2)
    good = await read(account, "harness_executions", application="Test App", status="SUCCESS")
    bad = await read(account, "harness_executions", application="Test App", status="FAILED")
    assert (len(good.executions), bad.executions) == (2, [])
    account.behave(application_filter_required=True)
    again = await read(account, "harness_executions", application_id=APPLICATION)
    assert {each.id for each in again.executions} == {each.id for each in good.executions}


async def test_what_a_run_has_to_be_given(account: Account) -> None:
    found = await read(account, "harness_execution_inputs", **DEPLOY, variables=DEPLOY_VARIABLES)
    assert [each.name for each in found.artifact_services] == ["test", "k8s"]
    assert [each.name for each in found.declared_variables] == list(DEPLOY_VARIABLES)
    chart = await read(account, "harness_execution_inputs", application="Test App", workflow="deploy chart")
    assert [each.name for each in chart.manifest_services] == ["chart"]
    told = await refused(account, "harness_execution_inputs", **DEPLOY, variables={"Enviroment": "Prod"})
    assert "Did you mean 'Environment'" in told


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("harness_application", {}, "No application"),
        ("harness_application", {"application": "a", "application_id": "b"}, "More than one application"),
        ("harness_workflow", {"application": "a"}, "No workflow"),
        ("harness_pipeline", {"application": "a", "pipeline": "p", "pipeline_id": "q"}, "More than one pipeline"),
        ("harness_service", {"application": "a"}, "No service"),
        ("harness_execution_inputs", {"application": "a", "workflow": "w", "pipeline": "p"}, "More than one workflow"),
        ("harness_executions", {"application": "a", "workflow": "w", "pipeline": "p"}, "More than one workflow"),
        ("harness_executions", {}, "No application"),
    ],
)
def test_ambiguous_arguments_are_told_offline(name: str, given: dict[str, Any], words: str) -> None:
    found = list(KINDS[name].validate(Decoded(KINDS[name].model(**given))))
    assert any(words in each.summary for each in found)


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("kind", ["application", "workflow", "pipeline", "service"])
async def test_any_text_may_stand_as_a_name(account: Account, kind: str, name: str) -> None:
    given = {kind: name} if kind == "application" else {"application": "Test App", kind: name}
    assert "Unknown Harness" in await refused(account, f"harness_{kind}", **given)
    assert account.refused_by_schema() == []
    assert account.sent()[0 if kind == "application" else -1]["variables"]


async def test_a_thing_with_such_a_name_is_found(account: Account) -> None:
    name = 'say "hi" - 名前 ${x} {id}'
    account.harness_application().workflows.append(Workflow(fixed_id("odd"), name, 0.0))
    assert (await read(account, "harness_workflow", application="Test App", workflow=name)).id == fixed_id("odd")
