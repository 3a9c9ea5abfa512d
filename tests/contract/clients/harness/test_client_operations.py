"""Each question of the guide has an answer in the generated client, which works against the simulated account."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from ariadne_codegen.utils import str_to_snake_case
from harness_client import Client

from provider_py.provider import DATA_SOURCES, RESOURCES
from tests.contract.clients.harness import faq_account, faq_runs
from tests.contract.clients.harness.conftest import Account

GUIDE: Final = Path(__file__).parents[4] / "docs" / "guides" / "harness-faq.md"
ANSWERS: Final[dict[str, Callable[[Account], Awaitable[None]]]] = {
    "trigger a workflow or pipeline": faq_runs.trigger_workflow,
    "see the executions of a workflow": faq_runs.executions_of_workflow,
    "export executions": faq_runs.export,
    "answer an approval": faq_runs.approvals,
    "give a waiting stage its inputs": faq_runs.runtime_inputs,
    "run a failed pipeline again from a stage": faq_runs.resume,
    "see the freezes of deployments": faq_account.freezes,
    "create, change and remove an application": faq_runs.application,
    "keep an application in step with Git": faq_runs.git_sync,
    "list the pipelines of an application": faq_runs.pipelines_of_application,
    "list the services of an application": faq_runs.services_of_application,
    "list services by a filter on the application": faq_runs.services,
    "find applications by tag": faq_runs.applications_by_tag,
    "find an id by name": faq_account.ids_by_name,
    "see a workflow": faq_runs.workflow,
    "find the id of a pipeline": faq_runs.pipeline_by_name,
    "see a pipeline": faq_runs.pipeline,
    "see environments and infrastructure definitions": faq_runs.environments,
    "create, read, change and remove triggers": faq_runs.triggers,
    "see the artifact sources of a service and their artifacts": faq_runs.artifact_sources,
    "find the source of an artifact": faq_runs.artifact_to_source,
    "see what is particular to each type of artifact source": faq_runs.artifact_types,
    "invite a user and put them into user groups": faq_account.users,
    "find a user by e-mail address": faq_account.user_by_email,
    "give a user group permissions": faq_account.permissions,
    "attach and detach tags": faq_account.tags,
    "find entities by tag": faq_runs.entities_by_tag,
    "keep an encrypted text": faq_account.encrypted_text,
    "keep an encrypted file": faq_account.encrypted_file,
    "keep an SSH credential": faq_account.ssh_credential,
    "keep a WinRM credential": faq_account.winrm_credential,
    "see the secret managers": faq_account.secret_managers,
    "create, read, change and remove Git connectors": faq_account.git_connectors,
    "create, read, change and remove cloud providers": faq_account.cloud_providers,
    "find a cloud provider by id": faq_account.cloud_provider_by_id,
    "find a cloud provider by name": faq_account.cloud_provider_by_name,
    "find the cloud providers of a type": faq_account.cloud_providers_by_type,
}


class Row(NamedTuple):
    """A line of the guide's tables."""

    task: str
    operations: frozenset[str]
    terraform: frozenset[str]


def rows() -> list[Row]:
    cells = (line.strip("|").split("|") for line in GUIDE.read_text("utf-8").splitlines() if line.startswith("| "))
    return [
        Row(task.strip(), frozenset(re.findall(r"`(\w+)`", operations)), frozenset(re.findall(r"`(\w+)`", terraform)))
        for task, operations, terraform in cells
        if task.strip() != "To"
    ]


def test_the_guide_and_the_answers_name_the_same_tasks() -> None:
    assert [row.task for row in rows()] == list(ANSWERS)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.task)
async def test_the_operations_do_what_the_guide_says(account: Account, row: Row) -> None:
    await ANSWERS[row.task](account)

    sent = {str_to_snake_case(name) for name in account.client.sent}
    assert row.operations <= sent


def test_every_operation_of_the_guide_is_a_method_of_the_client() -> None:
    named = {operation for row in rows() for operation in row.operations}

    assert [name for name in sorted(named) if name not in vars(Client)] == []


def test_every_terraform_name_of_the_guide_is_registered() -> None:
    registered = {f"workflow_{kind.name}" for kind in (*RESOURCES, *DATA_SOURCES)}
    named = {name for row in rows() for name in row.terraform}

    assert named <= registered
