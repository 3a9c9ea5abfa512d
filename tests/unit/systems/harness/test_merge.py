from __future__ import annotations

import dataclasses

from provider_py.systems.harness.merge import merged, snapshot
from provider_py.systems.harness.trigger_model import (
    HarnessNewArtifact,
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
)

STATE = HarnessTrigger(
    application_id="a",
    name="nightly",
    condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron="0 2 * * ?")),
    action=HarnessTriggerAction(workflow_id="w", variables={"Service": "web"}),
)
REMOTE = dataclasses.replace(STATE, action=HarnessTriggerAction(workflow_id="w", variables={"Service": "service-1"}))
"""The same trigger in the form in which the system shows it."""


def test_state_stands_where_the_system_shows_what_it_showed() -> None:
    assert merged(STATE, snapshot(REMOTE), REMOTE) == STATE


def test_change_outside_is_taken_over_and_nothing_else() -> None:
    changed = dataclasses.replace(REMOTE, condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron="0 3 * * ?")))
    assert merged(STATE, snapshot(REMOTE), changed) == dataclasses.replace(changed, action=STATE.action)


def test_model_that_replaces_another_is_taken_over_whole() -> None:
    artifact = HarnessTriggerCondition(new_artifact=HarnessNewArtifact(artifact_source_id="s"))
    changed = dataclasses.replace(REMOTE, condition=artifact)
    assert merged(STATE, snapshot(REMOTE), changed).condition == artifact


def test_everything_is_taken_over_without_a_base() -> None:
    assert merged(STATE, b"", REMOTE) == REMOTE
