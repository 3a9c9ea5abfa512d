"""A trigger is created once, whatever becomes of the answer or of the process: two would start everything twice."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provider_py.execution.life import End, Place
from provider_py.execution.starting import CERTAIN_SECONDS
from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.systems.harness.trigger_model import (
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
)
from tests.support import harness
from tests.support.harness import APPLICATION
from tests.support.site import Process, Site, only

DEPLOY = "bhI2FyPrTpupdzL4QEk0_A"


def trigger(name: str = "nightly", cron: str = "0 0 2 * * ?") -> HarnessTrigger:
    return HarnessTrigger(
        application_id=APPLICATION,
        name=name,
        condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron=cron)),
        action=HarnessTriggerAction(workflow_id=DEPLOY),
    )


def lose(site: Site, operation: str, *, after: bool = True, times: int = 1) -> None:
    """Have the answers to the next requests of an operation get lost, or the requests themselves."""
    site.world.faults.add(Fault("harness", FaultKind.CUT, Match(body=operation), after=after, times=times))


def count(site: Site, operation: str) -> int:
    return harness.operations(site).count(operation)


async def attempts(process: Process) -> list[Any]:
    """Return all attempts in the journal."""
    journal = process.provider._journal
    attempts: list[Any] = await journal._do(lambda session: journal._select(session, "type = ?", "harness_trigger"))
    return attempts


async def lost(site: Site, *, arrived: bool) -> None:
    """Have a process send a creation, learn nothing of it, and end as a crash does."""
    process = await site.process()
    lose(site, "createTrigger", after=arrived)
    if arrived:
        lose(site, "triggerByName", times=50)
    result = await process.create(trigger())
    assert result.state is None
    (attempt,) = await attempts(process)
    assert f"workflow-provider journal settle {attempt.token} --not-started" in only(result.diagnostics)
    assert attempt.place is Place.INTENDED
    await process.close()
    site.world.faults.clear()


async def test_a_creation_that_shows_late_is_found_by_the_same_process(site: Site) -> None:
    process = await site.process()
    lose(site, "createTrigger")
    lose(site, "triggerByName", times=2)
    result = await process.create(trigger())
    assert list(result.diagnostics) == []
    assert count(site, "createTrigger") == 1
    (attempt,) = await attempts(process)
    assert (attempt.known_runs, attempt.end) == ((result.state.id,), End.SUCCEEDED)


async def test_an_unanswered_creation_is_found_by_the_next_process(site: Site) -> None:
    await lost(site, arrived=True)
    process = await site.process()
    result = await process.create(trigger())
    assert only(result.diagnostics, Severity.WARNING).startswith(f"Resumed trigger {result.state.id} of an earlier")
    assert count(site, "createTrigger") == 1
    read = await process.resource("harness_trigger").read(result.state, result.private)
    assert read.state == result.state


async def test_a_creation_that_never_arrived_is_sent_again_once_that_is_certain(site: Site) -> None:
    await lost(site, arrived=False)
    process = await site.process()
    began = site.clock.monotonic()
    assert await process.created(trigger())
    assert site.clock.monotonic() - began >= CERTAIN_SECONDS
    assert count(site, "createTrigger") == 2


@pytest.mark.parametrize("cron", ["0 0 2 * * ?", "0 0 3 * * ?"], ids=["equal", "changed"])
async def test_a_trigger_that_was_not_stored_is_taken_and_gets_the_arguments(site: Site, cron: str) -> None:
    process = await site.process()
    first = await process.created(trigger())
    await process.close()
    process = await site.process()
    result = await process.create(trigger(cron=cron))
    assert only(result.diagnostics, Severity.WARNING).startswith(f"Resumed trigger {first.id} of an earlier apply\n")
    assert result.state == dataclasses.replace(trigger(cron=cron), id=first.id)
    read = await process.resource("harness_trigger").read(result.state, result.private)
    assert read.state == result.state
    assert count(site, "createTrigger") == 1


async def test_a_taken_trigger_that_cannot_be_updated_taints_its_entry(site: Site) -> None:
    process = await site.process()
    first = await process.created(trigger())
    await process.close()
    process = await site.process()
    lose(site, "updateTrigger", after=False)
    result = await process.create(trigger())
    assert result.state.id == first.id
    assert [diagnostic.severity for diagnostic in result.diagnostics] == [Severity.WARNING, Severity.ERROR]


async def test_a_trigger_that_is_gone_is_created_again(site: Site) -> None:
    process = await site.process()
    first = await process.created(trigger())
    await process.connection("harness").client.delete_trigger(
        input={"applicationId": APPLICATION, "triggerId": first.id}
    )
    await process.close()
    process = await site.process()
    result = await process.create(trigger())
    assert only(result.diagnostics, Severity.WARNING).startswith(f"Trigger {first.id} of an earlier apply no longer")
    assert result.state.id != first.id


async def test_a_trigger_that_a_state_holds_is_not_adopted(site: Site) -> None:
    process = await site.process()
    first = await process.create(trigger())
    await process.close()
    process = await site.process()
    await process.resource("harness_trigger").read(first.state, first.private)
    lose(site, "createTrigger", after=False)
    result = await process.create(trigger())
    assert result.state is None
    assert first.state.id in only(result.diagnostics)
    assert "terraform import" in only(result.diagnostics)
    assert [attempt.place for attempt in await attempts(process)] == [Place.SEEN, Place.INTENDED]


async def test_a_destroyed_trigger_is_closed_in_the_journal(site: Site) -> None:
    process = await site.process()
    first = await process.create(trigger())
    await process.resource("harness_trigger").delete(first.state, first.private)
    assert [attempt.place for attempt in await attempts(process)] == [Place.CLOSED]
    await process.close()
    process = await site.process()
    assert (await process.created(trigger())).id != first.state.id


async def test_an_import_settles_an_unanswered_creation(site: Site) -> None:
    await lost(site, arrived=True)
    process = await site.process()
    (identifier,) = (node.id for node in (await process.connection("harness").client.triggers(limit=9)).triggers.nodes)
    await process.resource("harness_trigger").import_state(f"{APPLICATION}/{identifier}")
    assert [attempt.place for attempt in await attempts(process)] == [Place.CLOSED]


async def test_the_journal_has_neither_the_inputs_nor_their_hashes(site: Site) -> None:
    process = await site.process()
    await process.created(trigger())
    (attempt,) = await attempts(process)
    assert attempt.arguments.keys() == {"application_id", "name", "kind"}
