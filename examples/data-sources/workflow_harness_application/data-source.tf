data "workflow_harness_application" "test" {
  application = "Test App"
}

output "application_id" {
  value = data.workflow_harness_application.test.id
}
