terraform {
  required_providers {
    workflow = {
      source = "workflow-trigger/workflow"
    }
  }
}

# VCD_URL, VCD_ORG and VCD_API_TOKEN configure the connection, see docs/index.md.
provider "workflow" {}

variable "password" {
  description = "Password to set on the endpoint."
  type        = string
  sensitive   = true
}

# Create the tenant's first machine. Plain values suffice: the workflow declares their types.
resource "workflow_vcd_execution" "onboard" {
  workflow = "Onboard tenant"

  parameters = {
    vmName = "web-1"
    size   = 2
    notify = true
    tags   = ["production", "web"]
  }

  timeouts = { create = "45m" }
}

# Look up the next workflow by its name.
data "workflow_vcd_workflow" "endpoint" {
  workflow = "Configure endpoint"
}

# Configure the endpoint, using an output of the first run.
resource "workflow_vcd_execution" "endpoint" {
  workflow_id = data.workflow_vcd_workflow.endpoint.id

  parameters = {
    vm       = workflow_vcd_execution.onboard.outputs.vmId                                           # VC:VirtualMachine, by ID
    start    = "2026-01-31T12:00:00Z"                                                                # Date
    endpoint = { host = "web-1.example.com", port = 443 }                                            # CompositeType
    ports    = [80, 443]                                                                             # Array/number
    options  = { mode = "strict", retries = 3 }                                                      # Properties
    manifest = { name = "a.txt", mime_type = "text/plain", content = base64encode("hello, tenant") } # MimeAttachment
    pattern  = "^web-[0-9]+$"                                                                        # Regexp
  }

  # Stored neither in the plan nor in the state. A new version triggers a new run.
  sensitive_parameters         = { password = var.password }
  sensitive_parameters_version = "1"
}

# Outputs can be used like those of any other resource.
resource "terraform_data" "addresses" {
  input = {
    machine   = workflow_vcd_execution.onboard.outputs.vmId
    addresses = workflow_vcd_execution.onboard.outputs.addresses
    endpoint  = "${workflow_vcd_execution.endpoint.outputs.endpoint.host}:${workflow_vcd_execution.endpoint.outputs.endpoint.port}"
  }
}

output "addresses" {
  value = terraform_data.addresses.output.addresses
}

output "endpoint" {
  value = terraform_data.addresses.output.endpoint
}

output "finished_at" {
  value = formatdate("YYYY-MM-DD", workflow_vcd_execution.endpoint.outputs.finishedAt)
}
