output "approvals" {
  value = workflow_nexthink_event.approve[*].id
}

output "repaired" {
  value = "${workflow_nexthink_execution.repair.summary.succeeded} of ${length(var.fleet)}"
}

output "outcomes" {
  description = "What the workflow's last step said, by execution."
  value       = workflow_nexthink_execution.repair.outputs
}
