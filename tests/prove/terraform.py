"""Terraform as a provider sees it: its calls in their order, and what of their answers it keeps.

One resource instance, with what real hosts do with it (see the test that compares the calls with those of a real one):

- A plan and an apply are processes of their own. A refresh is shown the private bytes of the state; the plan of a
  tainted instance is that of a new one.
- Applying plans once more. The destroy half of a delete-first replacement is shown the private bytes that were planned
  for the create; that of a create-before-destroy one is shown its own.
- What a call answers is in the state at once, also beside an error. A create without an answer leaves nothing, an
  update or destroy without an answer leaves what there was.
- A local state is a file in the working directory that is written after every answer.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import grpc
from tfplugin6 import tfplugin6_pb2 as pb

from tests.prove.processes import Forge, ProviderProcess
from tests.support.host import tree, value

Config: TypeAlias = Mapping[str, Any]

DATA: Final = ".terraform"
STATE: Final = "terraform.tfstate"
_CAPABILITIES: Final = pb.ClientCapabilities(write_only_attributes_allowed=True)


class Died(Exception):
    """The provider died before it answered."""


@dataclass(frozen=True)
class Entry:
    """A resource instance in a state, with the private bytes of its provider."""

    value: pb.DynamicValue
    private: bytes
    tainted: bool = False

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The values of its attributes."""
        attributes: Mapping[str, Any] = tree(self.value)
        return attributes


@dataclass(frozen=True)
class State:
    """The entry of the one instance, and those that replacements have left to be destroyed."""

    current: Entry | None = None
    deposed: tuple[Entry, ...] = ()


@dataclass
class Outcome:
    """How a command ended."""

    died: bool = False
    changed: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        """Whether it found nothing to do."""
        return not (self.died or self.changed or self.errors)


@dataclass(frozen=True)
class Machine:
    """Where Terraform is run: how it starts providers, and their environment."""

    forge: Forge
    environment: Mapping[str, str]
    kill: str = ""


@dataclass
class Terraform:
    """A working directory with one resource instance; `backend` is "local" or "http"."""

    kind: str
    directory: Path
    backend: str = "local"
    create_before_destroy: bool = False
    state: State = State()
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        data = self.directory / DATA
        data.mkdir(parents=True, exist_ok=True)
        if self.backend == "http":
            backend = {"type": "http", "config": {"address": "http://states.example/one", "password": "hidden"}}
            (data / STATE).write_text(json.dumps({"version": 3, "backend": backend}))

    def apply(self, machine: Machine, config: Config) -> Outcome:
        """Run `terraform apply`."""
        return self._run(machine, config, destroy=False)

    def destroy(self, machine: Machine, config: Config) -> Outcome:
        """Run `terraform destroy`."""
        return self._run(machine, config, destroy=True)

    def _run(self, machine: Machine, config: Config, *, destroy: bool) -> Outcome:
        outcome = Outcome()
        walk = _Walk(self, machine.forge.schema, config, outcome)
        try:
            with self._provider(machine, "plan") as provider:
                refreshed = walk.refresh(provider)
                planned = walk.plan(provider, refreshed)
            if destroy and not outcome.errors:
                with self._provider(machine, "plan destroy") as provider:
                    planned = walk.plan_destroy(provider, refreshed)
            if outcome.errors:
                return outcome
            self._store(refreshed)
            if planned is None:
                return outcome
            outcome.changed = True
            with self._provider(machine, "apply") as provider:
                walk.apply(provider, planned)
        except Died:
            outcome.died = True
        return outcome

    @contextlib.contextmanager
    def _provider(self, machine: Machine, role: str) -> Iterator[ProviderProcess]:
        variables = {**machine.environment, "PROVE_ROLE": role, "PROVE_KILL": machine.kill}
        self.calls.append(f"-- {role}")
        with machine.forge.provider(self.directory, variables, self.directory / "stderr") as provider:
            try:
                empty = {attribute.name: None for attribute in machine.forge.schema.provider.block.attributes}
                configure = pb.ConfigureProvider.Request(terraform_version="1.15.5", config=value(empty))
                answer = self.call(provider, "ConfigureProvider", configure)
                assert not answer.diagnostics, answer.diagnostics
                yield provider
            finally:
                provider.shut_down()

    def call(self, provider: ProviderProcess, name: str, request: Any) -> Any:
        """Call the provider. Raises Died."""
        self.calls.append(name)
        try:
            return getattr(provider.stub, name)(request)
        except grpc.RpcError as fault:
            raise Died from fault

    def _store(self, state: State) -> None:
        self.state = state
        if self.backend == "local":
            entries = [*([state.current] if state.current else []), *state.deposed]
            instances = [{"attributes": entry.attributes} for entry in entries]
            resources = [{"mode": "managed", "type": self.kind, "name": "run", "instances": instances}]
            content = {"version": 4, "resources": resources if instances else []}
            (self.directory / STATE).write_text(json.dumps(content, default=bytes.decode))

    def store(self, **changes: Any) -> None:
        """Change the state as an answer demands."""
        self._store(replace(self.state, **changes))


@dataclass(frozen=True)
class _Planned:
    """What is to be done: "create", "update", "replace", "delete" or "" with the instance; `private` for a delete."""

    action: str
    private: bytes = b""


class _Walk:
    """One command on its way through the instance."""

    def __init__(
        self, terraform: Terraform, schema: pb.GetProviderSchema.Response, config: Config, outcome: Outcome
    ) -> None:
        self._terraform = terraform
        self._config = config
        self._outcome = outcome
        self._block = schema.resource_schemas[terraform.kind].block

    def refresh(self, provider: ProviderProcess) -> State:
        """Validate, and read what the state holds."""
        state = self._terraform.state
        request = pb.ValidateResourceConfig.Request(
            type_name=self._terraform.kind, config=self._encoded(), client_capabilities=_CAPABILITIES
        )
        self._call(provider, "ValidateResourceConfig", request)
        current = None if state.current is None else self._read(provider, state.current)
        return State(current, tuple(self._read(provider, entry) for entry in state.deposed))

    def _read(self, provider: ProviderProcess, entry: Entry) -> Entry:
        request = pb.ReadResource.Request(
            type_name=self._terraform.kind, current_state=entry.value, private=entry.private
        )
        answer = self._call(provider, "ReadResource", request)
        return replace(entry, value=answer.new_state, private=answer.private)

    def plan(self, provider: ProviderProcess, state: State) -> _Planned | None:
        """Plan; None: there is nothing to do."""
        if self._outcome.errors:
            return None
        current = state.current
        for entry in state.deposed:
            self._plan_end(provider, entry)
        if current is None:
            self._plan(provider, None)
            return _Planned("create")
        if current.tainted:
            return _Planned("replace", self._plan(provider, None).planned_private)
        planned = self._plan(provider, current, current.private)
        before, after = current.attributes, tree(planned.planned_state)
        names = [path.steps[0].attribute_name for path in planned.requires_replace]
        if any(before[name] != after[name] for name in names):
            return _Planned("replace", self._plan(provider, None, planned.planned_private).planned_private)
        if before != after:
            return _Planned("update")
        return _Planned("") if state.deposed else None

    def plan_destroy(self, provider: ProviderProcess, state: State) -> _Planned | None:
        """Plan the destruction of everything."""
        for entry in state.deposed:
            self._plan_end(provider, entry)
        if state.current is None:
            return _Planned("") if state.deposed else None
        return _Planned("delete", self._plan_end(provider, state.current))

    def apply(self, provider: ProviderProcess, planned: _Planned) -> None:
        """Do what was planned; an error ends it."""
        terraform = self._terraform
        create_first = terraform.create_before_destroy
        match planned.action:
            case "create":
                self._create(provider)
            case "update":
                self._update(provider)
            case "delete":
                self._delete(provider, planned.private)
            case "replace" if create_first:
                self._create_first(provider)
            case "replace":
                self._delete(provider, planned.private)
                if not self._outcome.errors:
                    self._create(provider)
        while terraform.state.deposed and not self._outcome.errors:
            self._delete_deposed(provider)

    def _create(self, provider: ProviderProcess) -> None:
        planned = self._plan(provider, None)
        if self._outcome.errors:
            return
        answer = self._apply(provider, None, planned)
        if tree(answer.new_state) is not None:
            entry = Entry(answer.new_state, answer.private, tainted=_failed(answer))
            self._terraform.store(current=entry)

    def _create_first(self, provider: ProviderProcess) -> None:
        terraform, old = self._terraform, self._terraform.state.current
        assert old is not None
        deposed = terraform.state.deposed
        terraform.store(current=None, deposed=(*deposed, old))
        try:
            self._create(provider)
        finally:
            if terraform.state.current is None:
                terraform.store(current=old, deposed=deposed)

    def _update(self, provider: ProviderProcess) -> None:
        current = self._terraform.state.current
        assert current is not None
        planned = self._plan(provider, current, current.private)
        if self._outcome.errors:
            return
        try:
            answer = self._apply(provider, current, planned)
        except Died:
            self._terraform.store(current=replace(current, private=b""))
            raise
        self._terraform.store(current=replace(current, value=answer.new_state, private=answer.private))

    def _delete(self, provider: ProviderProcess, private: bytes) -> None:
        current = self._terraform.state.current
        assert current is not None
        answer = self._end(provider, current, private)
        if tree(answer.new_state) is None:
            self._terraform.store(current=None)

    def _delete_deposed(self, provider: ProviderProcess) -> None:
        entry, *others = self._terraform.state.deposed
        answer = self._end(provider, entry, self._plan_end(provider, entry))
        if tree(answer.new_state) is None:
            self._terraform.store(deposed=tuple(others))

    def _plan(self, provider: ProviderProcess, prior: Entry | None, private: bytes = b"") -> Any:
        before = prior.attributes if prior is not None else {}
        computed = {attribute.name for attribute in self._block.attributes if attribute.computed}
        config = self._complete()
        proposed = {
            name: before.get(name) if given is None and name in computed else given for name, given in config.items()
        }
        request = pb.PlanResourceChange.Request(
            type_name=self._terraform.kind,
            prior_state=value(None) if prior is None else prior.value,
            proposed_new_state=value(proposed),
            config=self._encoded(),
            prior_private=private,
            client_capabilities=_CAPABILITIES,
        )
        return self._call(provider, "PlanResourceChange", request)

    def _plan_end(self, provider: ProviderProcess, entry: Entry) -> bytes:
        request = pb.PlanResourceChange.Request(
            type_name=self._terraform.kind,
            prior_state=entry.value,
            proposed_new_state=value(None),
            config=value(None),
            prior_private=entry.private,
        )
        private: bytes = self._call(provider, "PlanResourceChange", request).planned_private
        return private

    def _apply(self, provider: ProviderProcess, prior: Entry | None, planned: Any) -> Any:
        return self._call(
            provider,
            "ApplyResourceChange",
            pb.ApplyResourceChange.Request(
                type_name=self._terraform.kind,
                prior_state=value(None) if prior is None else prior.value,
                planned_state=planned.planned_state,
                config=self._encoded(),
                planned_private=planned.planned_private,
            ),
        )

    def _end(self, provider: ProviderProcess, entry: Entry, private: bytes) -> Any:
        request = pb.ApplyResourceChange.Request(
            type_name=self._terraform.kind,
            prior_state=entry.value,
            planned_state=value(None),
            config=value(None),
            planned_private=private,
        )
        return self._call(provider, "ApplyResourceChange", request)

    def _complete(self) -> dict[str, Any]:
        return {**{attribute.name: None for attribute in self._block.attributes}, **self._config}

    def _encoded(self) -> pb.DynamicValue:
        return value(self._complete())

    def _call(self, provider: ProviderProcess, name: str, request: Any) -> Any:
        answer = self._terraform.call(provider, name, request)
        for diagnostic in answer.diagnostics:
            failed = diagnostic.severity == pb.Diagnostic.ERROR
            texts = self._outcome.errors if failed else self._outcome.warnings
            texts.append(f"{diagnostic.summary}\n{diagnostic.detail}")
        return answer


def _failed(answer: Any) -> bool:
    return any(diagnostic.severity == pb.Diagnostic.ERROR for diagnostic in answer.diagnostics)
