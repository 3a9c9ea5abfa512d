data "workflow_nexthink_workflow" "repair" {
  workflow = "#service_restart_and_repair"
}

output "services" {
  value = one([
    for version in data.workflow_nexthink_workflow.repair.versions : version.parameters[0].options
    if version.status == "ACTIVE"
  ])
}
