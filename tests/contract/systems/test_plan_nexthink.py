"""What a plan finds about a Nexthink execution before anything is started."""

from __future__ import annotations

import pytest

from provider_py.plugin import Decoded, Severity
from provider_py.provider import ProviderConfig
from provider_py.sandbox.server import Sandbox
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.targets import Device, User
from tests.contract.systems.driving import Driver, driving, only, simple

LAPTOP = Device(name="LAPTOP-01")
ANN = User(upn="ann@example.com")
REPAIR = {"workflow": "#service_restart_and_repair", "params": {"service": "spooler"}}


@pytest.mark.parametrize(
    "behaviours",
    [{}, {"details_shape": "array"}, {"id_form": "bare"}, {"strict_published": True}],
    ids=["default", "array", "bare ids", "strict"],
)
@pytest.mark.parametrize(
    "config",
    [
        simple("nexthink"),
        simple("nexthink", **REPAIR),
        simple("nexthink", **REPAIR, devices=None, users=[ANN]),
        simple("nexthink", workflow="#notify_user", devices=None, users=[ANN]),
        simple(
            "nexthink",
            api_version="v1",
            devices=[Device(collector_uid="c6e4ff0e-0000-5000-8000-000000000000"), LAPTOP],
        ),
    ],
    ids=["device", "params", "user", "user only", "v1"],
)
async def test_what_can_be_started_is_found_good(
    driver: Driver, behaviours: dict[str, object], config: NexthinkExecution
) -> None:
    driver.sandbox.world.behaviors.change({"nexthink": behaviours})
    said = await driver.plan(config)
    assert [each.path for each in said] == ([("devices", 1)] if config.api_version == "v1" else [])
    assert driver.runs() == []
    if not said:
        await driver.started(config)
        assert len(driver.runs()) == 1


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        (simple("nexthink", workflow="#rebot_device"), ("workflow",), ["'#rebot_device'", "'#reboot_device'"]),
        (simple("nexthink", workflow="#retired_cleanup"), ("workflow",), ["is not active", "INACTIVE"]),
        (simple("nexthink", workflow="#manual_reinstall"), ("workflow",), ["through the API"]),
        (simple("nexthink", workflow="#notify_user"), ("devices",), ["does not run on devices"]),
        (simple("nexthink", users=[ANN]), ("users",), ["does not run on users"]),
        (simple("nexthink", params={"a": "b"}), ("params", "a"), ["no parameter 'a'"]),
        (
            simple("nexthink", workflow=REPAIR["workflow"], params={"servce": "bits"}),
            ("params", "servce"),
            ["Did you mean 'service'?"],
        ),
        (
            simple("nexthink", workflow=REPAIR["workflow"], params={"service": "dns"}),
            ("params", "service"),
            ["'dns'", "spooler, wuauserv, bits"],
        ),
        (simple("nexthink", devices=[]), ("devices",), ["no targets"]),
        (simple("nexthink", devices=[LAPTOP, Device()]), ("devices", 1), ["`name`"]),
    ],
)
async def test_what_cannot_be_started_is_told_at_its_attribute(
    driver: Driver, config: NexthinkExecution, path: tuple[str | int, ...], words: list[str]
) -> None:
    said = await driver.plan(config)
    text = only(said, Severity.ERROR)
    assert said[0].path == path
    for word in words:
        assert word in text
    assert driver.runs() == []
    assert driver.starts("nexthink") == []


async def test_waiting_needs_a_status_query(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXTHINK_STATUS_QUERY")
    async with driving(served) as driver:
        said = await driver.plan(simple("nexthink"))
        text = only(said, Severity.ERROR)
        assert said[0].path == ("status_query",)
        assert "where request_id == $request_id" in text
        assert "NEXTHINK_STATUS_QUERY" in text
        assert await driver.plan(simple("nexthink", wait=False)) == ()
        assert await driver.plan(simple("nexthink", status_query="#workflow_request_status")) == ()
        answer = await driver.create(simple("nexthink", status_query="#workflow_request_status"))
        assert answer.state.status == "success"


async def test_a_status_query_that_is_not_saved_is_told(driver: Driver) -> None:
    said = await driver.plan(simple("nexthink", status_query="#another_query"))
    assert "#another_query" in only(said, Severity.ERROR)
    assert said[0].path == ("status_query",)
    answer = await driver.create(simple("nexthink", status_query="#another_query"))
    assert answer.state is None
    assert driver.runs() == []


async def test_a_credential_without_the_right_to_nql_is_told(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"nexthink": {"nql_right": False}})
    answer = await driver.create(simple("nexthink"))
    assert "no permission for NQL" in only(answer.diagnostics, Severity.ERROR)
    assert answer.state is None
    assert driver.runs() == []


async def test_a_parameter_that_is_missing_is_refused_by_nexthink_itself(driver: Driver) -> None:
    answer = await driver.create(simple("nexthink", workflow=REPAIR["workflow"]))
    assert "MISSING_PARAMETER" in only(answer.diagnostics, Severity.ERROR)
    assert answer.state is None
    assert driver.runs() == []


async def test_a_large_fleet_becomes_several_requests(driver: Driver) -> None:
    devices = [Device(name=f"DESK-{number:05}") for number in range(1, 10_502)]
    answer = await driver.create(simple("nexthink", devices=devices))
    assert list(answer.diagnostics) == []
    bodies = [each.body for each in driver.starts("nexthink")]
    assert [len(body["devices"]) for body in bodies if isinstance(body, dict)] == [10_000, 501]
    assert answer.state.request_ids == [run.id for run in driver.runs()]
    assert len(answer.state.execution_ids) == 10_501


async def test_when_one_of_several_requests_is_refused_the_others_are_kept(driver: Driver) -> None:
    devices = [Device(name=f"DESK-{number:05}") for number in range(1, 10_001)]
    answer = await driver.create(simple("nexthink", devices=[*devices, Device(name="UNHEARD-OF")]))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "was not started (request 2 of 2)" in text
    assert "NO_TARGET" in text
    assert answer.state.request_ids == [driver.runs()[0].id]


async def test_what_is_not_configured_is_told(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEXTHINK_API_URL", "NEXTHINK_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    async with driving(served) as driver:
        said = await driver.plan(simple("nexthink"))
        text = "\n".join(f"{each.summary} {each.detail}" for each in said)
        for name in ("NEXTHINK_INSTANCE", "NEXTHINK_REGION", "NEXTHINK_CLIENT_SECRET"):
            assert name in text
        assert driver.requests == []


async def test_settings_that_are_not_known_yet_hold_up_a_plan_no_more_than_needed(driver: Driver) -> None:
    await driver.provider.configure(Decoded(ProviderConfig(), frozenset({"nexthink"})))
    assert await driver.plan(simple("nexthink")) == ()
    answer = await driver.create(simple("nexthink"))
    assert "Unknown provider settings for Nexthink executions" in only(answer.diagnostics, Severity.ERROR)
    assert driver.requests == []
