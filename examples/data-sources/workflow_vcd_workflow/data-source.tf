data "workflow_vcd_workflow" "onboard" {
  workflow = "Onboard tenant"
}

output "mandatory_parameters" {
  value = [for each in data.workflow_vcd_workflow.onboard.parameters : each.name if each.mandatory]
}
