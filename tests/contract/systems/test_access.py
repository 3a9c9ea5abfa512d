"""Systems that refuse the credentials, cannot be reached or answer nonsense: what is reported, and nothing starts."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from provider_py.plugin import Severity, redact
from tests.support.site import Process, Site, only, simple
from tests.support.systems import CREDENTIALS, TOKENS, every_fault, every_system

ADDRESSES = {
    "harness": ["HARNESS_ENDPOINT"],
    "nexthink": ["NEXTHINK_API_URL", "NEXTHINK_TOKEN_URL"],
    "vcd": ["VCD_URL"],
}


@every_system
async def test_rejected_credentials_are_named_but_not_shown(site: Site, system: str) -> None:
    setting, variable = CREDENTIALS[system]
    process = await site.process({variable: "wrong-credential-value"})
    text = only(await process.plan(simple(system)))
    assert f"{system}.{setting}" in text
    assert variable in text
    assert "wrong-credential-value" not in text
    refused = await process.create(simple(system))
    assert variable in only(refused.diagnostics)
    assert refused.state is None
    assert site.runs() == []


@pytest.mark.parametrize("style", ["rest", "graphql"])
async def test_a_rejected_harness_key_is_recognised_in_both_shapes(site: Site, style: str) -> None:
    site.set_behaviors("harness", unauthorized_style=style)
    process = await site.process({"HARNESS_API_KEY": "wrong-credential-value"})
    assert "harness.api_key" in only(await process.plan(simple("harness")))
    assert len(site.requests) == 1


async def test_a_harness_key_without_the_permission_to_execute_is_reported(site: Site, process: Process) -> None:
    site.set_behaviors("harness", execute_denied=True)
    text = only((await process.create(simple("harness"))).diagnostics)
    assert "was not started" in text
    assert "permissions" in text
    assert site.runs() == []


async def test_an_unknown_organization_is_reported(site: Site) -> None:
    process = await site.process({"VCD_ORG": "acmee"})
    assert "vcd.api_token" in only(await process.plan(simple("vcd")))
    assert site.runs() == []


@every_system
async def test_an_unreachable_system_is_a_warning_at_plan_and_an_error_at_apply(site: Site, system: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        process = await site.process(dict.fromkeys(ADDRESSES[system], address))
        text = only(await process.plan(simple(system)), Severity.WARNING)
        assert "no connection to 127.0.0.1 could be made" in text
        assert "could not be checked before the apply" in text
        assert sum(site.clock.slept) < 60
        result = await process.create(simple(system))
        assert "Nothing was started" in only(result.diagnostics)
        assert result.state is None


@every_system
@every_fault("502 HTML", "cut", "truncated")
async def test_a_faulty_system_is_a_warning_at_plan(
    site: Site, process: Process, system: str, fault: dict[str, Any]
) -> None:
    site.inject_fault(system, **fault, times=None)
    only(await process.plan(simple(system)), Severity.WARNING)
    site.world.faults.clear()
    assert await process.plan(simple(system)) == ()
    assert site.runs() == []


@every_system
async def test_a_login_page_in_place_of_the_system_is_a_warning(site: Site, process: Process, system: str) -> None:
    site.inject_fault(system, kind="html", status=200, body="<html>Sign in</html>", times=None)
    text = only(await process.plan(simple(system)), Severity.WARNING)
    assert "it may come from a proxy or a login page" in text


@every_system
@pytest.mark.parametrize("body", [[], {"data": 7}, "text"], ids=str)
async def test_an_answer_of_another_shape_is_reported(site: Site, process: Process, system: str, body: object) -> None:
    if system != "harness":
        token = {"access_token": "t"}
        site.inject_fault(system, TOKENS[system], "status", status=200, body=token, times=None)
    site.inject_fault(system, kind="json", body=body, times=None)
    (problem,) = await process.plan(simple(system))
    assert problem.severity in {Severity.WARNING, Severity.ERROR}
    assert site.runs() == []


@pytest.mark.parametrize("system", TOKENS)
async def test_an_unavailable_login_host_means_not_started(site: Site, process: Process, system: str) -> None:
    """The token expires between the checks and the start, and the login host does not issue another."""
    await process.plan(simple(system))
    site.world.advance(7200)
    site.inject_fault(system, TOKENS[system], "status", status=503, times=None)
    text = only((await process.create(simple(system))).diagnostics)
    assert "was not started" in text
    assert "Unknown whether" not in text
    assert site.runs() == []


@every_system
async def test_access_tokens_are_masked(site: Site, process: Process, system: str) -> None:
    await process.plan(simple(system))
    tokens = {
        request.headers["authorization"].removeprefix("Bearer ")
        for request in site.requests
        if request.headers.get("authorization", "").startswith("Bearer ")
    }
    assert bool(tokens) is (system != "harness")
    for token in tokens:
        assert token not in redact(f"authorization: Bearer {token}")


@every_system
async def test_missing_settings_are_reported(site: Site, system: str) -> None:
    process = await site.process(dict.fromkeys(site.sandbox.environment()))
    problems = await process.plan(simple(system))
    assert problems
    assert {problem.severity for problem in problems} == {Severity.ERROR}
    assert f"`{system}." in problems[0].summary
    assert (await process.create(simple(system))).state is None
    assert site.requests == []
