output "harness_status" {
  value = workflow_harness_execution.deploy.status
}

output "harness_url" {
  value = workflow_harness_execution.deploy.url
}

output "nexthink_status" {
  value = workflow_nexthink_execution.repair.status
}

output "nexthink_request_ids" {
  value = workflow_nexthink_execution.repair.request_ids
}

output "vcd_status" {
  value = workflow_vcd_execution.onboard.status
}

output "vcd_execution" {
  value = workflow_vcd_execution.onboard.id
}
