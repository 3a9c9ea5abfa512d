"""`idempotency_key` and the settings of a journal that two states share, through Terraform."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, finish, ids, never_ending, phases, runs_of
from tests.support.stack import Stack
from tests.support.systems import CANCELLABLE, SUCCESS, SYSTEMS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

KEY = 'idempotency_key = "release-7"'


@pytest.fixture
def colleague(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Give a second working directory, whose state is its own and whose journal is that of the first."""
    stack.environment["WORKFLOW_JOURNAL"] = str(tmp_path / "shared.sqlite3")
    directory = tmp_path / "colleague"
    directory.mkdir()
    for name in (".terraform", ".terraform.lock.hcl"):
        (directory / name).symlink_to(stack.directory / name)
    other = dataclasses.replace(stack, directory=directory)
    yield other
    other.close()


def test_a_key_names_one_run_whoever_applies(stack: Stack, colleague: Stack, sandbox: SandboxProcess) -> None:
    body = runs_of(SYSTEMS, KEY)
    for directory in (stack, colleague):
        directory.write(body)
        result = directory.applied()
        told = [warning.summary for warning in result.warnings if "already answers" in warning.summary]
        assert len(told) == (0 if directory is stack else 3)
        assert directory.plan().status == 0
    for system in SYSTEMS:
        (run,) = ids(sandbox, system)
        values = colleague.values(address(system))
        assert (values["id"], values["status"]) == (run, SUCCESS[system])

    colleague.write(runs_of(SYSTEMS, KEY, 'triggers = { v = "2" }'))
    assert len(colleague.plan().errors) == 3, "who joined a run cannot give its key to another"
    stack.write(runs_of(SYSTEMS, KEY, 'triggers = { v = "2" }'))
    stack.applied()
    colleague.applied()
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [2, 2, 2], "the holder's key goes to its next run"


def test_other_arguments_are_refused_at_plan_and_named(stack: Stack, colleague: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, KEY))
    stack.applied()
    colleague.write(runs_of(SYSTEMS, KEY, 'triggers = { v = "2" }'))
    errors = colleague.plan().errors
    assert {error.address for error in errors} == {address(system) for system in SYSTEMS}
    assert all("`triggers`" in error.detail and "release-7" in error.summary for error in errors)
    assert colleague.apply().status == 1
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]


def test_who_joined_a_run_leaves_it_alone(stack: Stack, colleague: Stack, sandbox: SandboxProcess) -> None:
    body = runs_of(CANCELLABLE, KEY, "wait = false", 'on_destroy = "cancel"')
    never_ending(sandbox, *CANCELLABLE)
    for directory in (stack, colleague):
        directory.write(body)
        directory.applied()
    colleague.destroy()
    assert [phases(sandbox, system) for system in CANCELLABLE] == [["RUNNING"]] * 2
    stack.destroy()
    wait_until(lambda: [phases(sandbox, system) for system in CANCELLABLE] == [["CANCELLED"]] * 2, "cancellation")
    colleague.applied()
    assert [len(ids(sandbox, system)) for system in CANCELLABLE] == [2, 2], "a destroyed run answers no key"


def test_adding_and_removing_a_key_starts_nothing_and_changing_it_does(stack: Stack, sandbox: SandboxProcess) -> None:
    for lines, runs in (((), 1), ((KEY,), 1), ((), 1), ((KEY,), 1), (('idempotency_key = "release-8"',), 2)):
        stack.write(runs_of(SYSTEMS, *lines))
        stack.applied()
        assert [len(ids(sandbox, system)) for system in SYSTEMS] == [runs] * 3
        assert stack.plan().status == 0


def test_two_states_of_one_directory_have_runs_of_their_own(stack: Stack, sandbox: SandboxProcess) -> None:
    """`init -reconfigure` points a directory to a second state."""
    never_ending(sandbox, *SYSTEMS)
    for name in ("first", "second"):
        backend = f'terraform {{\n  backend "local" {{\n    path = "{name}.tfstate"\n  }}\n}}\n'
        stack.write(backend + runs_of(SYSTEMS, 'timeouts = { create = "2s" }'))
        assert stack.run("init", "-reconfigure", "-input=false").status == 0
        result = stack.apply()
        told = [warning for warning in result.warnings if "is open for another state" in warning.summary]
        assert len({warning.address for warning in told}) == (0 if name == "first" else 3)
        finish(sandbox)
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [2, 2, 2]


def test_a_scope_of_ones_own_goes_along_with_a_state_that_moves(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.environment["WORKFLOW_JOURNAL_SCOPE"] = "shop"
    never_ending(sandbox, *SYSTEMS)
    stack.write(runs_of(SYSTEMS, 'timeouts = { create = "2s" }'))
    assert stack.apply().status == 1
    finish(sandbox)
    backend = 'terraform {\n  backend "local" {\n    path = "moved.tfstate"\n  }\n}\n'
    stack.write(backend + runs_of(SYSTEMS))
    assert stack.run("init", "-migrate-state", "-force-copy", "-input=false").status == 0
    stack.applied()
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]
