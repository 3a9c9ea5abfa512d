"""What a thousand runs in one apply cost: time, the provider's memory and processor time, and the journal's share.

The share is measured apart: the same thousand lives of a run, written to a journal of the same kind by as many tasks as
Terraform has at once.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from provider_py.cli import terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from provider_py.execution.journal import Journal, Kind
from provider_py.execution.life import End, Wish
from provider_py.execution.scope import Scope
from provider_py.execution.store import SqliteStore
from tests.support.stack import HEADER, PROVIDER, Stack

RUNS: Final = 1000
PARALLELISM: Final = 100
_CONFIGURATION: Final = """
resource "workflow_vcd_execution" "run" {{
  count    = {count}
  workflow = "Refresh inventory"
  triggers = {{ number = count.index }}
}}
"""


def measure(directory: Path) -> None:
    """Apply them, and print."""
    home, stack = directory / "home-many", directory / "many"
    install(home / MIRROR)
    stack.mkdir()
    with SandboxProcess(run_seconds=1) as sandbox:
        environment = terraform.environment(home, TMPDIR=str(directory), **sandbox.environment)
        made = Stack(terraform.find(), stack, environment, patience=3600)
        (stack / "main.tf").write_text(HEADER + PROVIDER + _CONFIGURATION.format(count=RUNS))
        made.init()
        began = time.monotonic()
        process = made.start("apply", "-input=false", "-no-color", "-auto-approve", f"-parallelism={PARALLELISM}")
        memory, processor = _watch(process)
        took = time.monotonic() - began
        output, problems = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(output[-2000:] + problems[-2000:])
    share = asyncio.run(_journal(stack / "journal.sqlite3"))
    print(
        f"\n{RUNS} Cloud Director executions in one apply: {took:.1f} s; the provider's processor time "
        f"{processor:.1f} s, its memory {memory:.0f} MB at most; the journal alone {share:.1f} s",
        flush=True,
    )


def _watch(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Return the most memory (MB) and processor time (s) that one child of the process had, until it ends."""
    memory = processor = 0.0
    while process.poll() is None:
        for child in _children(process.pid):
            try:
                status = Path(f"/proc/{child}/status").read_text("utf-8")
                times = Path(f"/proc/{child}/stat").read_text("utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
            memory = max(memory, int(peak) / 1024)
            processor = max(processor, (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"))
        time.sleep(0.2)
    return memory, processor


def _children(parent: int) -> Sequence[int]:
    listed = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


async def _journal(path: Path) -> float:
    """Return the seconds that the journal takes for as many lives of a run."""
    journal = Journal(SqliteStore(path), time.time, Scope("state"))
    turns, kind = asyncio.Semaphore(PARALLELISM), Kind("vcd_execution", "account")

    async def live(number: int) -> None:
        async with turns:
            wish = Wish(kind.type, kind.account, "state", fingerprint=str(number))
            await journal.consult(wish)
            claim = await journal.claim(wish, 1)
            await journal.named(claim.attempt, 0, f"run-{number}")
            journal.note(kind, [f"run-{number}"], status="running")
            journal.note(kind, [f"run-{number}"], status="completed", ending=End.SUCCEEDED)

    began = time.monotonic()
    await asyncio.gather(*map(live, range(RUNS)))
    await journal.close(orderly=True)
    return time.monotonic() - began
