data "workflow_vcd_workflow" "onboard" {
  workflow = "Onboard tenant"
}

output "mandatory_parameters" {
  value = [for parameter in data.workflow_vcd_workflow.onboard.parameters : parameter.name if parameter.mandatory]
}
