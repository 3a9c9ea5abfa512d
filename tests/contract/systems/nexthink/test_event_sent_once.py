"""Whose an event is: sent once for each wish, whatever becomes of the process, and once for each key."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from provider_py.execution.life import End, Place, private_of
from provider_py.plugin import Change, Decoded, Severity
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.systems.nexthink.event import NexthinkEvent
from tests.support.nexthink import laptops, run
from tests.support.site import Process, Site, only

GATE = "#approval_gate"


@pytest.fixture
async def executions(process: Process) -> list[str]:
    """Start executions of one request that wait for an event each; the process that did ends in order."""
    started = await run(process, workflow=GATE, devices=laptops(2), wait=False)
    await process.close(orderly=True)
    return list(started.execution_ids or [])


def event(execution: str, **arguments: Any) -> NexthinkEvent:
    return NexthinkEvent(workflow=GATE, execution_id=execution, **arguments)


def lose(site: Site, *, after: bool = True) -> None:
    """Have the answer to the next event get lost, or the event itself."""
    site.world.faults.add(Fault("nexthink", FaultKind.CUT, Match(path="/trigger"), after=after))


def sent(site: Site) -> int:
    return len(site.received("/trigger"))


async def attempts(process: Process) -> list[Any]:
    """Return all attempts in the journal."""
    journal = process.provider._journal
    attempts: list[Any] = await journal._do(lambda session: journal._select(session, "type = ?", "nexthink_event"))
    return attempts


@pytest.mark.parametrize("after", [True, False], ids=["arrived", "never arrived"])
async def test_an_unanswered_event_is_not_sent_again_until_it_is_settled(
    site: Site, executions: list[str], after: bool
) -> None:
    lose(site, after=after)
    process = await site.process()
    for _ in range(3):
        result = await process.create(event(executions[0]))
        text = only(result.diagnostics)
        assert result.state is None
        assert text.startswith("Unknown whether the event arrived\n")
        (attempt,) = await attempts(process)
        assert f"Check execution {executions[0]} in Nexthink" in text
        assert f"`workflow-provider journal settle {attempt.token} --not-started`" in text
        assert f"`workflow-provider journal settle {attempt.token} --started {executions[0]}/{attempt.token}`" in text
        await process.close(orderly=True)
        process = await site.process()
    assert sent(site) == 1


async def test_an_event_settled_as_started_is_kept(site: Site, executions: list[str]) -> None:
    lose(site)
    process = await site.process()
    await process.create(event(executions[0]))
    (attempt,) = await attempts(process)
    await process.provider._journal.named(attempt, 0, f"{executions[0]}/{attempt.token}")
    await process.close()
    process = await site.process()
    result = await process.create(event(executions[0]))
    assert only(result.diagnostics, Severity.WARNING).startswith("Resumed event ")
    assert result.state.id == executions[0]
    assert result.state.event_id == f"{executions[0]}/{attempt.token}"
    assert sent(site) == 1


async def test_an_event_settled_as_not_started_is_sent(site: Site, executions: list[str]) -> None:
    lose(site, after=False)
    process = await site.process()
    await process.create(event(executions[0]))
    (attempt,) = await attempts(process)
    await process.provider._journal.not_sent(attempt, 0)
    await process.close()
    process = await site.process()
    result = await process.create(event(executions[0]))
    assert list(result.diagnostics) == []
    assert sent(site) == 2


async def test_an_event_that_was_not_stored_is_taken_by_the_next_equal_create_alone(
    site: Site, executions: list[str]
) -> None:
    process = await site.process()
    first = await process.create(event(executions[0]))
    await process.close()
    process = await site.process()
    other = await process.create(event(executions[1]))
    assert list(other.diagnostics) == []
    result = await process.create(event(executions[0]))
    text = only(result.diagnostics, Severity.WARNING)
    assert text.startswith(f"Resumed event {first.state.event_id} of an earlier apply\n")
    assert "No new event was sent" in text
    assert result.state == first.state
    assert sent(site) == 2


@pytest.mark.parametrize("held", ["request", "event"])
async def test_a_state_file_holds_an_event_by_its_own_id(
    site: Site, executions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """The ID of the request is in the state of the execution, and in those of events for other executions."""
    monkeypatch.chdir(tmp_path)
    process = await site.process()
    first = await process.create(event(executions[0]))
    await process.close()
    attributes = {"id": first.state.id, "event_id": first.state.event_id if held == "event" else None}
    content = {"resources": [{"instances": [{"attributes": attributes}]}]}
    (tmp_path / "terraform.tfstate").write_text(json.dumps(content))
    process = await site.process()
    result = await process.create(event(executions[0]))
    assert (result.state == first.state) is (held == "request")
    assert sent(site) == (1 if held == "request" else 2)


async def test_events_of_one_request_are_told_apart(site: Site, executions: list[str]) -> None:
    process = await site.process()
    first, second = [(await process.create(event(execution))).state for execution in executions]
    assert first.id == second.id
    assert first.event_id != second.event_id
    await process.close()
    process = await site.process()
    await process.resource("nexthink_event").read(first, b"")
    places = {attempt.known_runs[0]: attempt.place for attempt in await attempts(process)}
    assert places == {first.event_id: Place.SEEN, second.event_id: Place.STARTED}


async def test_an_event_that_the_state_holds_is_no_longer_taken(site: Site, executions: list[str]) -> None:
    process = await site.process()
    first = await process.create(event(executions[0]))
    await process.close()
    process = await site.process()
    assert (await process.resource("nexthink_event").read(first.state, first.private)).state == first.state
    result = await process.create(event(executions[0]))
    assert "EXECUTION_NOT_WAITING" in only(result.diagnostics)
    assert sent(site) == 2


async def test_a_destroyed_event_answers_no_create(site: Site, executions: list[str]) -> None:
    process = await site.process()
    first = await process.create(event(executions[0]))
    await process.resource("nexthink_event").delete(first.state, first.private)
    assert [attempt.place for attempt in await attempts(process)] == [Place.CLOSED]
    await process.close()
    process = await site.process()
    await process.create(event(executions[0]))
    assert sent(site) == 2


KEYED: dict[str, Any] = {"idempotency_key": "approve-7"}


async def test_an_event_with_the_key_is_returned_whoever_applies(site: Site, executions: list[str]) -> None:
    process = await site.process()
    first = await process.create(event(executions[0], **KEYED))
    (attempt,) = await attempts(process)
    assert (attempt.end, attempt.key) == (End.SUCCEEDED, "approve-7")
    process = await site.process(journal_scope="another state")
    joined = await process.create(event(executions[0], **KEYED))
    text = only(joined.diagnostics, Severity.WARNING)
    assert text.startswith(f"Nexthink event {first.state.event_id} already answers idempotency_key 'approve-7'\n")
    assert "It was sent at " in text
    assert joined.state == first.state
    await process.resource("nexthink_event").delete(joined.state, joined.private)
    assert [attempt.place for attempt in await attempts(process)] == [Place.STARTED]
    assert sent(site) == 1


async def test_a_key_with_other_arguments_is_refused_before_anything_is_sent(site: Site, executions: list[str]) -> None:
    process = await site.process()
    await process.create(event(executions[0], **KEYED))
    process = await site.process(journal_scope="another state")
    other = event(executions[1], **KEYED)
    for diagnostics in (await process.plan(other), (await process.create(other)).diagnostics):
        text = only(diagnostics)
        assert text.startswith("idempotency_key 'approve-7' belongs to another event\n")
        assert "`execution_id`" in text
        assert "Nothing was sent" in text
    assert sent(site) == 1


async def test_an_unanswered_event_is_unknown_to_all_who_have_its_key(site: Site, executions: list[str]) -> None:
    lose(site)
    process = await site.process()
    await process.create(event(executions[0], **KEYED))
    await process.close()
    process = await site.process(journal_scope="another state")
    result = await process.create(event(executions[0], **KEYED))
    assert only(result.diagnostics).startswith("Unknown whether the event arrived\n")
    assert sent(site) == 1


@pytest.mark.parametrize("create_before_destroy", [True, False])
async def test_changed_arguments_of_the_entry_that_holds_the_key_send_the_next_event(
    site: Site, executions: list[str], create_before_destroy: bool
) -> None:
    process = await site.process()
    resource = process.resource("nexthink_event")
    first = await process.create(event(executions[0], **KEYED))
    await process.close(orderly=True)

    process = await site.process()
    resource = process.resource("nexthink_event")
    changed = event(executions[1], **KEYED)
    await resource.plan(Change(first.state, Decoded(changed), frozenset({"execution_id"}), first.private))
    planned = await resource.plan(Change(None, Decoded(changed), frozenset()))
    assert planned.diagnostics == ()
    if not create_before_destroy:
        await resource.delete(first.state, planned.private)
    second = await process.create(changed)
    if create_before_destroy:
        await resource.delete(first.state, first.private)
    assert list(second.diagnostics) == []
    numbers = {attempt.number: attempt.place for attempt in await attempts(process)}
    assert numbers == {1: Place.CLOSED, 2: Place.STARTED}
    assert sent(site) == 2


async def test_adding_a_key_sends_nothing_and_changing_it_replaces(site: Site, executions: list[str]) -> None:
    process = await site.process()
    resource = process.resource("nexthink_event")
    first = await process.create(event(executions[0]))
    keyed = dataclasses.replace(first.state, **KEYED)
    plan = await resource.plan(Change(first.state, Decoded(keyed), frozenset({"idempotency_key"}), first.private))
    assert plan.replace == ()
    assert (await resource.update(first.state, keyed, first.private)).state == keyed
    renamed = dataclasses.replace(keyed, idempotency_key="approve-8")
    plan = await resource.plan(Change(keyed, Decoded(renamed), frozenset({"idempotency_key"}), first.private))
    assert plan.replace == [("idempotency_key",)]
    process = await site.process(journal_scope="another state")
    joined = await process.create(event(executions[0], **KEYED))
    assert joined.state == keyed
    assert private_of(joined.private).joined
    assert sent(site) == 1


async def test_what_is_taken_needs_no_preflight(site: Site, executions: list[str]) -> None:
    process = await site.process()
    await process.create(event(executions[0]))
    await process.close()
    process = await site.process()
    site.requests.clear()
    assert await process.plan(event(executions[0])) == ()
    assert site.requests == []


async def test_nothing_is_sent_when_the_journal_is_unusable(
    site: Site, executions: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("unusable")
    process = await site.process({"WORKFLOW_JOURNAL": str(directory / "journal")})
    (directory / "journal").mkdir()
    result = await process.create(event(executions[0]))
    assert only(result.diagnostics).startswith("Nexthink event was not sent\n")
    assert sent(site) == 0


async def test_an_event_is_not_sent_after_an_interrupt(site: Site, executions: list[str]) -> None:
    process = await site.process()
    process.stop.set()
    result = await process.create(event(executions[0]))
    assert "interrupted" in only(result.diagnostics)
    assert sent(site) == 0
    assert await attempts(process) == []
