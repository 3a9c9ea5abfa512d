"""What the data sources look up in the simulated Harness, and what they report if it does not exist."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution import Connector, LookupDataSource
from provider_py.plugin import Decoded, DiagnosticError
from provider_py.provider import DATA_SOURCES
from provider_py.sandbox.harness.catalog import Service, Workflow, fixed_id
from provider_py.systems.harness.execution import HarnessExecution, HarnessLauncher
from tests.contract.systems.harness.conftest import APPLICATION, Account

TYPES = {type_.name: type_ for type_ in DATA_SOURCES}
DEPLOY = {"application": "Test App", "workflow": "multi service graphql test"}
DEPLOY_VARIABLES = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
ODD_NAMES = [
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


async def read(account: Account, name: str, **arguments: Any) -> Any:
    source = LookupDataSource(TYPES[name], Connector("harness", lambda: account.harness))
    config = TYPES[name].model(**arguments)
    assert list(source.validate(Decoded(config))) == []
    return (await source.read(config)).state


async def refused(account: Account, name: str, **arguments: Any) -> str:
    with pytest.raises(DiagnosticError) as raised:
        await read(account, name, **arguments)
    return "\n".join(f"{error.path} {error.summary}\n{error.detail}" for error in raised.value.diagnostics)


async def start_runs(account: Account, workflow: str, times: int) -> None:
    launcher = HarnessLauncher(account.harness)
    config = HarnessExecution(application="Test App", workflow=workflow)
    (part,) = await launcher.prepare(config, frozenset())
    for number in range(times):
        await launcher.start(part, f"t-{number}")


async def test_application_is_found_by_name_and_id(account: Account) -> None:
    by_name = await read(account, "harness_application", application="Test App")
    by_id = await read(account, "harness_application", application_id=APPLICATION)
    assert (by_name.id, by_name.name) == (by_id.id, by_id.name) == (APPLICATION, "Test App")


@pytest.mark.parametrize("name", ["Tset App", "test app"])
async def test_unknown_name_is_reported_with_similar_ones(account: Account, name: str) -> None:
    assert "'Test App'" in await refused(account, "harness_application", application=name)


async def test_workflow_has_its_variables(account: Account) -> None:
    workflow = await read(account, "harness_workflow", application="Test App", workflow="configured")
    variables = {variable.name: variable for variable in workflow.variables}
    assert variables["size"].allowed_values == ["small", "medium", "large"]
    assert (variables["owner"].fixed, variables["owner"].default) == (True, "platform")
    assert (variables["region"].required, variables["size"].required) == (False, True)
    by_id = await read(account, "harness_workflow", application_id=APPLICATION, workflow_id=workflow.id)
    assert (by_id.name, by_id.variables) == ("configured", workflow.variables)


async def test_pipeline_is_found_by_name_and_id(account: Account) -> None:
    pipeline = await read(account, "harness_pipeline", application="Test App", pipeline="Test Pipeline")
    assert [variable.name for variable in pipeline.variables] == ["Environment", "InfraDefinition_Kubernetes", "note"]
    assert (await read(account, "harness_pipeline", application="Test App", pipeline_id=pipeline.id)).id == pipeline.id
    assert "'Test Pipeline'" in await refused(
        account, "harness_pipeline", application="Test App", pipeline="Tset Pipeline"
    )


@pytest.mark.parametrize("kind", ["workflow", "pipeline", "service"])
async def test_id_of_another_application_is_reported(account: Account, kind: str) -> None:
    name = {"workflow": "restart", "pipeline": "Test Pipeline", "service": "k8s"}[kind]
    existing = await read(account, f"harness_{kind}", application="Test App", **{kind: name})
    text = await refused(account, f"harness_{kind}", application="Billing", **{f"{kind}_id": existing.id})
    assert f"('{kind}_id',)" in text
    assert existing.id in text
    assert account.schema_errors() == []


async def test_service_has_its_sources_and_artifacts(account: Account) -> None:
    service = await read(account, "harness_service", application="Test App", service="k8s", recent_artifacts=1)
    (source,) = service.artifact_sources
    assert (source.name, source.type) == ("docker_hello-world", "DockerArtifactSource")
    assert [artifact.build_number for artifact in source.artifacts] == ["latest"]
    assert source.artifacts[0].collected_at.endswith("Z")
    assert "'k8s'" in await refused(account, "harness_service", application="Test App", service="k8")


async def test_all_pages_are_read(account: Account) -> None:
    app = account.harness_application()
    app.services = [Service(fixed_id("many", str(n)), f"service {n}", 0.0) for n in range(250)]
    app.workflows += [Workflow(fixed_id("many", "workflow", str(n)), f"workflow {n}", 0.0) for n in range(150)]
    service = await read(account, "harness_service", application="Test App", service="service 249")
    assert service.name == "service 249"
    assert account.operations().count("serviceNames") == 3
    text = await refused(account, "harness_workflow", application="Test App", workflow="workflow 1490")
    assert "'workflow 149'" in text


async def test_executions_are_listed_newest_first_through_all_pages(account: Account) -> None:
    account.behave(deployments_per_day=0)
    await start_runs(account, "restart", 130)
    listed = await read(account, "harness_executions", application="Test App", workflow="restart", limit=120)
    assert len(listed.executions) == len({execution.id for execution in listed.executions}) == 120
    assert listed.executions[0].workflow == "restart"
    assert account.operations().count("listedExecutions") == 2
    assert len((await read(account, "harness_executions", application="Test App")).executions) == 20
    other = await read(account, "harness_executions", application="Test App", pipeline="Test Pipeline")
    assert other.executions == []


async def test_executions_are_filtered_by_status(account: Account) -> None:
    await start_runs(account, "restart", 2)
    succeeded = await read(account, "harness_executions", application="Test App", status="SUCCESS")
    failed = await read(account, "harness_executions", application="Test App", status="FAILED")
    assert (len(succeeded.executions), failed.executions) == (2, [])
    account.behave(application_filter_required=True)
    unfiltered = await read(account, "harness_executions", application_id=APPLICATION)
    assert {run.id for run in unfiltered.executions} == {run.id for run in succeeded.executions}


async def test_execution_inputs_list_variables_and_services(account: Account) -> None:
    inputs = await read(account, "harness_execution_inputs", **DEPLOY, variables=DEPLOY_VARIABLES)
    assert [service.name for service in inputs.artifact_services] == ["test", "k8s"]
    assert [variable.name for variable in inputs.declared_variables] == list(DEPLOY_VARIABLES)
    chart = await read(account, "harness_execution_inputs", application="Test App", workflow="deploy chart")
    assert [service.name for service in chart.manifest_services] == ["chart"]
    text = await refused(account, "harness_execution_inputs", **DEPLOY, variables={"Enviroment": "Prod"})
    assert "Did you mean 'Environment'" in text


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("harness_application", {}, "Missing application"),
        (
            "harness_application",
            {"application": "a", "application_id": "b"},
            "Conflicting arguments for the application",
        ),
        ("harness_workflow", {"application": "a"}, "Missing workflow"),
        (
            "harness_pipeline",
            {"application": "a", "pipeline": "p", "pipeline_id": "q"},
            "Conflicting arguments for the pipeline",
        ),
        ("harness_service", {"application": "a"}, "Missing service"),
        (
            "harness_execution_inputs",
            {"application": "a", "workflow": "w", "pipeline": "p"},
            "Conflicting arguments for the workflow",
        ),
        (
            "harness_executions",
            {"application": "a", "workflow": "w", "pipeline": "p"},
            "Conflicting arguments for the workflow",
        ),
        ("harness_executions", {}, "Missing application"),
    ],
)
def test_ambiguous_arguments_are_reported_offline(name: str, arguments: dict[str, Any], words: str) -> None:
    errors = list(TYPES[name].validate(Decoded(TYPES[name].model(**arguments))))
    assert any(words in error.summary for error in errors)


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("kind", ["application", "workflow", "pipeline", "service"])
async def test_any_text_is_safe_as_a_name(account: Account, kind: str, name: str) -> None:
    arguments = {kind: name} if kind == "application" else {"application": "Test App", kind: name}
    assert "Unknown Harness" in await refused(account, f"harness_{kind}", **arguments)
    assert account.schema_errors() == []
    assert account.sent()[0 if kind == "application" else -1]["variables"]


async def test_workflow_with_an_odd_name_is_found(account: Account) -> None:
    name = 'say "hi" - 名前 ${x} {id}'
    account.harness_application().workflows.append(Workflow(fixed_id("odd"), name, 0.0))
    assert (await read(account, "harness_workflow", application="Test App", workflow=name)).id == fixed_id("odd")
