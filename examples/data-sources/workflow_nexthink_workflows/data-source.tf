# Active workflows that the API can start on devices.
data "workflow_nexthink_workflows" "on_devices" {
  dependency     = "DEVICE"
  trigger_method = "API"
  active_only    = true
}

output "on_devices" {
  value = data.workflow_nexthink_workflows.on_devices.workflows[*].id
}
