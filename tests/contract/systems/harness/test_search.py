"""The search for a start without an answer, among executions that others start: pages, bounds, and when it is proof."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provider_py.execution import Unanswered
from provider_py.plugin import ApplyResult, Severity
from provider_py.sandbox.world import RunsOfOthers
from provider_py.systems.harness import marks
from tests.support.harness import sent
from tests.support.site import Process, Site, only, simple
from tests.support.systems import STARTS, texts

LOST: dict[str, Any] = {"kind": "cut", "after": True}
HOUR = 3600.0


def others(site: Site, count: int, **options: Any) -> None:
    """Let others start the same workflow."""
    site.world.add_others["harness"](RunsOfOthers("harness", "restart", count, **options))


def pages(site: Site) -> list[tuple[int, list[str]]]:
    """The offset of each page that was asked for, and its conditions on times."""
    variables = [body["variables"] for body in sent(site) if body["operationName"] == "recentExecutions"]
    return [
        (
            asked["offset"],
            [entry["creationTime"]["operator"] for entry in asked["filters"] if "creationTime" in entry],
        )
        for asked in variables
    ]


async def lose(process: Process, token: str = "lost") -> tuple[Any, str, float]:
    """Start a run whose answer is lost; return the part, the run's ID and when it was intended."""
    launcher, since = process.launcher("harness"), process.site.clock.time()
    (part,) = await launcher.prepare(simple("harness"), frozenset())
    process.site.inject_fault("harness", STARTS["harness"], **LOST)
    with pytest.raises(Unanswered):
        await launcher.start(part, token)
    return part, process.site.runs("harness")[-1].id, since


async def search(process: Process, part: object, since: float, token: str = "lost") -> str | None:
    run = await process.launcher("harness").search(part, token, since, frozenset())
    return None if run is None else str(run.id)


async def test_a_lost_start_is_found_behind_250_newer_executions(process: Process) -> None:
    part, lost, since = await lose(process)
    await process.site.clock.advance(600)
    others(process.site, 250)
    assert await search(process, part, since) == lost
    assert pages(process.site) == [(0, ["AFTER"]), (99, ["AFTER"]), (198, ["AFTER"])]


async def test_a_create_whose_answer_is_lost_on_a_busy_workflow_is_not_repeated(process: Process) -> None:
    process.site.inject_fault("harness", STARTS["harness"], **LOST)
    process.site.set_behaviors("harness", list_growth=150)
    state = await process.created(simple("harness"))
    assert state.status == "SUCCESS"
    assert len(process.site.starts("harness")) == 1


async def test_a_list_that_grows_while_it_is_paged_hides_nothing(process: Process) -> None:
    part, lost, since = await lose(process)
    others(process.site, 120, apart=0.0)
    process.site.set_behaviors("harness", list_growth=60)
    assert await search(process, part, since) == lost
    assert await search(process, part, since, "another") is None


async def test_a_list_that_grows_faster_than_it_is_read_is_no_proof(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_PAGES", 3)
    part, _, since = await lose(process)
    others(process.site, 120, apart=0.0)
    process.site.set_behaviors("harness", list_growth=100)
    with pytest.raises(Unanswered, match="do not reach back"):
        await search(process, part, since)


async def test_executions_that_disappear_meanwhile_make_a_search_no_proof(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, _, since = await lose(process)
    others(process.site, 150)
    newest = [run.id for run in process.site.runs("harness")[-50:]]
    ask = process.connection("harness").ask

    async def purging(operation: str, request: Any) -> Any:
        answer = await ask(operation, request)
        while newest:
            process.site.world.runs.forget(newest.pop())
        return answer

    monkeypatch.setattr(process.connection("harness"), "ask", purging)
    with pytest.raises(Unanswered, match="disappeared"):
        await search(process, part, since, "another")


@pytest.mark.parametrize("heeded", ["both", "after", "before", "none"])
async def test_a_search_does_not_depend_on_the_conditions_on_times(process: Process, heeded: str) -> None:
    others(process.site, 250, age=5 * HOUR)
    part, lost, since = await lose(process)
    await process.site.clock.advance(3 * HOUR)
    others(process.site, 250)
    process.site.set_behaviors("harness", time_filters=heeded)
    assert await search(process, part, since) == lost
    assert len(pages(process.site)) == (1 if heeded in {"both", "before"} else 3)
    process.site.requests.clear()
    assert await search(process, part, since, "another") is None
    assert len(pages(process.site)) <= 7


async def test_a_start_that_was_sent_long_after_it_was_intended_is_found(process: Process) -> None:
    since = process.site.clock.time()
    await process.site.clock.advance(3 * HOUR)
    part, lost, _ = await lose(process)
    assert await search(process, part, since) == lost
    assert pages(process.site) == [(0, ["AFTER", "BEFORE"]), (0, ["AFTER"])]


async def test_only_as_many_pages_are_read_as_there_are(process: Process) -> None:
    others(process.site, 100, apart=0.0)
    part, _, since = await lose(process)
    assert await search(process, part, since, "another") is None
    assert pages(process.site) == [(0, ["AFTER"]), (99, ["AFTER"])]


async def test_a_search_that_cannot_reach_the_time_is_no_proof(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_PAGES", 2)
    part, lost, since = await lose(process)
    others(process.site, 150, apart=0.0)
    assert await search(process, part, since) == lost
    others(process.site, 150, apart=0.0)
    with pytest.raises(Unanswered, match="the latest 199 executions of the workflow do not reach back to 20"):
        await search(process, part, since)


async def test_nothing_is_started_again_while_the_search_is_no_proof(
    site: Site, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_PAGES", 2)
    site.inject_fault("harness", STARTS["harness"], **LOST)
    site.set_behaviors("harness", list_lag=10 * HOUR)
    lost = await process.create(simple("harness"))
    assert "Unknown whether the Harness execution started" in texts(lost.diagnostics)
    await process.close()
    await site.clock.advance(HOUR)  # now a search that finds nothing would be proof
    site.set_behaviors("harness", list_lag=0.0)
    others(site, 300, age=HOUR / 2, apart=0.0)
    second = await site.process()
    successor: ApplyResult[Any] = await second.create(simple("harness"))
    await second.close()
    assert "Unknown whether the Harness execution started" in texts(successor.diagnostics)
    assert len(site.starts("harness")) == 1
    monkeypatch.setattr(marks, "MAX_PAGES", 100)
    found = await (await site.process()).create(simple("harness"))
    run = site.runs("harness")[0].id
    assert only(found.diagnostics, Severity.WARNING).startswith(f"Resumed run {run} of an earlier apply")
    assert found.state.id == run
    assert len(site.starts("harness")) == 1


async def test_a_run_that_was_found_counts_as_started_though_it_cannot_be_read(process: Process) -> None:
    part, lost, since = await lose(process)
    batch = {"method": "POST", "body": "executionStateBatch"}
    process.site.inject_fault("harness", batch, kind="status", status=404, times=None)
    run = await process.launcher("harness").search(part, "lost", since, frozenset())
    assert (run.id, run.status) == (lost, None)


async def test_notes_of_the_user_stay_beside_the_mark(process: Process) -> None:
    quoted = "as after [terraform run quoted]"
    state = await process.created(simple("harness", notes=quoted))
    assert state.notes == quoted
    (body,) = (body for body in sent(process.site) if body["operationName"] == "startExecution")
    notes = body["variables"]["input"]["notes"]
    assert notes.startswith(f"{quoted}\n\n[terraform run ")
    assert marks.token_of(notes) not in {None, "quoted"}


@pytest.mark.parametrize(
    ("notes", "token"),
    [
        (None, None),
        ("", None),
        ("nothing", None),
        ("[terraform run ]", None),
        ("[terraform run a.1.b]", "a.1.b"),
        ("before [terraform run a] and [terraform run b] after", "b"),
        (json.dumps({"run": "[terraform run a]"}), "a"),
    ],
)
def test_the_last_mark_in_notes_counts(notes: str | None, token: str | None) -> None:
    assert marks.token_of(notes) == token
