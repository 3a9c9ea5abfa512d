"""Terraform drops the private bytes of an entry whose update was not answered: the state has its attributes only."""

from __future__ import annotations

import pytest

from tests.support.site import Site, simple
from tests.support.systems import CANCELLABLE

KEYED = {"idempotency_key": "release-7", "wait": False, "on_destroy": "cancel"}


@pytest.mark.parametrize("system", CANCELLABLE)
@pytest.mark.parametrize("journal", ["shared", "lost"])
async def test_a_run_that_was_only_joined_is_not_cancelled(site: Site, system: str, journal: str) -> None:
    site.script(system)
    owner = await site.process({"WORKFLOW_JOURNAL_SCOPE": "owner"})
    await owner.created(simple(system, **KEYED))
    await owner.close(orderly=True)
    colleague = await site.process({"WORKFLOW_JOURNAL_SCOPE": "colleague"})
    joined = await colleague.create(simple(system, **KEYED))
    await colleague.close(orderly=True)
    changes: dict[str, str | None] = {"WORKFLOW_JOURNAL_SCOPE": "colleague"}
    if journal == "lost":
        changes["WORKFLOW_JOURNAL"] = f"{site.environment['WORKFLOW_JOURNAL']}.new"
    destroying = await site.process(changes)
    await destroying.execution(system).delete(joined.state, b"")
    (run,) = site.runs(system)
    assert run.cancelled_at is None


@pytest.mark.parametrize("system", CANCELLABLE)
@pytest.mark.parametrize("key", [None, "release-7"])
async def test_a_run_of_its_own_is_cancelled(site: Site, system: str, key: str | None) -> None:
    site.script(system)
    process = await site.process()
    state = await process.created(simple(system, **{**KEYED, "idempotency_key": key}))
    await process.close(orderly=True)
    destroying = await site.process()
    await destroying.execution(system).delete(state, b"")
    (run,) = site.runs(system)
    assert run.cancelled_at is not None
