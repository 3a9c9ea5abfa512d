"""The one rig out of process: Terraform's side of the plugin protocol, as far as the tests need it."""

from __future__ import annotations

import base64
import contextlib
import datetime
import functools
import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import grpc
import msgpack  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tfplugin6 import goplugin_pb2, goplugin_pb2_grpc
from tfplugin6 import tfplugin6_pb2 as pb
from tfplugin6.tfplugin6_pb2_grpc import ProviderStub

Answer: TypeAlias = pb.ApplyResourceChange.Response | pb.PlanResourceChange.Response

ROOT: Final = Path(__file__).parents[2]
COOKIE: Final = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
}
UNKNOWN: Final = msgpack.ExtType(0, b"\0")
_LIMIT: Final = 256 * 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _LIMIT),
    ("grpc.max_send_message_length", _LIMIT),
    ("grpc.ssl_target_name_override", "localhost"),
    ("grpc.default_authority", "localhost"),
)


def value(tree: Any) -> pb.DynamicValue:
    """Encode a value."""
    return pb.DynamicValue(msgpack=msgpack.packb(tree))


def tree(encoded: pb.DynamicValue) -> Any:
    """Decode a value; unknown ones are ExtType(0, ...)."""
    return msgpack.unpackb(encoded.msgpack, strict_map_key=False)


@dataclass
class Plugin:
    """A running plugin process and the connection to it."""

    process: subprocess.Popen[bytes]
    handshake: str
    socket: Path
    channel: grpc.Channel
    stderr: Path

    @functools.cached_property
    def stub(self) -> Any:
        """The provider's service."""
        return self.service(ProviderStub)

    def service(self, stub: Any) -> Any:
        """Return one of the plugin's services; the generated types know asynchronous channels only."""
        return stub(self.channel)

    def shutdown(self) -> int:
        """Ask for the end as go-plugin does and return the exit code."""
        self.service(goplugin_pb2_grpc.GRPCControllerStub).Shutdown(goplugin_pb2.Empty(), timeout=5)
        return self.process.wait(timeout=2)

    def printed(self) -> str:
        """Return what was written to standard error so far."""
        return self.stderr.read_text()

    def validate(
        self, config: Mapping[str, Any], kind: str = "toy_thing", *, write_only: bool = True
    ) -> pb.ValidateResourceConfig.Response:
        """Validate a resource's configuration."""
        capabilities = pb.ClientCapabilities(write_only_attributes_allowed=write_only)
        answer: pb.ValidateResourceConfig.Response = self.stub.ValidateResourceConfig(
            pb.ValidateResourceConfig.Request(type_name=kind, config=value(config), client_capabilities=capabilities)
        )
        return answer

    def plan(
        self, prior: Any, config: Any, *, proposed: Any = None, kind: str = "toy_thing", private: bytes = b""
    ) -> pb.PlanResourceChange.Response:
        """Plan; what Terraform proposes is the configuration, with results from the prior state."""
        if proposed is None and config is not None:
            results = {name: prior[name] for name in ("id", "outputs", "revision")} if prior else {}
            proposed = {**config, **{name: result for name, result in results.items() if name in config}}
        answer: pb.PlanResourceChange.Response = self.stub.PlanResourceChange(
            pb.PlanResourceChange.Request(
                type_name=kind,
                prior_state=value(prior),
                proposed_new_state=value(proposed),
                config=value(config),
                prior_private=private,
            )
        )
        return answer

    def apply(
        self, prior: Any, planned: pb.PlanResourceChange.Response, config: Any, *, kind: str = "toy_thing"
    ) -> pb.ApplyResourceChange.Response:
        """Apply a plan."""
        request = self.apply_request(prior, planned, config, kind=kind)
        answer: pb.ApplyResourceChange.Response = self.stub.ApplyResourceChange(request)
        return answer

    def apply_request(
        self, prior: Any, planned: pb.PlanResourceChange.Response, config: Any, *, kind: str = "toy_thing"
    ) -> pb.ApplyResourceChange.Request:
        """Return the request that applies a plan."""
        return pb.ApplyResourceChange.Request(
            type_name=kind,
            prior_state=value(prior),
            planned_state=planned.planned_state,
            config=value(config),
            planned_private=planned.planned_private,
        )

    def create(self, config: Mapping[str, Any], *, kind: str = "toy_thing") -> pb.ApplyResourceChange.Response:
        """Plan and apply a creation."""
        return self.apply(None, self.plan(None, config, kind=kind), config, kind=kind)

    @functools.cached_property
    def schema(self) -> pb.GetProviderSchema.Response:
        """The provider's answer to GetProviderSchema."""
        answer: pb.GetProviderSchema.Response = self.stub.GetProviderSchema(pb.GetProviderSchema.Request())
        return answer

    def configure(self) -> None:
        """Configure the provider with an empty block, so by its environment alone."""
        empty = {attribute.name: None for attribute in self.schema.provider.block.attributes}
        answer = self.stub.ConfigureProvider(
            pb.ConfigureProvider.Request(terraform_version="1.11.4", config=value(empty))
        )
        assert list(answer.diagnostics) == []

    def begin(self, kind: str, **arguments: Any) -> Any:
        """Plan a creation without errors, and begin to apply it; `result` of what is returned waits for the answer."""
        attributes = self.schema.resource_schemas[kind].block.attributes
        config = {**{attribute.name: None for attribute in attributes}, **arguments}
        planned = self.plan(None, config, kind=kind)
        assert errors(planned) == []
        return self.stub.ApplyResourceChange.future(self.apply_request(None, planned, config, kind=kind))

    def refresh(self, kind: str, created: pb.ApplyResourceChange.Response) -> None:
        """Refresh what was created, as Terraform does with what its state holds."""
        self.stub.ReadResource(
            pb.ReadResource.Request(type_name=kind, current_state=created.new_state, private=created.private)
        )


def state(answer: pb.ApplyResourceChange.Response) -> Mapping[str, Any]:
    """Return the new state; there are no errors."""
    assert errors(answer) == []
    new_state: Mapping[str, Any] = tree(answer.new_state)
    return new_state


def errors(answer: Answer) -> Sequence[str]:
    """Return the texts of the errors."""
    return _texts(answer, pb.Diagnostic.ERROR)


def warnings(answer: Answer) -> Sequence[str]:
    """Return the texts of the warnings."""
    return _texts(answer, pb.Diagnostic.WARNING)


def _texts(answer: Answer, severity: pb.Diagnostic.Severity.ValueType) -> Sequence[str]:
    return [
        f"{diagnostic.summary}\n{diagnostic.detail}"
        for diagnostic in answer.diagnostics
        if diagnostic.severity == severity
    ]


@contextlib.contextmanager
def started(
    *arguments: str,
    module: str = "tests.protocol.toy",
    tls: bool = True,
    environment: Mapping[str, str] | None = None,
    cookie: bool = True,
) -> Iterator[Plugin]:
    """Start a provider, the toy if none is named, as Terraform starts a plugin; it is killed if it still runs."""
    with tempfile.TemporaryDirectory() as directory:
        stderr = Path(directory, "stderr")
        variables = {**os.environ, "TMPDIR": directory, "TF_LOG": "TRACE", **(environment or {})}
        variables |= COOKIE if cookie else {}
        certificate = _client_certificate() if tls else None
        if certificate is not None:
            variables["PLUGIN_CLIENT_CERT"] = certificate[1].decode()
        with (
            stderr.open("wb") as log,
            subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=log,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                line = process.stdout.readline().decode()
                socket = socket_of(line)
                with channel_to(socket, line, certificate) as channel:
                    yield Plugin(process, line, socket, channel, stderr)
            finally:
                process.kill()


def socket_of(line: str) -> Path:
    if line.startswith("TF_REATTACH_PROVIDERS="):
        (provider,) = json.loads(line.strip().split("=", 1)[1].strip("'")).values()
        return Path(provider["Addr"]["String"])
    return Path(line.split("|")[3])


def channel_to(socket: Path, line: str, certificate: tuple[bytes, bytes] | None) -> grpc.Channel:
    if certificate is None:
        return grpc.insecure_channel(f"unix:{socket}", options=_OPTIONS)
    encoded = line.rstrip("\n").split("|")[5]
    der = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    credentials = grpc.ssl_channel_credentials(ssl.DER_cert_to_PEM_cert(der).encode(), *certificate)
    return grpc.secure_channel(f"unix:{socket}", credentials, options=_OPTIONS)


@functools.cache
def _client_certificate() -> tuple[bytes, bytes]:
    """Make a key and certificate as go-plugin's client does."""
    key = ec.generate_private_key(ec.SECP521R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA512())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
