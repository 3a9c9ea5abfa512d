"""What a hundred waited-for Harness executions cost in requests, of which the account has thirty a minute.

The provider is measured in real time, through Terraform. The other way is the usual script: every execution looks up
its names, starts and polls for itself, and waits a minute when it is told 429. It would take more than half an hour,
so its sandbox and its pauses go faster; the number of requests is the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx2

from provider_py.cli import terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import HARNESS
from tests.support.stack import HEADER, PROVIDER, Stack

RUNS: Final = 100
RUN_SECONDS: Final = 60
FASTER: Final = 60
"""How much faster than real the usual script's minute goes."""
POLL_SECONDS: Final = 10
_NAMES: Final = """
query($name: String!) { applicationByName(name: $name) { id } }
"""
_WORKFLOW: Final = """
query($application: String!, $name: String!) {
  workflowByName(applicationId: $application, workflowName: $name) { id workflowVariables { name } }
}
"""
_INPUTS: Final = """
query($application: String!, $workflow: String!, $variables: [VariableInput]) {
  executionInputs(applicationId: $application, entityId: $workflow, executionType: WORKFLOW,
                  variableInputs: $variables) { serviceInputs { name } }
}
"""
_START: Final = "mutation($input: StartExecutionInput!) { startExecution(input: $input) { execution { id status } } }"
_STATUS: Final = "query($id: String!) { execution(executionId: $id) { id status } }"


def measure(directory: Path) -> None:
    """Print both ways."""
    print(f"\n{RUNS} Harness executions by name, {RUN_SECONDS} s each, all waited for:", flush=True)
    _print("workflow, -parallelism=100", *_ours(directory))
    _print("one request per step", *_usual())


def _print(name: str, requests: Sequence[dict[str, Any]], took: float) -> None:
    answered = Counter(request["status"] for request in requests)
    print(
        f"{name:<28} {len(requests):>6} requests, {answered[429]:>5} of them answered 429, {took:>6.0f} s", flush=True
    )


def _ours(directory: Path) -> tuple[Sequence[dict[str, Any]], float]:
    home, stack = directory / "home-requests", directory / "requests"
    install(home / MIRROR)
    stack.mkdir()
    with SandboxProcess(run_seconds=RUN_SECONDS) as sandbox:
        sandbox.ask("POST", "/behaviours", {"harness": {"deployments_per_day": 0}})
        made = Stack(terraform.find(), stack, terraform.environment(home, **sandbox.environment), patience=1800)
        counted = HARNESS.rstrip().removesuffix("}") + f'  count = {RUNS}\n  notes = "${{count.index}}"\n}}\n'
        (stack / "main.tf").write_text(HEADER + PROVIDER + counted)
        made.init()
        began = time.monotonic()
        made.applied(f"-parallelism={RUNS}")
        took = time.monotonic() - began
        requests = sandbox.requests("harness")
        _expect(sandbox)
        sandbox.forget_requests()
        made.plan()
        print(f"{'a plan of them, finished':<28} {len(sandbox.requests('harness')):>6} requests", flush=True)
        return requests, took


def _usual() -> tuple[Sequence[dict[str, Any]], float]:
    with SandboxProcess(run_seconds=RUN_SECONDS, speed=FASTER) as sandbox:
        sandbox.ask("POST", "/behaviours", {"harness": {"deployments_per_day": 0}})
        began = time.monotonic()
        asyncio.run(_script(sandbox.environment))
        took = (time.monotonic() - began) * FASTER
        _expect(sandbox)
        return sandbox.requests("harness"), took


def _expect(sandbox: SandboxProcess) -> None:
    runs = len(sandbox.ask("GET", "/runs?system=harness"))
    if runs != RUNS:
        message = f"{runs} executions were started instead of {RUNS}"
        raise RuntimeError(message)


async def _script(environment: dict[str, str]) -> None:
    async with httpx2.AsyncClient(
        base_url=environment["HARNESS_ENDPOINT"],
        params={"accountId": environment["HARNESS_ACCOUNT_ID"]},
        headers={"x-api-key": environment["HARNESS_API_KEY"]},
        timeout=60,
        limits=httpx2.Limits(max_connections=RUNS),
    ) as client:
        await asyncio.gather(*(_run(client) for _ in range(RUNS)))


async def _run(client: httpx2.AsyncClient) -> None:
    application = (await _ask(client, _NAMES, name="Test App"))["applicationByName"]["id"]
    named = {"application": application, "name": "multi service graphql test"}
    workflow = (await _ask(client, _WORKFLOW, **named))["workflowByName"]["id"]
    pairs = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
    variables = [{"name": name, "variableValue": {"type": "NAME", "value": value}} for name, value in pairs.items()]
    await _ask(client, _INPUTS, application=application, workflow=workflow, variables=variables)
    artifacts = {"test": ("library_nginx", "stable-perl"), "k8s": ("docker_hello-world", "latest")}
    services = [
        {
            "name": name,
            "artifactValueInput": {
                "valueType": "BUILD_NUMBER",
                "buildNumber": {"artifactSourceName": source, "buildNumber": build},
            },
        }
        for name, (source, build) in artifacts.items()
    ]
    start = {
        "applicationId": application,
        "entityId": workflow,
        "executionType": "WORKFLOW",
        "variableInputs": variables,
        "serviceInputs": services,
    }
    execution = (await _ask(client, _START, input=start))["startExecution"]["execution"]
    while execution["status"] != "SUCCESS":
        await asyncio.sleep(POLL_SECONDS / FASTER)
        execution = (await _ask(client, _STATUS, id=execution["id"]))["execution"]


async def _ask(client: httpx2.AsyncClient, query: str, **variables: object) -> dict[str, Any]:
    while True:
        response = await client.post("/api/graphql", json={"query": query, "variables": variables})
        if response.status_code != 429:
            data: dict[str, Any] = response.json()["data"]
            return data
        await asyncio.sleep(60 / FASTER)
