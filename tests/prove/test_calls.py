"""The simulated host makes the calls that the real Terraform makes, with the same content, in the same processes."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import msgpack  # type: ignore[import-untyped]
import pytest
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.cli.terraform import platform_name
from tests.prove.acme import in_memory
from tests.prove.recording_provider import CALLS, TellingSystem
from tests.prove.simulated_host import Command, Options, Plan, Settings, State, World
from tests.support.host import ROOT, tree

pytestmark = [pytest.mark.terraform, pytest.mark.prove]

Configuration = Mapping[str, Settings]
Call = tuple[object, ...]

ADDRESS: Final = "acme_job.{}"


def named(**changes: Any) -> dict[str, Settings]:
    """Return a configuration: for each address what differs from a run that succeeds."""
    return {
        name: Settings(**({"workflow": name, "limit": "1s", "poll_interval": None} | arguments))
        for name, arguments in changes.items()
    }


LATER: Final[Mapping[str, Any]] = {"create_before_destroy": True}
FIRST: Final = named(
    updated={},
    replaced={},
    swapped=LATER,
    forced={},
    failing={"target": "fails"},
    failing_swapped={"target": "fails", **LATER},
    hanging={"target": "hangs"},
    hanging_swapped={"target": "hangs", **LATER},
    guessed={},
    guessed_swapped=LATER,
    half={"target": "x", **LATER},
    gone={},
    forgotten={},
    same={},
)


def changed(before: Configuration, removed: Sequence[str] = (), **changes: Mapping[str, Any]) -> dict[str, Settings]:
    """Return a configuration with other arguments."""
    after = {name: each for name, each in before.items() if name not in removed}
    return after | {name: dataclasses.replace(before[name], **arguments) for name, arguments in changes.items()}


SECOND: Final = changed(
    FIRST,
    ["gone"],
    updated={"on_destroy": "cancel"},
    replaced={"target": "y"},
    swapped={"target": "y"},
    guessed={"unknown": frozenset({"target"})},
    guessed_swapped={"unknown": frozenset({"target"})},
    half={"target": "fails"},
)
THIRD: Final = changed(
    SECOND,
    updated={"on_destroy": None},
    replaced={"trigger": "1"},
    failing={"target": "x"},
    failing_swapped={"target": "x"},
    hanging={"on_failure": "keep"},
    hanging_swapped={"target": "y"},
    half={"target": "x"},
    guessed={"unknown": frozenset()},
    guessed_swapped={"unknown": frozenset()},
)
FOURTH: Final = changed(THIRD, ["hanging_swapped"]) | named(imported={"target": "hangs", "wait": False})


class Simulated:
    """The simulated host."""

    def __init__(self) -> None:
        self.world = World("marked")
        self.world.system = TellingSystem(self.world.loop, "marked")
        self.state = State("default", "local")
        self.saved: Plan | None = None

    def __enter__(self) -> Self:
        self._patch = in_memory(lambda: False)
        self._patch.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.__exit__(None, None, None)
        self.world.close()

    def calls(self, settings: Configuration, command: str, *arguments: str) -> list[Call]:
        self.world.calls = []
        options = Options(
            targets=_after(arguments, "-target="),
            refresh="-refresh=false" not in arguments,
            replace=_after(arguments, "-replace=") or frozenset(),
            parallelism=1,
        )
        run = Command(self.world, self.state, settings)
        match command:
            case "apply" if "saved" in arguments:
                assert self.saved is not None
                run.apply_saved(self.saved)
            case "apply":
                run.apply(options)
            case "plan":
                self.saved = run.plan(options)
            case "destroy":
                run.destroy(options)
            case "import":
                run.import_(arguments[0].removeprefix("acme_job."), arguments[1])
            case "taint":
                slot = self.state.slots[arguments[0].removeprefix("acme_job.")]
                assert slot.current is not None
                slot.current = dataclasses.replace(slot.current, tainted=True)
                self.state.serial += 1
            case "state":
                del self.state.slots[arguments[1].removeprefix("acme_job.")]
                self.state.serial += 1
        return normalized((id(process), name, request) for process, name, request in self.world.calls)


class Real:
    """The real Terraform."""

    def __init__(self, binary: Path, directory: Path) -> None:
        mirror = directory / f"mirror/registry.terraform.io/example/acme/1.0.0/{platform_name()}"
        mirror.mkdir(parents=True)
        plugin = mirror / "terraform-provider-acme_v1.0.0"
        plugin.write_text(
            f'#!/bin/sh\nexport PYTHONPATH="{ROOT}:{ROOT}/generated"\nexec "{sys.executable}" -m '
            "tests.prove.recording_provider\n"
        )
        plugin.chmod(0o755)
        settings = directory / "terraformrc"
        settings.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{directory}/mirror" }} }}\n')
        self._log = directory / "calls"
        variables = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        self._environment = variables | {
            "HOME": str(directory),
            "TF_CLI_CONFIG_FILE": str(settings),
            "CHECKPOINT_DISABLE": "1",
            CALLS: str(self._log),
        }
        self._binary = binary
        self._directory = directory / "stack"
        self._directory.mkdir()
        self._write({})
        self._run("init")

    def _write(self, settings: Configuration) -> None:
        (self._directory / "main.tf").write_text(hcl(settings))

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binary, command, *arguments],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.printed = done.stdout + done.stderr

    def calls(self, settings: Configuration, command: str, *arguments: str) -> list[Call]:
        self._write(settings)
        self._log.write_text("")
        options = {
            "apply": ["-auto-approve", "-parallelism=1", "-no-color"],
            "plan": ["-out=saved", "-parallelism=1", "-no-color"],
            "destroy": ["-auto-approve", "-parallelism=1", "-no-color"],
        }.get(command, [])
        targets = [re.sub(r"^(-target|-replace)=", r"\1=acme_job.", argument) for argument in arguments]
        self._run(command, *options, *targets)
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return normalized(
            (line["process"], line["call"], getattr(pb, line["call"]).Request.FromString(_decoded(line["request"])))
            for line in lines
        )


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _after(arguments: Sequence[str], option: str) -> frozenset[str] | None:
    found = frozenset(each.removeprefix(option) for each in arguments if each.startswith(option))
    return found or None


def hcl(settings: Configuration) -> str:
    """Return the configuration as Terraform reads it. What is unknown at plan comes from a resource yet to be made."""
    blocks = ['terraform {\n  required_providers {\n    acme = { source = "example/acme" }\n  }\n}\n']
    for name, each in settings.items():
        target = f'"{each.target}"'
        if each.unknown:
            blocks.append(f'resource "terraform_data" "{name}" {{\n  input = {target}\n}}\n')
            target = f"terraform_data.{name}.output"
        arguments = {
            "workflow": f'"{each.workflow}"',
            "target": target,
            "triggers": None if each.trigger is None else f'{{ v = "{each.trigger}" }}',
            "wait": None if each.wait is None else str(each.wait).lower(),
            "on_failure": None if each.on_failure is None else f'"{each.on_failure}"',
            "on_destroy": None if each.on_destroy is None else f'"{each.on_destroy}"',
            "timeouts": f'{{ create = "{each.limit}", update = "{each.limit}", delete = "{each.limit}" }}',
        }
        lines = [f"  {key} = {text}" for key, text in arguments.items() if text is not None]
        if each.create_before_destroy:
            lines.append("  lifecycle {\n    create_before_destroy = true\n  }")
        blocks.append(f'resource "acme_job" "{name}" {{\n' + "\n".join(lines) + "\n}\n")
    return "\n".join(blocks)


def normalized(calls: Iterator[tuple[object, str, Any]] | Any) -> list[Call]:
    """Return calls in a form that can be compared: by resource, with names in place of IDs and times.

    Resources of one walk are independent of each other, so only the order of one resource's calls counts.
    """
    processes: dict[object, int] = {}
    normal = []
    for process, name, request in calls:
        number = processes.setdefault(process, len(processes))
        fields = {
            each: _shown(getattr(request, each))
            for each in (
                "current_state",
                "prior_state",
                "proposed_new_state",
                "planned_state",
                "config",
                "private",
                "prior_private",
                "planned_private",
                "id",
            )
            if hasattr(request, each)
        }
        normal.append((_resource(fields), number, name, fields))
    ordered: list[Call] = []
    for destroying, calls_of in itertools.groupby(sorted(normal, key=lambda call: call[0]), key=_destroys):
        group = list(calls_of)
        ordered.extend(sorted(group, key=_destroyed) if destroying else group)
    return ordered


def _destroys(call: Call) -> object:
    """Return what tells destructions, which several objects of a resource go through in any order, from other calls."""
    resource, process, _, fields = call
    assert isinstance(fields, dict)
    gone = "prior_state" in fields and fields.get("proposed_new_state", fields.get("planned_state", "")) is None
    return (resource, process) if gone else None


def _destroyed(call: Call) -> tuple[str, str]:
    fields = call[-1]
    assert isinstance(fields, dict)
    return str(fields["prior_state"]["id"]), str(fields.get("prior_private", fields.get("planned_private")))


def _resource(fields: Mapping[str, Any]) -> str:
    if "id" in fields:
        return str(fields["id"]).split(".")[0]
    trees = (fields.get(each) for each in ("current_state", "prior_state", "proposed_new_state", "config"))
    return next(str(each["workflow"]) for each in trees if each is not None)


def _shown(content: Any) -> Any:
    if isinstance(content, bytes):
        return content.decode()
    return _plain(tree(content) if isinstance(content, pb.DynamicValue) else content)


def _plain(each: Any) -> Any:
    if isinstance(each, msgpack.ExtType):
        return "(unknown)"
    if isinstance(each, dict):
        return {name: _plain(value) for name, value in each.items()}
    if isinstance(each, str):
        each = re.sub(r"^(\w+\.\w+)\.\d+-\d+$", r"\1.n", each)
        return re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$", "(time)", each)
    return each


STEPS: Final[Sequence[tuple[str, Configuration, Sequence[str]]]] = (
    ("create", FIRST, ["apply"]),
    ("update, replace, destroy, failed and owed runs", SECOND, ["apply", "-replace=forced"]),
    ("without refresh", THIRD, ["apply", "-refresh=false"]),
    ("taint", THIRD, ["taint", "acme_job.same"]),
    ("state rm", THIRD, ["state", "rm", "acme_job.forgotten"]),
    ("save a plan", THIRD, ["plan"]),
    ("apply the saved plan", THIRD, ["apply", "saved"]),
    ("import", FOURTH, ["import", "acme_job.imported", "imported.hangs.1-1"]),
    ("targeted", FOURTH, ["apply", "-target=imported", "-target=updated"]),
    ("everything", FOURTH, ["apply"]),
    ("destroy", FOURTH, ["destroy"]),
)


def test_the_simulated_host_calls_as_terraform_does(terraform_binary: Path, tmp_path: Path) -> None:
    real = Real(terraform_binary, tmp_path)
    with Simulated() as simulated:
        for step, settings, (command, *arguments) in STEPS:
            expected = real.calls(settings, command, *arguments)
            made = simulated.calls(settings, command, *arguments)
            for resource in sorted({str(call[0]) for call in (*expected, *made)}):
                theirs, ours = ([call[1:] for call in calls if call[0] == resource] for calls in (expected, made))
                assert ours == theirs, f"{step}: {resource}"
