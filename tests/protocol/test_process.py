"""The life of the plugin process: handshake, TLS, stop, signals, shutdown, debugger."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.empty_pb2 import Empty
from tfplugin6 import goplugin_pb2_grpc, health_pb2, health_pb2_grpc
from tfplugin6 import tfplugin6_pb2 as pb

from tests.protocol import host

WAITING = {"name": "w", "status": None}


def test_handshake_names_the_protocol_and_a_private_socket() -> None:
    with host.started(tls=False) as plugin:
        core, protocol, network, path, kind, certificate = plugin.handshake.rstrip("\n").split("|")
        directory = plugin.socket.parent
        assert (core, protocol, network, kind, certificate) == ("1", "6", "unix", "grpc", "")
        assert path == str(plugin.socket)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert plugin.stub.GetMetadata(pb.GetMetadata.Request()).resources[0].type_name == "toy_thing"


def test_tls_shows_a_fresh_certificate_on_p256(plugin: host.Plugin) -> None:
    encoded = plugin.handshake.rstrip("\n").split("|")[5]
    assert "=" not in encoded
    certificate = x509.load_der_x509_certificate(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert plugin.stub.GetMetadata(pb.GetMetadata.Request()).server_capabilities.plan_destroy
    with host.started() as other:
        assert other.handshake.split("|")[5] != plugin.handshake.split("|")[5]


def test_without_cookie_it_says_how_to_install() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in host.COOKIE}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.protocol.toy"],
        cwd=host.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "workflow-provider install" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_shutdown_ends_the_process_in_time_and_leaves_no_file() -> None:
    with host.started() as plugin:
        stdio = plugin.service(goplugin_pb2_grpc.GRPCStdioStub)
        stream = stdio.StreamStdio(Empty())
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        begun = time.monotonic()
        assert plugin.shutdown() == 0
        assert time.monotonic() - begun < 2
        assert not plugin.socket.parent.exists()
        assert "closed" in plugin.printed()
        assert list(stream) == []


def test_shutdown_waits_for_no_creation() -> None:
    with host.started() as plugin:
        planned = plugin.plan(None, WAITING, kind="toy_wait")
        request = plugin.apply_request(None, planned, WAITING, kind="toy_wait")
        creation = plugin.stub.ApplyResourceChange.future(request)
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        assert plugin.shutdown() == 0
        assert host.tree(creation.result(timeout=2).new_state)["status"] == "interrupted"


def test_shutdown_is_in_time_even_if_a_creation_ignores_the_stop() -> None:
    with host.started() as plugin:
        config = {**WAITING, "name": "stubborn"}
        planned = plugin.plan(None, config, kind="toy_wait")
        plugin.stub.ApplyResourceChange.future(plugin.apply_request(None, planned, config, kind="toy_wait"))
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        assert plugin.shutdown() == 0
        assert not plugin.socket.parent.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_to_the_process_group_are_left_to_terraform(plugin: host.Plugin, number: signal.Signals) -> None:
    plugin.process.send_signal(number)
    assert plugin.stub.GetMetadata(pb.GetMetadata.Request()).resources
    with pytest.raises(subprocess.TimeoutExpired):
        plugin.process.wait(timeout=0.5)
    assert plugin.stub.GetMetadata(pb.GetMetadata.Request()).resources


def test_stop_is_answered_while_creations_are_in_flight() -> None:
    with host.started() as plugin:
        planned = plugin.plan(None, WAITING, kind="toy_wait")
        request = plugin.apply_request(None, planned, WAITING, kind="toy_wait")
        creations = [plugin.stub.ApplyResourceChange.future(request) for _ in range(50)]
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        assert not any(each.done() for each in creations)
        begun = time.monotonic()
        assert plugin.stub.StopProvider(pb.StopProvider.Request(), timeout=2).Error == ""
        answers = [each.result(timeout=2) for each in creations]
        assert time.monotonic() - begun < 2
    assert {host.tree(each.new_state)["status"] for each in answers} == {"interrupted"}
    assert {each.diagnostics[0].severity for each in answers} == {pb.Diagnostic.WARNING}


def test_hanging_up_does_not_cut_off_a_creation() -> None:
    with host.started() as plugin:
        planned = plugin.plan(None, WAITING, kind="toy_wait")
        creation = plugin.stub.ApplyResourceChange.future(plugin.apply_request(None, planned, WAITING, kind="toy_wait"))
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        creation.cancel()
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        assert plugin.shutdown() == 0
        assert "ERROR" not in plugin.printed().upper()


def test_health_says_serving(plugin: host.Plugin) -> None:
    health = plugin.service(health_pb2_grpc.HealthStub)
    answer = health.Check(health_pb2.HealthCheckRequest(service="plugin"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    first = next(health.Watch(health_pb2.HealthCheckRequest(service="plugin")))
    assert first.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as failed:
        health.Check(health_pb2.HealthCheckRequest(service="other"))
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


def test_what_is_not_offered_is_unimplemented(plugin: host.Plugin) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        plugin.stub.OpenEphemeralResource(pb.OpenEphemeralResource.Request(type_name="toy_thing"))
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_debugger_gets_a_process_to_attach_to(number: signal.Signals) -> None:
    with host.started("--debug", tls=False, cookie=False) as plugin:
        line = plugin.handshake.strip()
        assert line.startswith("TF_REATTACH_PROVIDERS='")
        ((address, provider),) = json.loads(line.split("=", 1)[1].strip("'")).items()
        assert address == "registry.terraform.io/example/toy"
        assert (provider["Protocol"], provider["ProtocolVersion"], provider["Test"]) == ("grpc", 6, True)
        assert provider["Pid"] == plugin.process.pid
        plugin.stub.StopProvider(pb.StopProvider.Request())
        plugin.stub.ConfigureProvider(
            pb.ConfigureProvider.Request(config=host.value({"endpoint": None, "api_key": None}))
        )
        planned = plugin.plan(None, WAITING, kind="toy_wait")
        creation = plugin.stub.ApplyResourceChange.future(plugin.apply_request(None, planned, WAITING, kind="toy_wait"))
        plugin.stub.GetMetadata(pb.GetMetadata.Request())
        assert not creation.done(), "a new command starts without the old one's stop"
        plugin.process.send_signal(number)
        assert plugin.process.wait(timeout=3) == 0
        assert not plugin.socket.parent.exists()


def test_a_provider_that_cannot_be_loaded_says_so() -> None:
    with host.started("--broken") as plugin:
        answer = plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request())
        (told,) = answer.diagnostics
        assert told.severity == pb.Diagnostic.ERROR
        assert "ImportError: a module is missing" in told.detail
        assert plugin.shutdown() == 0


def test_logs_are_hclog_lines(plugin: host.Plugin) -> None:
    plugin.stub.ConfigureProvider(
        pb.ConfigureProvider.Request(config=host.value({"endpoint": "e-1", "api_key": "logged-secret"}))
    )
    lines = [json.loads(line) for line in plugin.printed().splitlines()]
    (configured,) = [line for line in lines if line["@message"].startswith("configured")]
    assert configured["@level"] == "info"
    assert configured["@module"] == "toy"
    assert configured["endpoint"] == "e-1"
    assert configured["@message"] == "configured with key (sensitive)"
    assert "@timestamp" in configured


@pytest.mark.parametrize("name", ["w", "sending"])
def test_it_ends_after_a_killed_host_when_its_calls_have(tmp_path: Path, name: str) -> None:
    log = tmp_path / "log"
    terraform = f"""
import time
from collections.abc import Iterator
from pathlib import Path
from google.protobuf.empty_pb2 import Empty
from tfplugin6 import goplugin_pb2_grpc, tfplugin6_pb2 as pb
from tests.protocol import host
with host.started() as plugin:
    stream = goplugin_pb2_grpc.GRPCStdioStub(plugin.channel).StreamStdio(Empty())
    config = {{"name": "{name}", "status": None}}
    planned = plugin.plan(None, config, kind="toy_wait")
    creation = plugin.stub.ApplyResourceChange.future(plugin.apply_request(None, planned, config, kind="toy_wait"))
    while "creating {name}" not in plugin.printed():
        time.sleep(0.01)
    plugin.stderr.rename("{log}")
    print(plugin.socket.parent, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", terraform],
        cwd=host.ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip())
        assert directory.is_dir()
        process.kill()
    assert any(not directory.exists() for _ in _until(10.0))
    assert ("recorded" in log.read_text()) is (name == "sending")


def _until(seconds: float) -> Iterator[None]:
    """Turn until something happens in another process or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
