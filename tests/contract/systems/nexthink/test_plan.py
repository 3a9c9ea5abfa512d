"""What a plan reports about a Nexthink execution before anything is started."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from provider_py.plugin import Decoded
from provider_py.provider import ProviderConfig
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.targets import Device, User
from tests.support.site import Process, Site, only, simple
from tests.support.systems import texts

LAPTOP = Device(name="LAPTOP-01")
ANN = User(upn="ann@example.com")
REPAIR = {"workflow": "#service_restart_and_repair", "params": {"service": "spooler"}}


@pytest.mark.parametrize(
    "behaviors",
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
async def test_a_valid_configuration_passes_the_plan_and_starts(
    process: Process, behaviors: dict[str, object], config: NexthinkExecution
) -> None:
    process.site.world.behaviors.change({"nexthink": behaviors})
    diagnostics = await process.plan(config)
    assert [diagnostic.path for diagnostic in diagnostics] == ([("devices", 1)] if config.api_version == "v1" else [])
    assert process.site.runs() == []
    if not diagnostics:
        await process.started(config)
        assert len(process.site.runs()) == 1


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
async def test_an_invalid_configuration_is_reported_on_its_attribute(
    process: Process, config: NexthinkExecution, path: tuple[str | int, ...], words: list[str]
) -> None:
    diagnostics = await process.plan(config)
    text = only(diagnostics)
    assert diagnostics[0].path == path
    for word in words:
        assert word in text
    assert process.site.runs() == []
    assert process.site.starts("nexthink") == []


async def test_a_missing_parameter_is_refused_by_nexthink(process: Process) -> None:
    result = await process.create(simple("nexthink", workflow=REPAIR["workflow"]))
    assert "MISSING_PARAMETER" in only(result.diagnostics)
    assert result.state is None
    assert process.site.runs() == []


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        (
            ("NEXTHINK_API_URL", "NEXTHINK_CLIENT_SECRET"),
            ("NEXTHINK_INSTANCE", "NEXTHINK_REGION", "NEXTHINK_CLIENT_SECRET"),
        ),
        (("NEXTHINK_TOKEN_URL",), ("NEXTHINK_INSTANCE", "NEXTHINK_REGION")),
    ],
)
async def test_missing_settings_are_reported_together(site: Site, missing: Sequence[str], names: Sequence[str]) -> None:
    process = await site.process(dict.fromkeys(missing))
    text = texts(await process.plan(simple("nexthink")))
    for name in names:
        assert name in text
    assert site.requests == []


async def test_unknown_settings_are_an_error_at_apply_only(process: Process) -> None:
    await process.provider.configure(Decoded(ProviderConfig(), frozenset({"nexthink"})))
    assert await process.plan(simple("nexthink")) == ()
    result = await process.create(simple("nexthink"))
    assert "Unknown provider settings for Nexthink executions" in only(result.diagnostics)
    assert process.site.requests == []
