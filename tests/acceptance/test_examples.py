"""Every example is formatted, applies, has an empty second plan and can be destroyed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from provider_py.cli.demo import ROOT, synth_variables
from tests.support.scenarios import address, runs_of
from tests.support.stack import Stack
from tests.support.systems import SYSTEMS

pytestmark = pytest.mark.terraform

EXAMPLES = ROOT / "examples"


def test_examples_are_formatted(stack: Stack) -> None:
    result = stack.run("fmt", "-check", "-recursive", "-no-color", str(EXAMPLES))
    assert result.status == 0, result.stdout + result.stderr


@pytest.mark.parametrize("directory", ["resources", "data-sources"])
def test_snippets_apply(stack: Stack, directory: str) -> None:
    snippets = sorted((EXAMPLES / directory).glob("*/*.tf"))
    assert snippets
    for snippet in snippets:
        shutil.copy(snippet, stack.directory / f"{snippet.parent.name}.tf")
    stack.applied()
    assert stack.plan().status == 0
    stack.destroy()


def test_the_provider_block_is_accepted(stack: Stack) -> None:
    shutil.copy(EXAMPLES / "provider" / "provider.tf", stack.directory / "main.tf")
    names = ("harness_api_key", "nexthink_client_secret", "vcd_api_token")
    (stack.directory / "secrets.auto.tfvars.json").write_text(json.dumps(dict.fromkeys(names, "a-secret")))
    assert stack.applied().warnings == []


@pytest.mark.hosts
def test_applied_runs_can_be_imported(stack: Stack) -> None:
    stack.write(runs_of(SYSTEMS))
    stack.applied()
    before = stack.state()
    assert stack.run("state", "rm", *before).status == 0
    for system in SYSTEMS:
        identifier = import_id(system, before[address(system)]["values"])
        imported = stack.run("import", "-input=false", "-no-color", address(system), identifier)
        assert imported.status == 0, imported.stderr
    after = stack.state()
    for system in SYSTEMS:
        for name in ("id", "status"):
            assert after[address(system)]["values"][name] == before[address(system)]["values"][name]


def test_the_readme_examples_work(stack: Stack) -> None:
    text = (ROOT / "README.md").read_text()
    hcl, python = (re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[0] for language in ("hcl", "python"))
    (stack.directory / "main.tf").write_text(hcl)
    stack.init()
    stack.applied()
    assert stack.outputs() == {"status": "success"}
    assert stack.plan().status == 0
    (stack.directory / "main.tf").write_text(hcl.replace("spooler", "spoler"))
    assert any("spooler" in error.text for error in stack.plan().errors)

    (stack.directory / "main.py").write_text(python)
    synthesize(stack, "first")
    stack.init()
    stack.applied()
    assert stack.outputs() == {"status": "success"}


def synthesize(stack: Stack, name: str) -> None:
    """Run `main.py` in the stack's directory and switch to the stack that it synthesizes."""
    synth = subprocess.run(
        [sys.executable, "main.py"],
        cwd=stack.directory,
        env=stack.environment | synth_variables(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert synth.returncode == 0, synth.stderr
    stack.directory = stack.directory / "cdktf.out" / "stacks" / name


def import_id(system: str, values: Mapping[str, Any]) -> str:
    """Return the import id of a run in state."""
    if system == "nexthink":
        return f"{values['workflow']}/{values['request_ids'][0]}"
    if system == "vcd":
        return str(values["import_id"])
    return str(values["id"])


@pytest.mark.prove
def test_the_python_example_applies_like_the_hcl_example(stack: Stack) -> None:
    shutil.copytree(EXAMPLES / "cdktf-python", stack.directory, dirs_exist_ok=True)
    synthesize(stack, "three-systems")
    stack.init()
    stack.applied()
    assert stack.outputs() == {"harness_status": "SUCCESS", "nexthink_status": "success", "vcd_status": "completed"}
    assert stack.plan().status == 0
    stack.destroy()
