"""`ignore_changes` with an update in place: ignored attributes keep what the state has, and nothing is started."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, ids
from tests.support.stack import Stack

pytestmark = pytest.mark.terraform

BODY = """
variable "note" { default = "first" }
variable "interval" { default = "1s" }
variable "device" { default = "LAPTOP-01" }
resource "workflow_harness_execution" "run" {
  application   = "Test App"
  workflow      = "restart"
  notes         = var.note
  triggers      = { revision = var.note }
  poll_interval = var.interval
  lifecycle { ignore_changes = [notes, triggers] }
}
resource "workflow_nexthink_execution" "run" {
  workflow      = "#reboot_device"
  devices       = [{ name = var.device }]
  triggers      = { revision = var.note }
  poll_interval = var.interval
  lifecycle { ignore_changes = [devices, triggers] }
}
resource "workflow_vcd_execution" "run" {
  workflow      = "Onboard tenant"
  parameters    = { vmName = var.device }
  triggers      = { revision = var.note }
  poll_interval = var.interval
  lifecycle { ignore_changes = [parameters, triggers["revision"]] }
}
"""
CHANGED = ("-var=note=second", "-var=device=LAPTOP-02")


def test_an_update_in_place_keeps_what_is_ignored(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(BODY)
    stack.applied()
    before = {system: stack.values(address(system)) for system in ("harness", "nexthink", "vcd")}
    runs = ids(sandbox)
    assert stack.plan(*CHANGED).status == 0
    result = stack.applied(*CHANGED, "-var=interval=2s")
    assert result.changes == 3
    for system, values in before.items():
        assert stack.values(address(system)) == {**values, "poll_interval": "2s"}
    assert ids(sandbox) == runs
    assert stack.plan(*CHANGED, "-var=interval=2s").status == 0
