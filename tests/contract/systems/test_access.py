"""Systems that do not let the provider in, or cannot be reached: what is told, and that nothing is started."""

from __future__ import annotations

import socket

import pytest

from provider_py.plugin import Severity, redact
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.server import Sandbox
from tests.contract.systems.driving import SYSTEMS, Driver, driving, only, simple

KEYS = {"harness": "HARNESS_API_KEY", "nexthink": "NEXTHINK_CLIENT_SECRET", "vcd": "VCD_API_TOKEN"}
ADDRESSES = {
    "harness": ["HARNESS_ENDPOINT"],
    "nexthink": ["NEXTHINK_API_URL", "NEXTHINK_TOKEN_URL"],
    "vcd": ["VCD_URL"],
}

every_system = pytest.mark.parametrize("system", SYSTEMS)


@every_system
async def test_credentials_that_are_not_accepted(served: Sandbox, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setenv(KEYS[system], "wrong-credential-value")
    async with driving(served) as driver:
        text = only(await driver.plan(simple(system)), Severity.ERROR)
        assert KEYS[system] in text
        assert "wrong-credential-value" not in text
        refused = await driver.create(simple(system))
        assert KEYS[system] in only(refused.diagnostics, Severity.ERROR)
        assert refused.state is None
        assert driver.runs() == []


@pytest.mark.parametrize("style", ["rest", "graphql"])
async def test_a_wrong_harness_key_in_either_shape(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    served.world.behaviors.change({"harness": {"unauthorized_style": style}})
    monkeypatch.setenv("HARNESS_API_KEY", "wrong-credential-value")
    async with driving(served) as driver:
        text = only(await driver.plan(simple("harness")), Severity.ERROR)
        assert "harness.api_key" in text
        assert len(driver.requests) == 1


async def test_a_harness_key_that_may_not_execute(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"harness": {"execute_denied": True}})
    answer = await driver.create(simple("harness"))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "was not started" in text
    assert "permissions" in text
    assert driver.runs() == []


async def test_an_organization_that_does_not_exist(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCD_ORG", "acmee")
    async with driving(served) as driver:
        text = only(await driver.plan(simple("vcd")), Severity.ERROR)
        assert "vcd.api_token" in text
        assert driver.runs() == []


@every_system
async def test_a_system_that_cannot_be_reached(served: Sandbox, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name in ADDRESSES[system]:
            monkeypatch.setenv(name, f"http://127.0.0.1:{closed.getsockname()[1]}")
        async with driving(served) as driver:
            clock = driver.provider._runtime.clock
            began = clock.monotonic()
            text = only(await driver.plan(simple(system)), Severity.WARNING)
            assert "no connection to 127.0.0.1 could be made" in text
            assert "could not be checked before the apply" in text
            assert clock.monotonic() - began < 60  # the work itself counts a hundredfold on this clock
            answer = await driver.create(simple(system))
            assert "Nothing was started" in only(answer.diagnostics, Severity.ERROR)
            assert answer.state is None


@every_system
@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.CUT, FaultKind.TRUNCATE])
async def test_a_system_that_is_out_of_order(driver: Driver, system: str, kind: FaultKind) -> None:
    driver.sandbox.world.faults.add(Fault(system, kind, times=None))
    only(await driver.plan(simple(system)), Severity.WARNING)
    driver.sandbox.world.faults.clear()
    assert await driver.plan(simple(system)) == ()
    assert driver.runs() == []


@every_system
async def test_a_login_page_in_place_of_the_system(driver: Driver, system: str) -> None:
    driver.sandbox.world.faults.add(Fault(system, FaultKind.HTML, status=200, body="<html>Sign in</html>", times=None))
    text = only(await driver.plan(simple(system)), Severity.WARNING)
    assert "is a proxy or a login page in between?" in text


@every_system
async def test_an_answer_of_another_shape(driver: Driver, system: str) -> None:
    token = Match(path="token")
    bodies: list[object] = [[], {"data": 7}, "text"]
    for body in bodies:
        driver.sandbox.world.faults.clear()
        if system != "harness":
            driver.sandbox.world.faults.add(
                Fault(system, FaultKind.STATUS, match=token, status=200, body={"access_token": "t"}, times=None)
            )
        driver.sandbox.world.faults.add(Fault(system, FaultKind.JSON, body=body, times=None))
        said = await driver.plan(simple(system))
        assert [each.severity for each in said] in ([Severity.WARNING], [Severity.ERROR])
    assert driver.runs() == []


@every_system
async def test_credentials_of_the_environment_are_masked_in_what_is_printed(driver: Driver, system: str) -> None:
    await driver.plan(simple(system))
    tokens = {
        each.headers["authorization"].removeprefix("Bearer ")
        for each in driver.requests
        if each.headers.get("authorization", "").startswith("Bearer ")
    }
    assert bool(tokens) is (system != "harness")
    for token in tokens:
        assert token not in redact(f"authorization: Bearer {token}")


@every_system
async def test_settings_that_are_missing_are_told(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    for name in served.environment():
        monkeypatch.delenv(name, raising=False)
    async with driving(served) as driver:
        said = await driver.plan(simple(system))
        assert said
        assert {each.severity for each in said} == {Severity.ERROR}
        assert f"`{system}." in said[0].summary
        answer = await driver.create(simple(system))
        assert answer.state is None
        assert driver.requests == []
