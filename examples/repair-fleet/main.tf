# Restarts a service on a fleet of devices, after an approval on each device.
terraform {
  required_providers {
    workflow = {
      source = "workflow-trigger/workflow"
    }
  }
}

# The environment variables NEXTHINK_* configure the provider; see docs/index.md.
provider "workflow" {}

variable "fleet" {
  description = "Names of the devices to repair."
  type        = list(string)
  default     = ["LAPTOP-01", "LAPTOP-02", "LAPTOP-03"]
}

variable "service" {
  description = "Name of the service to restart."
  type        = string
  default     = "spooler"
}

data "workflow_nexthink_workflow" "repair" {
  workflow = "#service_restart_and_repair"
}

# Each execution stops at a step that waits for an event, so Terraform must not wait for its end here.
resource "workflow_nexthink_execution" "gate" {
  workflow = "#approval_gate"
  devices  = [for name in var.fleet : { name = name }]
  wait     = false
}

# There is one execution per device; an event resumes each of them.
resource "workflow_nexthink_event" "approve" {
  count = length(var.fleet)

  workflow     = "#approval_gate"
  execution_id = workflow_nexthink_execution.gate.execution_ids[count.index]
  parameters   = { approved = "yes" }
}

# Repair the devices, and wait until the execution on every device has ended.
resource "workflow_nexthink_execution" "repair" {
  workflow = data.workflow_nexthink_workflow.repair.workflow
  devices  = [for name in var.fleet : { name = name }]
  params   = { service = var.service }
  timeouts = { create = "2h" }

  depends_on = [workflow_nexthink_event.approve]
}
