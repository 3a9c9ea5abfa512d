# What can be started on devices through the API.
data "workflow_nexthink_workflows" "on_devices" {
  dependency     = "DEVICE"
  trigger_method = "API"
  active_only    = true
}

output "on_devices" {
  value = data.workflow_nexthink_workflows.on_devices.workflows[*].id
}
