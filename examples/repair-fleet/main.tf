# Repair a service on a fleet, device by device approved by what runs this configuration.
terraform {
  required_providers {
    workflow = {
      source = "workflow-trigger/workflow"
    }
  }
}

# Where Nexthink is and how to sign in comes from environment variables: NEXTHINK_*, see docs/index.md.
provider "workflow" {}

variable "fleet" {
  description = "Names of the devices to repair."
  type        = list(string)
  default     = ["LAPTOP-01", "LAPTOP-02", "LAPTOP-03"]
}

variable "service" {
  description = "The service to restart."
  type        = string
  default     = "spooler"
}

data "workflow_nexthink_workflow" "repair" {
  workflow = "#service_restart_and_repair"
}

# Each execution stops at a step that waits for an event, so there is no end to wait for yet.
resource "workflow_nexthink_execution" "gate" {
  workflow = "#approval_gate"
  devices  = [for name in var.fleet : { name = name }]
  wait     = false
}

# One execution per device: let each go on.
resource "workflow_nexthink_event" "approve" {
  count = length(var.fleet)

  workflow     = "#approval_gate"
  execution_id = workflow_nexthink_execution.gate.execution_ids[count.index]
  parameters   = { approved = "yes" }
}

# Then repair, and wait until every device has reported its end.
resource "workflow_nexthink_execution" "repair" {
  workflow = data.workflow_nexthink_workflow.repair.workflow
  devices  = [for name in var.fleet : { name = name }]
  params   = { service = var.service }
  timeouts = { create = "2h" }

  depends_on = [workflow_nexthink_event.approve]
}
