"""The protocol layer under the real Terraform."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provider_py.cli.terraform import platform_name
from tests.support import host

pytestmark = pytest.mark.terraform

CONFIGURATION = """
terraform {
  required_providers {
    toy = { source = "registry.terraform.io/example/toy" }
  }
}

provider "toy" {
  endpoint = "e-1"
  api_key  = "the-api-key"
}

data "toy_lookup" "depth" {
  key = "k"
}

variable "name" { default = "first" }
variable "size" { default = 1 }

resource "toy_thing" "one" {
  name     = var.name
  size     = var.size
  ratio    = 0.1
  tags     = { color = "red", place = data.toy_lookup.depth.found }
  lines    = ["x", "y"]
  devices  = [{ name = "d1" }, { name = "d2", enabled = false }]
  settings = { region = "eu", token = "the-token" }
  payload  = { list = tolist(["a"]), number = 1.5, nothing = null, nested = { deep = [1, "two", true] } }
  password = "the-password"
  secret   = "the-secret"
}

resource "toy_thing" "two" {
  name    = "after-${toy_thing.one.id}"
  payload = toy_thing.one.outputs
  lines   = toy_thing.one.outputs.lines
  tags    = { size = toy_thing.one.outputs.size }
}
"""


@dataclass
class Stack:
    """A directory whose configuration uses the toy provider, and how to run Terraform in it."""

    directory: Path
    binary: str
    environment: dict[str, str]

    def __call__(self, *arguments: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Terraform to its end and check its exit code."""
        done = subprocess.run(
            [self.binary, *arguments, "-no-color"],
            cwd=self.directory,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.directory / "main.tf").write_text(text)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in state by address; each with its `values` and whether it is `tainted`."""
        values = json.loads(self("show", "-json").stdout).get("values", {"root_module": {"resources": []}})
        return {each["address"]: each for each in values["root_module"]["resources"]}


@pytest.fixture
def stack(tmp_path: Path, terraform_binary: Path) -> Stack:
    """A stack that is initialized."""
    mirror = tmp_path / f"mirror/registry.terraform.io/example/toy/1.0.0/{platform_name()}"
    mirror.mkdir(parents=True)
    plugin = mirror / "terraform-provider-toy_v1.0.0"
    plugin.write_text(f'#!/bin/sh\ncd "{host.ROOT}" && exec "{sys.executable}" -m tests.protocol.toy\n')
    plugin.chmod(0o755)
    settings = tmp_path / "terraformrc"
    settings.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{tmp_path}/mirror" }} }}\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment |= {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"}
    made = Stack(tmp_path / "stack", str(terraform_binary), environment)
    made.directory.mkdir()
    made.configure(CONFIGURATION)
    made("init")
    return made


def test_life_of_a_resource(stack: Stack) -> None:
    applied = stack("apply", "-auto-approve", TF_LOG="DEBUG")
    for secret in ("the-api-key", "the-token", "the-password", "the-secret"):
        assert secret not in applied.stdout + applied.stderr
    assert re.search(r"\[INFO\] +provider\.\S*toy\S*: configured with key \(sensitive\).*endpoint=e-1", applied.stderr)
    stored = {address: each["values"] for address, each in stack.state().items()}
    one = stored["toy_thing.one"]
    assert one["id"] == "id-first"
    assert one["mode"] == "calm"
    assert one["ratio"] == 0.1
    assert one["tags"] == {"color": "red", "place": "k@3"}
    assert one["devices"][0] == {"name": "d1", "serial": None, "enabled": True}
    assert one["settings"] == {"timeout": "30s", "region": "eu", "token": "the-token"}
    assert one["secret"] is None
    assert one["outputs"] == {"size": 1, "length": len("the-secret"), "lines": ["x", "y"]}
    assert stored["toy_thing.two"]["payload"] == one["outputs"]
    assert stored["toy_thing.two"]["tags"] == {"size": "1"}

    stack("plan", "-detailed-exitcode")

    updated = stack("plan", "-detailed-exitcode", "-var", "size=2", code=2)
    assert "will be updated in-place" in updated.stdout
    stack("apply", "-auto-approve", "-var", "size=2")
    updated_values = stack.state()["toy_thing.one"]["values"]
    assert (updated_values["revision"], updated_values["id"]) == (1, "id-first")

    replaced = stack("apply", "-auto-approve", "-var", "size=2", "-var", "name=second")
    assert "must be replaced" in replaced.stdout
    assert stack.state()["toy_thing.two"]["values"]["name"] == "after-id-second"
    stack("plan", "-detailed-exitcode", "-var", "size=2", "-var", "name=second")

    stack("destroy", "-auto-approve")
    assert stack.state() == {}


def test_wrong_configurations_are_refused_where_they_are_wrong(stack: Stack) -> None:
    wrong = CONFIGURATION.replace('color = "red"', 'color = ""')
    stack.configure(wrong)
    refused = stack("validate", code=1)
    assert 'Invalid value for `tags["color"]`' in refused.stderr
    assert "toy_thing.one" in refused.stderr
    assert 'tags     = { color = ""' in refused.stderr


def test_import(stack: Stack) -> None:
    stack("import", "toy_thing.one", "adopted")
    assert stack.state()["toy_thing.one"]["values"]["name"] == "adopted"


def test_interrupt_keeps_what_is_in_flight(stack: Stack) -> None:
    head = CONFIGURATION.split("data ", maxsplit=1)[0]
    stack.configure(head + 'resource "toy_wait" "some" {\n  count = 10\n  name  = "w${count.index}"\n}\n')
    with subprocess.Popen(
        [stack.binary, "apply", "-auto-approve", "-no-color"],
        cwd=stack.directory,
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as applying:
        assert applying.stdout is not None
        creating = 0
        while creating < 10:
            line = applying.stdout.readline()
            assert line, "terraform ended early"
            creating += "Creating..." in line
        os.killpg(applying.pid, signal.SIGINT)
        told = applying.stdout.read()
        applying.wait(timeout=30)
    kept = stack.state()
    assert len(kept) == 10, told
    assert {each["values"]["status"] for each in kept.values()} == {"interrupted"}
    assert not any(each.get("tainted") for each in kept.values())
