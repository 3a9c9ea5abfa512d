"""Replacements whose provider dies in the middle: the run that the replaced entry holds is still owed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provider_py.plugin import Change, Decoded
from tests.support.site import Process, Site, only, simple


def write_local_state(entry: Any) -> None:
    """Write the state as the local backend does, as far as runs go."""
    attributes = {name: getattr(entry, name, None) for name in ("id", "import_id", "request_ids")}
    Path("terraform.tfstate").write_text(json.dumps({"resources": [{"instances": [{"attributes": attributes}]}]}))


async def plan(process: Process, system: str, config: Any) -> bytes:
    """Plan a create, and return the private bytes for it."""
    return (await process.execution(system).plan(Change(None, Decoded(config), frozenset()))).private or b""


@pytest.mark.parametrize(("system", "status"), [("harness", "PAUSED"), ("vcd", "waiting")])
async def test_a_take_that_was_not_answered_leaves_the_run_to_the_entry_that_has_it(
    site: Site, system: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site.script(system, hold=status)
    config = simple(system, on_held="fail")
    first = await site.process()
    tainted = await first.create(config)
    assert "is held" in only(tainted.diagnostics)
    write_local_state(tainted.state)
    await first.close(orderly=True)
    site.finish()
    for answered in (False, True):
        planning = await site.process()
        await planning.execution(system).read(tainted.state, tainted.private)
        private = await plan(planning, system, config)
        await planning.close(orderly=True)
        applying = await site.process()
        resumed = await applying.execution(system).create(config, private)
        await applying.close(orderly=answered)
    assert resumed.state.id == tainted.state.id
    assert list(resumed.diagnostics) == []
    assert len(site.runs(system)) == 1
