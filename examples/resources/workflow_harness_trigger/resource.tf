data "workflow_harness_workflow" "restart" {
  application = "Test App"
  workflow    = "restart"
}

data "workflow_harness_application" "test" {
  application = "Test App"
}

resource "workflow_harness_trigger" "nightly" {
  application_id = data.workflow_harness_application.test.id
  name           = "nightly restart"
  condition      = { schedule = { cron = "0 0 2 * * ?" } }
  action         = { workflow_id = data.workflow_harness_workflow.restart.id }
}
