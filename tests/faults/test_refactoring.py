"""Configurations that are rewritten with equal values start no run."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import ids
from tests.support.stack import Stack

pytestmark = pytest.mark.terraform

BODY = """
variable "interval" { default = "1s" }
resource "workflow_vcd_execution" "run" {
  workflow      = "Configure endpoint"
  poll_interval = var.interval
  parameters    = %s
  sensitive_parameters         = { password = "secret-word" }
  sensitive_parameters_version = "1"
}
"""
OBJECT = '{ vm = { type = "VC:VirtualMachine", id = "vcenter.example.com,id:vm-42" } }'
MAP = 'tomap({ vm = tomap({ type = "VC:VirtualMachine", id = "vcenter.example.com,id:vm-42" }) })'


@pytest.mark.parametrize(
    ("before", "after"),
    [(OBJECT, MAP), pytest.param(MAP, OBJECT, marks=pytest.mark.prove)],
    ids=["to a map", "to an object"],
)
def test_equal_values_of_another_type_start_no_run(
    stack: Stack, sandbox: SandboxProcess, before: str, after: str
) -> None:
    stack.write(BODY % before)
    stack.applied()
    stack.write(BODY % after)
    assert stack.plan().status == 0
    result = stack.applied("-var=interval=2s")
    assert result.changes == 1
    assert len(ids(sandbox)) == 1
    assert stack.plan("-var=interval=2s").status == 0
