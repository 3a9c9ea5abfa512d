"""Whose a run is across processes, in each of the three systems, by the calls that Terraform makes."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from provider_py.execution.life import Held, Planned, Standing, private_of
from provider_py.plugin import ApplyResult, Change, Decoded, Severity
from tests.support.site import Process, Site, only, simple
from tests.support.systems import CANCELLABLE, CANCELS, LOOKUPS, POLLS, SUCCESS, every_system, texts


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory of one's own, whose journal is that of every process."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


async def owed(site: Site, config: Any) -> Any:
    """Apply a run that is lost track of, in a process of its own; return what Terraform stores."""
    process = await site.process()
    system = next(system for system in SUCCESS if system in type(config).__name__.lower())
    runs = len(site.runs())
    creation = asyncio.create_task(process.create(config))
    await site.until_started(system, runs + 1)
    site.inject_fault(system, POLLS[system], "status", status=403, times=None)
    result = await creation
    assert "Lost track" in only(result.diagnostics)
    await process.close(orderly=True)
    site.world.faults.clear()
    return result


async def planned(site: Site, *shown: Any, config: Any = None) -> bytes:
    """Refresh entries and plan the creation of the last one's replacement; return what is planned in private."""
    process = await site.process()
    for entry in shown:
        await process._for(entry.state).read(entry.state, entry.private)
    resource = process._for(config if config is not None else shown[-1].state)
    plan = await resource.plan(Change(None, Decoded(config if config is not None else _inputs(shown[-1])), frozenset()))
    assert plan.private is not None
    assert isinstance(private_of(plan.private), Planned)
    await process.close(orderly=True)
    return plan.private


def _inputs(entry: Any) -> Any:
    return simple(next(system for system in SUCCESS if system in type(entry.state).__name__.lower()))


@every_system
async def test_an_owed_run_is_taken_by_the_create_that_replaces_its_entry(site: Site, system: str) -> None:
    site.script(system)
    config = simple(system, on_destroy="cancel" if system in CANCELLABLE else "forget")
    entry = await owed(site, config)
    assert private_of(entry.private) == Held(Standing.OWED)
    private = await planned(site, entry, config=config)
    applying = await site.process()
    site.finish()
    assert await applying.execution(system).delete(entry.state, private) == ApplyResult(None)
    result = await applying.create(config)
    assert (result.state.id, result.state.status) == (entry.state.id, SUCCESS[system])
    assert list(result.diagnostics) == []
    assert private_of(result.private) == Held(tenure=1)
    assert len(site.runs()) == 1


@every_system
async def test_taking_up_a_run_needs_no_preflight(site: Site, system: str) -> None:
    site.script(system)
    entry = await owed(site, simple(system))
    site.inject_fault(system, LOOKUPS[system], "status", status=404, times=None)  # as a workflow that was deactivated
    private = await planned(site, entry)
    applying = await site.process()
    await applying.execution(system).delete(entry.state, private)
    site.finish()
    assert (await applying.create(simple(system))).state.id == entry.state.id


@every_system
async def test_a_run_that_cannot_be_read_when_it_is_taken_up_stays_in_the_state(site: Site, system: str) -> None:
    site.script(system)
    entry = await owed(site, simple(system))
    private = await planned(site, entry)
    applying = await site.process()
    await applying.execution(system).delete(entry.state, private)
    site.inject_fault(system, POLLS[system], "status", status=403, times=None)
    site.set_behaviors("vcd", missing="404")
    result = await applying.create(simple(system))
    assert "Lost track" in only(result.diagnostics)
    assert result.state.id == entry.state.id
    assert private_of(result.private) == Held(Standing.OWED, tenure=1)
    await applying.close(orderly=True)
    site.world.faults.clear()
    site.finish()
    private = await planned(site, result)
    again = await site.process()
    await again.execution(system).delete(result.state, private)
    assert (await again.create(simple(system))).state.id == entry.state.id
    assert len(site.runs()) == 1


@every_system
async def test_a_run_that_vanishes_after_it_was_lost_track_of_is_kept(site: Site, system: str) -> None:
    site.set_behaviors("nexthink", row_lag_seconds=0)
    site.script(system)
    entry = await owed(site, simple(system))
    site.world.runs.forget(entry.state.id)
    if system == "nexthink":
        await site.clock.advance(2 * 3600)
    ends = []
    for _ in range(2):
        private = await planned(site, entry)
        applying = await site.process()
        await applying.execution(system).delete(entry.state, private)
        entry = await applying.create(simple(system))
        ends.append((entry.diagnostics[0].severity, entry.state.record_expired))
        await applying.close(orderly=True)
    assert ends == [(Severity.ERROR, False), (Severity.WARNING, True)]
    assert len(site.starts(system)) == 1


@pytest.mark.parametrize("system", CANCELLABLE)
@pytest.mark.parametrize("change", ["inputs", "no wait", "not owed"])
async def test_what_the_replacement_does_not_take_is_cancelled_if_that_is_asked_for(
    site: Site, system: str, change: str
) -> None:
    site.script(system)
    config = simple(system, on_destroy="cancel")
    if change == "not owed":
        started = await (await site.process()).started(config)
        entry: Any = ApplyResult(dataclasses.replace(started, wait=True), (), Held().encode())
        for process in (await site.process(), await site.process()):
            await process.execution(system).read(entry.state, entry.private)
            await process.close(orderly=True)
    else:
        entry = await owed(site, config)
    changes: dict[str, dict[str, Any]] = {
        "inputs": {"triggers": {"v": "2"}},
        "no wait": {"wait": False},
        "not owed": {},
    }
    new = changes[change]
    private = await planned(site, entry, config=dataclasses.replace(config, **new))
    applying = await site.process()
    await applying.execution(system).delete(entry.state, private)
    assert len(site.matching(system, CANCELS)) == 1
    created = await applying.create(dataclasses.replace(config, **new))
    assert created.state.id != entry.state.id
    assert len(site.runs()) == 2


@pytest.mark.parametrize("system", CANCELLABLE)
@pytest.mark.parametrize("equal", [True, False])
async def test_a_run_whose_replacement_has_unknown_inputs_is_parked(site: Site, system: str, equal: bool) -> None:
    site.script(system)
    config = simple(system, on_destroy="cancel")
    entry = await owed(site, config)
    unknown = Planned(None, waits=True).encode()
    applying = await site.process()
    await applying.execution(system).delete(entry.state, unknown)
    assert site.matching(system, CANCELS) == []
    site.finish()
    result = await applying.create(config if equal else dataclasses.replace(config, triggers={"v": "2"}))
    assert (result.state.id == entry.state.id) is equal
    if not equal:
        told = only(result.diagnostics, Severity.WARNING)
        assert "was left running" in told
        assert entry.state.id in told


@every_system
async def test_a_plan_with_unknown_inputs_says_so_to_the_destroy_half(site: Site, system: str) -> None:
    process = await site.process()
    for unknown, known in ((frozenset({"triggers"}), False), (frozenset({"wait"}), True)):
        change: Change[Any] = Change(None, Decoded(simple(system), unknown), frozenset())
        private = private_of((await process.execution(system).plan(change)).private)
        assert isinstance(private, Planned)
        assert (private.fingerprint is not None) is known


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_a_deposed_twin_leaves_the_run_to_the_entry_that_took_it(site: Site, system: str) -> None:
    site.script(system)
    config = simple(system, on_destroy="cancel")
    entry = await owed(site, config)
    await planned(site, entry, config=config)
    applying = await site.process()
    site.inject_fault(system, POLLS[system], "status", status=403, times=None)
    taken = await applying.create(config)
    site.world.faults.clear()
    assert taken.state.id == entry.state.id
    await applying.close()  # killed before the deposed object was destroyed
    refreshing = await site.process()
    for shown in (entry, taken):
        await refreshing.execution(system).read(shown.state, shown.private)
    await refreshing.close(orderly=True)
    later = await site.process()
    assert await later.execution(system).delete(entry.state, entry.private) == ApplyResult(None)
    assert site.matching(system, CANCELS) == []
    site.finish()
    assert (await later.create(config)).state.id == entry.state.id, "it is still owed to the entry that took it"


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_equal_twins_of_which_one_failed_and_one_is_owed_keep_the_live_run(site: Site, system: str) -> None:
    config = simple(system, on_destroy="cancel")
    site.script(system, seconds=1, ending="failure")
    process = await site.process()
    failed = await process.create(config)
    assert "failed with status" in only(failed.diagnostics)
    await process.close(orderly=True)
    site.script(system)
    open_one = await owed(site, config)
    private = await planned(site, failed, open_one, config=config)
    applying = await site.process()
    for entry in (failed, open_one):
        await applying.execution(system).delete(entry.state, private)
    site.finish()
    results = [await applying.create(config) for _ in range(2)]
    assert site.matching(system, CANCELS) == []
    assert results[0].state.id == open_one.state.id
    assert len({failed.state.id, *(result.state.id for result in results)}) == 3


@every_system
async def test_an_offer_that_the_next_plan_does_not_renew_lapses(site: Site, system: str) -> None:
    """As after `terraform state rm`, or a plan of another target."""
    site.script(system)
    entry = await owed(site, simple(system))
    private = await planned(site, config=simple(system))
    applying = await site.process()
    other = await applying.create(simple(system))
    assert other.state.id != entry.state.id
    await applying.close(orderly=True)
    site.finish()
    again = await site.process()
    await again.execution(system).delete(entry.state, private)  # whose plan was made without a refresh
    assert (await again.create(simple(system))).state.id == entry.state.id
    assert len(site.runs()) == 2


@every_system
@pytest.mark.parametrize("lost", [True, False])
async def test_runs_of_an_apply_whose_state_could_not_be_written_are_taken(
    site: Site, system: str, lost: bool, directory: Path
) -> None:
    process = await site.process()
    first = await process.created(simple(system))
    await process.close(orderly=True)
    if lost:
        (directory / "errored.tfstate").write_text("{}")
    second = await (await site.process()).create(simple(system))
    assert (second.state.id == first.id) is lost
    assert len(list(second.diagnostics)) == lost


@every_system
@pytest.mark.parametrize("written", [True, False])
async def test_a_run_that_the_local_state_file_holds_is_not_taken(
    site: Site, system: str, written: bool, directory: Path
) -> None:
    process = await site.process()
    first = await process.started(simple(system))
    await process.close()  # killed
    attributes = {name: getattr(first, name, None) for name in ("id", "import_id", "request_ids")}
    state = {"resources": [{"instances": [{"attributes": attributes}]}]} if written else {}
    (directory / "terraform.tfstate").write_text(json.dumps(state))
    second = await (await site.process()).create(simple(system, wait=False))
    assert (second.state.id == first.id) is not written


@pytest.mark.parametrize(("system", "status"), [("harness", "PAUSED"), ("harness", "WAITING"), ("vcd", "waiting")])
async def test_a_run_that_is_held_fails_at_once_where_that_is_asked_for(site: Site, system: str, status: str) -> None:
    site.script(system, hold=status)
    process = await site.process()
    began = site.clock.monotonic()
    entry = await process.create(simple(system, on_held="fail"))
    assert site.clock.monotonic() - began < 600
    text = only(entry.diagnostics)
    assert f"{entry.state.id} is held" in text
    assert status in text
    assert entry.diagnostics[0].path == ("on_held",)
    assert private_of(entry.private) == Held(Standing.OWED)
    await process.close(orderly=True)
    site.finish()
    private = await planned(site, entry)
    applying = await site.process()
    await applying.execution(system).delete(entry.state, private)
    assert (await applying.create(simple(system))).state.id == entry.state.id


@every_system
async def test_relaxing_what_is_judged_accepts_the_stored_run(site: Site, process: Process, system: str) -> None:
    site.script(system, seconds=1, ending="failure")
    failed = await process.create(simple(system))
    keep = dataclasses.replace(failed.state, on_failure="keep")
    change = Change(failed.state, Decoded(keep), frozenset({"on_failure"}), failed.private)
    plan = await process.execution(system).plan(change)
    assert list(plan.replace) == []
    assert (await process.execution(system).update(failed.state, keep, failed.private)).state == keep
    assert len(site.starts(system)) == 1


@every_system
async def test_planning_again_during_the_apply_costs_no_request_of_its_own(site: Site, system: str) -> None:
    counts = []
    for replan in (False, True):
        process = await site.process()
        site.requests.clear()
        if replan:
            await process.plan(simple(system, wait=False, triggers={"v": str(replan)}))
        await process.started(simple(system, triggers={"v": str(replan)}))
        counts.append(len(site.requests))
        await process.close(orderly=True)
    assert counts[0] == counts[1]


async def test_text_of_a_test_run_is_told_in_full(site: Site) -> None:
    """Two orphans of one process are named, each by the create that takes it."""
    process = await site.process()
    runs = [(await process.started(simple("vcd", triggers={"v": v}))).id for v in ("1", "2")]
    await process.close()
    heir = await site.process()
    results = [await heir.create(simple("vcd", triggers={"v": v}, wait=False)) for v in ("1", "2")]
    for run, result in zip(runs, results, strict=True):
        assert f"Resumed run {run} of an earlier apply" in texts(result.diagnostics)
