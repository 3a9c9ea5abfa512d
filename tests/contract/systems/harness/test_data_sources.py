"""What the data sources look up in the simulated Harness, and what they report if it does not exist."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import Decoded, DiagnosticError
from provider_py.provider import DATA_SOURCES
from provider_py.sandbox.harness.catalog import Service, Workflow, fixed_id
from tests.support import harness
from tests.support.harness import APPLICATION, VARIABLES, WORKFLOW
from tests.support.site import Process, simple

TYPES = {type_.name: type_ for type_ in DATA_SOURCES}
DEPLOY = {"application": "Test App", "workflow": WORKFLOW}
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


async def read(process: Process, name: str, **arguments: Any) -> Any:
    return await process.look_up(TYPES[name].model(**arguments))


async def refused(process: Process, name: str, **arguments: Any) -> str:
    with pytest.raises(DiagnosticError) as raised:
        await read(process, name, **arguments)
    return "\n".join(f"{error.path} {error.summary}\n{error.detail}" for error in raised.value.diagnostics)


async def start_runs(process: Process, workflow: str, times: int) -> None:
    launcher = process.launcher("harness")
    (part,) = await launcher.prepare(simple("harness", workflow=workflow), frozenset())
    for number in range(times):
        await launcher.start(part, f"t-{number}")
    process.site.world.advance(60)


async def test_application_is_found_by_name_and_id(process: Process) -> None:
    by_name = await read(process, "harness_application", application="Test App")
    by_id = await read(process, "harness_application", application_id=APPLICATION)
    assert (by_name.id, by_name.name) == (by_id.id, by_id.name) == (APPLICATION, "Test App")


@pytest.mark.parametrize("name", ["Tset App", "test app"])
async def test_unknown_name_is_reported_with_similar_ones(process: Process, name: str) -> None:
    assert "'Test App'" in await refused(process, "harness_application", application=name)


async def test_workflow_has_its_variables(process: Process) -> None:
    workflow = await read(process, "harness_workflow", application="Test App", workflow="configured")
    variables = {variable.name: variable for variable in workflow.variables}
    assert variables["size"].allowed_values == ["small", "medium", "large"]
    assert (variables["owner"].fixed, variables["owner"].default) == (True, "platform")
    assert (variables["region"].required, variables["size"].required) == (False, True)
    by_id = await read(process, "harness_workflow", application_id=APPLICATION, workflow_id=workflow.id)
    assert (by_id.name, by_id.variables) == ("configured", workflow.variables)


async def test_pipeline_is_found_by_name_and_id(process: Process) -> None:
    pipeline = await read(process, "harness_pipeline", application="Test App", pipeline="Test Pipeline")
    assert [variable.name for variable in pipeline.variables] == ["Environment", "InfraDefinition_Kubernetes", "note"]
    assert (await read(process, "harness_pipeline", application="Test App", pipeline_id=pipeline.id)).id == pipeline.id
    assert "'Test Pipeline'" in await refused(
        process, "harness_pipeline", application="Test App", pipeline="Tset Pipeline"
    )


@pytest.mark.parametrize("kind", ["workflow", "pipeline", "service"])
async def test_id_of_another_application_is_reported(process: Process, kind: str) -> None:
    name = {"workflow": "restart", "pipeline": "Test Pipeline", "service": "k8s"}[kind]
    existing = await read(process, f"harness_{kind}", application="Test App", **{kind: name})
    text = await refused(process, f"harness_{kind}", application="Billing", **{f"{kind}_id": existing.id})
    assert f"('{kind}_id',)" in text
    assert existing.id in text
    assert harness.schema_errors(process.site) == []


async def test_service_has_its_sources_and_artifacts(process: Process) -> None:
    service = await read(process, "harness_service", application="Test App", service="k8s", recent_artifacts=1)
    (source,) = service.artifact_sources
    assert (source.name, source.type) == ("docker_hello-world", "DockerArtifactSource")
    assert [artifact.build_number for artifact in source.artifacts] == ["latest"]
    assert source.artifacts[0].collected_at.endswith("Z")
    assert "'k8s'" in await refused(process, "harness_service", application="Test App", service="k8")


async def test_all_pages_are_read(process: Process) -> None:
    app = harness.application(process.site)
    app.services = [Service(fixed_id("many", str(n)), f"service {n}", 0.0) for n in range(250)]
    app.workflows += [Workflow(fixed_id("many", "workflow", str(n)), f"workflow {n}", 0.0) for n in range(150)]
    service = await read(process, "harness_service", application="Test App", service="service 249")
    assert service.name == "service 249"
    assert harness.operations(process.site).count("serviceNames") == 3
    text = await refused(process, "harness_workflow", application="Test App", workflow="workflow 1490")
    assert "'workflow 149'" in text


async def test_executions_are_listed_newest_first_through_all_pages(process: Process) -> None:
    await start_runs(process, "restart", 130)
    listed = await read(process, "harness_executions", application="Test App", workflow="restart", limit=120)
    assert len(listed.executions) == len({execution.id for execution in listed.executions}) == 120
    assert listed.executions[0].workflow == "restart"
    assert harness.operations(process.site).count("listedExecutions") == 2
    assert len((await read(process, "harness_executions", application="Test App")).executions) == 20
    other = await read(process, "harness_executions", application="Test App", pipeline="Test Pipeline")
    assert other.executions == []


async def test_executions_are_filtered_by_status(process: Process) -> None:
    await start_runs(process, "restart", 2)
    succeeded = await read(process, "harness_executions", application="Test App", status="SUCCESS")
    failed = await read(process, "harness_executions", application="Test App", status="FAILED")
    assert (len(succeeded.executions), failed.executions) == (2, [])
    process.site.set_behaviors("harness", application_filter_required=True)
    unfiltered = await read(process, "harness_executions", application_id=APPLICATION)
    assert {run.id for run in unfiltered.executions} == {run.id for run in succeeded.executions}


async def test_execution_inputs_list_variables_and_services(process: Process) -> None:
    inputs = await read(process, "harness_execution_inputs", **DEPLOY, variables=VARIABLES)
    assert [service.name for service in inputs.artifact_services] == ["test", "k8s"]
    assert [variable.name for variable in inputs.declared_variables] == list(VARIABLES)
    chart = await read(process, "harness_execution_inputs", application="Test App", workflow="deploy chart")
    assert [service.name for service in chart.manifest_services] == ["chart"]
    text = await refused(process, "harness_execution_inputs", **DEPLOY, variables={"Enviroment": "Prod"})
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
            "Conflicting arguments for the workflow or pipeline",
        ),
        (
            "harness_executions",
            {"application": "a", "workflow": "w", "pipeline": "p"},
            "Conflicting arguments for the workflow or pipeline",
        ),
        ("harness_executions", {}, "Missing application"),
    ],
)
def test_ambiguous_arguments_are_reported_offline(name: str, arguments: dict[str, Any], words: str) -> None:
    errors = list(TYPES[name].validate(Decoded(TYPES[name].model(**arguments))))
    assert any(words in error.summary for error in errors)


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("kind", ["application", "workflow", "pipeline", "service"])
async def test_any_text_is_safe_as_a_name(process: Process, kind: str, name: str) -> None:
    arguments = {kind: name} if kind == "application" else {"application": "Test App", kind: name}
    assert "Unknown Harness" in await refused(process, f"harness_{kind}", **arguments)
    assert harness.schema_errors(process.site) == []
    assert harness.sent(process.site)[0 if kind == "application" else -1]["variables"]


async def test_workflow_with_an_odd_name_is_found(process: Process) -> None:
    name = 'say "hi" - 名前 ${x} {id}'
    harness.application(process.site).workflows.append(Workflow(fixed_id("odd"), name, 0.0))
    assert (await read(process, "harness_workflow", application="Test App", workflow=name)).id == fixed_id("odd")
