"""Every example is formatted, applies, has an empty second plan and can be destroyed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provider_py.cli.demo import ROOT, synth_variables
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.terraform

EXAMPLES = ROOT / "examples"
SNIPPETS = sorted(EXAMPLES.glob("resources/*/resource.tf")) + sorted(EXAMPLES.glob("data-sources/*/data-source.tf"))


def test_examples_are_formatted(stack: Stack) -> None:
    result = stack.run("fmt", "-check", "-recursive", "-no-color", str(EXAMPLES))
    assert result.status == 0, result.stdout + result.stderr


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.parent.name)
def test_a_snippet_applies(stack: Stack, snippet: Path) -> None:
    stack.write(snippet.read_text())
    stack.init()
    stack.applied()
    assert stack.plan().status == 0
    stack.destroy()


def test_the_provider_block_is_accepted(stack: Stack) -> None:
    shutil.copy(EXAMPLES / "provider" / "provider.tf", stack.directory)
    names = ("harness_api_key", "nexthink_client_secret", "vcd_api_token")
    (stack.directory / "secrets.auto.tfvars.json").write_text(json.dumps(dict.fromkeys(names, "a-secret")))
    stack.init()
    assert stack.applied().warnings == []


@pytest.mark.hosts
@pytest.mark.parametrize("name", ["harness_execution", "nexthink_execution", "vcd_execution"])
def test_an_applied_run_can_be_imported(stack: Stack, name: str) -> None:
    stack.write((EXAMPLES / "resources" / f"workflow_{name}" / "resource.tf").read_text())
    stack.init()
    stack.applied()
    ((address, resource),) = stack.state().items()
    assert stack.run("state", "rm", address).status == 0
    imported = stack.run("import", "-input=false", "-no-color", address, import_id(name, resource["values"]))
    assert imported.status == 0, imported.stderr
    assert stack.values(address)["id"] == resource["values"]["id"]
    assert stack.values(address)["status"] == resource["values"]["status"]


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


def import_id(name: str, values: Mapping[str, Any]) -> str:
    """Return the import id of a run in state."""
    if name == "nexthink_execution":
        return f"{values['workflow']}/{values['request_ids'][0]}"
    if name == "vcd_execution":
        return str(values["import_id"])
    return str(values["id"])


def test_the_python_example_applies_like_the_hcl_example(stack: Stack) -> None:
    shutil.copytree(EXAMPLES / "cdktf-python", stack.directory, dirs_exist_ok=True)
    synthesize(stack, "three-systems")
    stack.init()
    stack.applied()
    assert stack.outputs() == {"harness_status": "SUCCESS", "nexthink_status": "success", "vcd_status": "completed"}
    assert stack.plan().status == 0
    stack.destroy()
