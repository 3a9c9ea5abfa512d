"""A case: a flow whose provider is killed at one point, what is lost then, and what the next applies make of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provider_py.cli.sandbox import SandboxProcess
from provider_py.execution.starting import CERTAIN_SECONDS
from provider_py.systems.harness.execution import HarnessLauncher
from tests.prove.flows import Flow
from tests.prove.guarantees import TABLE, Column, Promise, Row
from tests.prove.processes import Forge
from tests.prove.stage import Stage, Way
from tests.prove.terraform import Outcome
from tests.support.postgres import Server

UNKNOWN: Final = "Unknown whether"
"""How the error begins that leaves a question to the user."""
MARKS: Final = hasattr(HarnessLauncher, "marked")
"""Whether Harness is searched for keys yet."""
_NUMBER: Final = re.compile(r" #\d+")
_ROUNDS: Final = 8
"""The number of applies after which a case counts as never quiet."""


@dataclass(frozen=True)
class Rig:
    """What all cases of a test process share."""

    sandbox: SandboxProcess
    forge: Forge
    postgres: Server
    directory: Path

    def stage(self, flow: Flow, system: str, way: Way) -> Stage:
        """Play the prologue of a flow."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        kind = f"workflow_{system}_{'event' if flow.name == 'event' else 'execution'}"
        stage = Stage(
            system,
            self.sandbox,
            self.forge,
            self.postgres,
            self.directory,
            way,
            kind,
            shares_journal=flow.shares_journal,
            create_before_destroy=flow.create_before_destroy,
            arguments=flow.arguments,
        )
        flow.prologue(stage)
        stage.log.unlink(missing_ok=True)
        return stage


def ways(flow: Flow) -> Sequence[Way]:
    """Return the ways in which a flow can go on; without a state only its key is left of a wish."""
    return [way for way in Way if not way.loses_state or flow.keyed]


def command(stage: Stage, flow: Flow, kill: str = "", settled: int = 0) -> Outcome:
    """Run the flow's command; after questions that were `settled`, the configuration asks for a new run."""
    config = dict(stage.config())
    if settled:
        config["triggers"] = {"settled": str(settled)}
        if flow.keyed:
            config["idempotency_key"] = f"{config['idempotency_key']}-{settled}"
    run = stage.terraform.destroy if flow.destroys else stage.terraform.apply
    return run(stage.machine(kill), config)


def points(rig: Rig, flow: Flow, system: str) -> Sequence[str]:
    """Return every stage of every effect that the flow has, in their order.

    Polls differ in number. So requests that are repeated without anything else in between count once.
    """
    stage = rig.stage(flow, system, Way.KEPT)
    outcome = command(stage, flow)
    assert not outcome.errors, outcome
    found: list[str] = []
    repeated: set[str] = set()
    for reached in stage.log.read_text().splitlines():
        name = _NUMBER.sub("", reached)
        if " request " not in name:
            repeated.clear()
        if name not in repeated:
            found.append(reached)
        repeated.add(name)
    return found


@dataclass
class Case:
    """A flow that was killed at a point. `before` is the number of runs and of cancelled ones at its start."""

    flow: Flow
    stage: Stage
    point: str
    before: tuple[int, int]
    reached: bool
    row: Row
    world: str

    @classmethod
    def play(cls, rig: Rig, flow: Flow, system: str, way: Way, point: str) -> Case:
        """Play a flow up to a point."""
        stage = rig.stage(flow, system, way)
        before = stage.count()
        command(stage, flow, kill=point)
        reached = point in stage.log.read_text().splitlines()
        return cls(flow, stage, point, before, reached, _row(stage), stage.world())

    @property
    def promise(self) -> Promise:
        """What the table promises."""
        if self.row is Row.UNSTORED and self.column is Column.KEY and not MARKS:
            return Promise.NONE
        return TABLE[self.row][self.column][self.stage.system]

    @property
    def column(self) -> Column:
        """What is set. A shared journal without a key is as good as a directory that is kept."""
        if self.flow.keyed:
            return Column.SHARED if self.stage.shared else Column.KEY
        return Column.PLAIN

    def recover(self) -> Sequence[str]:
        """Lose what is lost, run the command until it is quiet, and return what was not as promised."""
        stage, flow = self.stage, self.flow
        stage.recover()
        asked = settled = 0
        outcome = Outcome()
        for _ in range(_ROUNDS):
            outcome = command(stage, flow, settled=settled)
            if outcome.quiet or (flow.destroys and stage.terraform.state.current is None and not outcome.errors):
                break
            if outcome.died:
                return ["the provider died"]
            questions = [error for error in outcome.errors if error.startswith(UNKNOWN)]
            if questions:
                if not any(token in questions[0] for token in stage.tokens()):
                    return [f"the question does not name the attempt: {questions[0]}"]
                asked += 1
                if asked == 1:
                    stage.advance(CERTAIN_SECONDS + 30)
                else:
                    settled += 1
        else:
            return [f"never quiet: {outcome}"]
        return list(self._violations(settled))

    def _violations(self, settled: int) -> Sequence[str]:
        stage, flow = self.stage, self.flow
        runs, cancelled = (after - before for after, before in zip(stage.count(), self.before, strict=True))
        found = []
        most = flow.runs + (max(flow.runs, 1) if self.promise is Promise.NONE or settled else 0)
        if not flow.runs <= runs <= most:
            found.append(f"{runs} runs")
        if cancelled != flow.cancelled:
            found.append(f"{cancelled} cancelled")
        if settled and self.promise is Promise.ONE:
            found.append("the user was asked")
        if settled > 1:
            found.append("the user was asked again")
        if not flow.destroys and not stage.holds_success():
            found.append(f"the state holds {stage.terraform.state}")
        return found


def _row(stage: Stage) -> Row:
    """Return which row of the table the moment of a death belongs to."""
    if stage.way in {Way.DIRECTORY_LOST, Way.ALL_LOST} and not stage.shared:
        return Row.STORED if stage.way is Way.DIRECTORY_LOST and stage.stores_all() else Row.UNSTORED
    return Row.UNANSWERED if stage.unanswered() else Row.KILLED
