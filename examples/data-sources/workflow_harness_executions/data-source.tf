data "workflow_harness_executions" "recent" {
  application = "Test App"
  pipeline    = "Test Pipeline"
  status      = "SUCCESS"
  limit       = 5
}

output "last_successes" {
  value = data.workflow_harness_executions.recent.executions[*].ended_at
}
