"""Failed runs in a state: what the plan, the refresh and the import make of them, on all systems alike."""

from __future__ import annotations

import dataclasses
from typing import Any

from provider_py.execution.life import Held, Standing, private_of
from provider_py.plugin import Change, Decoded, Plan, Severity
from tests.support.site import Process, only, simple
from tests.support.systems import FAILURE, every_system


async def failed(process: Process, system: str, **arguments: Any) -> Any:
    """Start a run that fails, and return its state."""
    process.site.script(system, seconds=1, ending=FAILURE[system], reason="out of coffee")
    result = await process.create(simple(system, on_failure="keep", **arguments))
    assert result.state.status == FAILURE[system]
    return result.state


def import_id(system: str, state: Any) -> str:
    match system:
        case "harness":
            return str(state.id)
        case "nexthink":
            return f"{state.workflow}/{state.id}"
        case _:
            return str(state.import_id)


async def planned(process: Process, system: str, prior: Any, **changed: Any) -> Plan:
    after = dataclasses.replace(prior, **changed)
    plan: Plan = await process.execution(system).plan(Change(prior, Decoded(after), frozenset(changed)))
    return plan


@every_system
async def test_a_failed_run_is_replaced_unless_failures_are_accepted_or_nobody_waits(
    process: Process, system: str
) -> None:
    state = await failed(process, system)
    for wait, on_failure, expired, replaced in (
        (True, "error", False, True),
        (True, "keep", False, False),
        (False, "error", False, False),
        (False, "keep", False, False),
        (True, "error", True, False),
    ):
        prior = dataclasses.replace(state, record_expired=expired)
        plan = await planned(process, system, prior, wait=wait, on_failure=on_failure)
        assert (list(plan.replace) == [("status",)]) is replaced
        assert ("status" in plan.unknown) is replaced
        if replaced:
            text = only(plan.diagnostics, Severity.WARNING)
            assert f"{state.id} failed with status {FAILURE[system]}" in text
            assert (state.status_message or "") in text
            assert 'on_failure = "keep"' in text
        else:
            assert plan.diagnostics == ()


@every_system
async def test_the_refresh_of_a_failed_create_says_why_it_is_replaced(process: Process, system: str) -> None:
    state = dataclasses.replace(await failed(process, system), on_failure="error")
    marked = await process.execution(system).read(state, Held(Standing.FAILED).encode())
    assert "replaced by a new run" in only(marked.diagnostics, Severity.WARNING)
    assert marked.state == state
    kept = dataclasses.replace(state, on_failure="keep")
    for stored, standing in ((state, Standing.SETTLED), (kept, Standing.FAILED)):
        assert not (await process.execution(system).read(stored, Held(standing).encode())).diagnostics


@every_system
async def test_a_create_whose_run_fails_is_marked(process: Process, system: str) -> None:
    process.site.script(system, seconds=1, ending=FAILURE[system])
    result = await process.create(simple(system))
    assert private_of(result.private) == Held(Standing.FAILED)
    assert "The next apply starts a new run" in only(result.diagnostics, Severity.ERROR)


@every_system
async def test_an_imported_failure_is_kept_until_the_configuration_says_otherwise(
    process: Process, system: str
) -> None:
    state = await failed(process, system)
    imported = (await process.execution(system).import_state(import_id(system, state))).state
    assert (imported.status, imported.on_failure) == (FAILURE[system], "keep")
    assert (await planned(process, system, imported)).replace == ()
    assert list((await planned(process, system, imported, on_failure="error")).replace) == [("status",)]


@every_system
async def test_an_imported_success_judges_failures_as_usual(process: Process, system: str) -> None:
    state = (await process.create(simple(system))).state
    assert (await process.execution(system).import_state(import_id(system, state))).state.on_failure == "error"
