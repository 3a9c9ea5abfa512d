output "approvals" {
  value = workflow_nexthink_event.approve[*].id
}

output "repaired" {
  value = "${workflow_nexthink_execution.repair.summary.succeeded} of ${length(var.fleet)}"
}

output "outcomes" {
  description = "Text returned by the last step of the workflow, by execution ID."
  value       = workflow_nexthink_execution.repair.outputs
}
