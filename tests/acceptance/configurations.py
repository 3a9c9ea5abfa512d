"""The runs that acceptance tests declare, as HCL."""

from __future__ import annotations

HARNESS = """
resource "workflow_harness_execution" "deploy" {
  application = "Test App"
  workflow    = "multi service graphql test"
  variables = {
    Environment                 = "Prod"
    InfraDefinition_Kubernetes  = "k8s"
    InfraDefinition_Kubernetes2 = "k8s"
  }
  artifacts = {
    test = { source = "library_nginx", build_number = "stable-perl" }
    k8s  = { source = "docker_hello-world", build_number = "latest" }
  }
}
"""
NEXTHINK = """
resource "workflow_nexthink_execution" "repair" {
  workflow = "#service_restart_and_repair"
  devices  = [{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]
  users    = [{ upn = "ann@example.com" }]
  params   = { service = "spooler" }
}
"""
VCD = """
resource "workflow_vcd_execution" "onboard" {
  workflow   = "Onboard tenant"
  parameters = { vmName = "web-1", size = 2, notify = true, tags = ["a", "b"] }
}
"""
ADDRESSES = {
    "harness": "workflow_harness_execution.deploy",
    "nexthink": "workflow_nexthink_execution.repair",
    "vcd": "workflow_vcd_execution.onboard",
}
RUNS = {"harness": HARNESS, "nexthink": NEXTHINK, "vcd": VCD}


def replaced(configuration: str, old: str, new: str) -> str:
    """Return the configuration with its only occurrence of `old` replaced."""
    assert configuration.count(old) == 1, f"{old!r} must occur exactly once in the configuration"
    return configuration.replace(old, new)
