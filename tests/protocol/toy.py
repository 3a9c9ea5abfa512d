"""A provider with one of everything, served by the real protocol layer: `python -m tests.protocol.toy`."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import sys
from collections.abc import Iterable
from typing import Annotated, Any

from provider_py.plugin import (
    ApplyResult,
    Change,
    DataSource,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Dynamic,
    Key,
    Plan,
    ProviderFactory,
    ReadResult,
    Registered,
    Resource,
    computed,
    duration,
    error,
    model,
    not_empty,
    one_of,
    optional,
    required,
    warning,
)
from provider_py.rpc.serve import serve

log = logging.getLogger("toy")

GONE = "gone"


@model
class Device:
    """An element of a nested list."""

    name: Annotated[str, required("Name.", checks=(not_empty,))]
    serial: Annotated[str | None, optional("Serial number.")] = None
    enabled: Annotated[bool, optional("Whether it counts.")] = True


@model
class Settings:
    """A nested object with a default and a part that forces replacement."""

    timeout: Annotated[str, optional("How long.", checks=(duration,))] = "30s"
    region: Annotated[str | None, optional("Where.", replace=True)] = None
    token: Annotated[str | None, optional("Secret.", sensitive=True)] = None


@model
class Thing:
    """A resource with every kind of attribute."""

    name: Annotated[str, required("Name.", replace=True, checks=(not_empty,))]
    mode: Annotated[str, optional("Mode.", checks=(one_of("calm", "wild"),))] = "calm"
    size: Annotated[int | None, optional("Whole number.")] = None
    ratio: Annotated[float | None, optional("Any number.")] = None
    enabled: Annotated[bool | None, optional("Flag.")] = None
    tags: Annotated[dict[str, str] | None, optional("Tags.", element_checks=(not_empty,))] = None
    lines: Annotated[list[str] | None, optional("Lines.")] = None
    devices: Annotated[list[Device] | None, optional("Devices.")] = None
    settings: Annotated[Settings | None, optional("Settings.")] = None
    payload: Annotated[Dynamic, optional("Anything.")] = None
    password: Annotated[str | None, optional("Sensitive.", sensitive=True)] = None
    secret: Annotated[str | None, optional("Write-only.", write_only=True)] = None
    secret_version: Annotated[int | None, optional("Change it to use a new secret.", replace=True)] = None
    behaviour: Annotated[str | None, optional("How the resource misbehaves.")] = None
    id: Annotated[str | None, computed("Id.")] = None
    outputs: Annotated[Dynamic, computed("What was given, echoed.")] = None
    revision: Annotated[int | None, computed("Number of updates.")] = None


class Things:
    """The resource; `behaviour` picks how it fails."""

    name = "thing"
    model = Thing
    description = "A thing."
    version = 2

    def validate(self, config: Decoded[Thing]) -> Iterable[Diagnostic]:
        """Validate what belongs together."""
        thing = config.model
        if thing is not None and thing.enabled is False and thing.size and "size" not in config.unknown:
            yield error("Conflict", "A disabled thing has no size: remove `size`.", ("size",))

    async def plan(self, change: Change[Thing]) -> Plan:
        """Count updates, keep the wild ones in place."""
        thing = change.planned.model
        unknown = frozenset({"revision"}) if change.prior is not None and change.changed else frozenset[str]()
        in_place = thing is not None and thing.mode == "wild"
        told = [warning("Planned", f"changed {sorted(change.changed)} unknown {sorted(change.planned.unknown)}")]
        if thing is not None and thing.behaviour == "refuse plan":
            raise DiagnosticError(error("Refused", "It is not allowed.", ("tags", Key("color"))))
        shown = told if thing is not None and thing.behaviour == "explain" else []
        return Plan(unknown=unknown, in_place=in_place, diagnostics=shown, private=b"planned" if shown else None)

    async def create(self, planned: Thing, private: bytes) -> ApplyResult[Thing]:
        """Create, or fail as asked."""
        match planned.behaviour:
            case "refuse":
                raise DiagnosticError(error("Refused", f"It said no to {planned.secret}.", ("devices", 1, "name")))
            case "crash":
                log.info("about to crash with %s", planned.secret)
                message = f"token {planned.secret} and {planned.password} are wrong"
                raise RuntimeError(message)
            case "cancel":
                raise asyncio.CancelledError
            case "nothing":
                return ApplyResult(None)
            case "unstorable":
                made = dataclasses.replace(self._made(planned), outputs={"set": {1}, "cut": "\ud83d"})
                odd: Any = (1.5, "\ud83d")
                return ApplyResult(made, [warning("Cut \ud83d", planned.secret or "", odd)], b"made")
            case "taint":
                return ApplyResult(self._made(planned), [error("Bad end", "It failed.")], b"made")
        return ApplyResult(self._made(planned), private=private + b"+made")

    async def read(self, state: Thing, private: bytes) -> ReadResult[Thing]:
        """Find it, unless it is gone."""
        if state.behaviour == "read crash":
            raise RuntimeError("cannot read")
        return ReadResult(None if state.name == GONE else state)

    async def update(self, prior: Thing, planned: Thing, private: bytes) -> ApplyResult[Thing]:
        """Change in place."""
        if planned.behaviour == "update crash":
            raise RuntimeError("cannot update")
        return ApplyResult(dataclasses.replace(planned, revision=(prior.revision or 0) + 1), private=private)

    async def delete(self, state: Thing, private: bytes) -> ApplyResult[Thing]:
        """Destroy, or refuse."""
        if state.behaviour == "keep":
            return ApplyResult(state, [error("Kept", "It does not want to go.")])
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[Thing]:
        """Adopt anything but what is gone."""
        if identifier == GONE:
            return ReadResult(None)
        found: dict[str, Any] = {"name": identifier, "mode": "calm", "id": identifier}
        return ReadResult(Thing(**found), private=b"in")

    def _made(self, planned: Thing) -> Thing:
        echoed = {"size": planned.size, "length": len(planned.secret or ""), "lines": planned.lines}
        return dataclasses.replace(planned, id=f"id-{planned.name}", outputs=echoed, revision=0)


@model
class Wait:
    """What takes until the host asks to stop."""

    name: Annotated[str, required("Name.")]
    status: Annotated[str | None, computed("Status.")] = None


class Waits:
    """A resource whose creation ends only with the stop event."""

    name = "wait"
    model = Wait
    description = "A wait."
    version = 0

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def validate(self, config: Decoded[Wait]) -> Iterable[Diagnostic]:
        """Be content."""
        return ()

    async def plan(self, change: Change[Wait]) -> Plan:
        """Leave it to the layer."""
        return Plan()

    async def create(self, planned: Wait, private: bytes) -> ApplyResult[Wait]:
        """Wait, or be stubborn and wait for ever, or take two seconds to send, whatever the host does."""
        log.info("creating")
        if planned.name == "sending":
            await asyncio.sleep(2)
            log.info("recorded")
            return ApplyResult(dataclasses.replace(planned, status="sent"))
        await (asyncio.Event() if planned.name == "stubborn" else self._stop).wait()
        state = dataclasses.replace(planned, status="interrupted")
        return ApplyResult(state, [warning("Interrupted", "It goes on without Terraform.")])

    async def read(self, state: Wait, private: bytes) -> ReadResult[Wait]:
        """Know no more."""
        return ReadResult(state)

    async def update(self, prior: Wait, planned: Wait, private: bytes) -> ApplyResult[Wait]:
        """Take over."""
        return ApplyResult(planned)

    async def delete(self, state: Wait, private: bytes) -> ApplyResult[Wait]:
        """Forget."""
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[Wait]:
        """Refuse."""
        raise DiagnosticError(error("No import", "A wait cannot be imported."))


@model
class Lookup:
    """A data source's arguments and results."""

    key: Annotated[str, required("Key.", checks=(not_empty,))]
    depth: Annotated[int, optional("Depth.")] = 3
    found: Annotated[str | None, computed("What was found.")] = None
    details: Annotated[dict[str, str] | None, computed("More.")] = None


class Lookups:
    """The data source."""

    name = "lookup"
    model = Lookup
    description = "Looks up."

    def validate(self, config: Decoded[Lookup]) -> Iterable[Diagnostic]:
        """Be content."""
        return ()

    async def read(self, config: Lookup) -> ReadResult[Lookup]:
        """Look up."""
        if config.key == "missing":
            raise DiagnosticError(error("Not found", 'There is no "missing"; choose another key.', ("key",)))
        if config.key == "nothing":
            return ReadResult(None)
        return ReadResult(dataclasses.replace(config, found=f"{config.key}@{config.depth}", details={"by": "toy"}))


@model
class Configuration:
    """The provider block."""

    endpoint: Annotated[str | None, optional("Where.", checks=(not_empty,))] = None
    api_key: Annotated[str | None, optional("Key.", sensitive=True)] = None


class Toy:
    """The provider."""

    name = "toy"
    model: type[Any] = Configuration
    description = "A provider to try the protocol with."

    def __init__(self, stop: asyncio.Event) -> None:
        resources: dict[str, Resource[Any]] = {"thing": Things(), "wait": Waits(stop)}
        self.resources = Registered(tuple(resources), resources.__getitem__)
        self.data_sources: Registered[DataSource[Any]] = Registered(("lookup",), lambda _name: Lookups())

    def validate(self, config: Decoded[Any]) -> Iterable[Diagnostic]:
        """Be content."""
        return ()

    async def configure(self, config: Decoded[Any]) -> Iterable[Diagnostic]:
        """Say what came."""
        given: Any = config.model
        log.info("configured with key %s", given.api_key, extra={"endpoint": given.endpoint})
        if given.endpoint == "bad":
            return [error("Bad endpoint", f"It does not take {given.api_key}.", ("endpoint",))]
        return ()

    async def abandon(self) -> None:
        """Do nothing: it keeps nothing."""

    async def close(self, *, orderly: bool) -> None:
        """Say so."""
        log.info("closed")


def load() -> ProviderFactory:
    """Return the provider's factory, or fail as a broken installation does."""
    if "--broken" in sys.argv:
        raise ImportError("a module is missing")
    return Toy


if __name__ == "__main__":
    serve(load, address="registry.terraform.io/example/toy", support="Report it.")
