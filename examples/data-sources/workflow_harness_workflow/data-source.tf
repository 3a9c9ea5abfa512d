data "workflow_harness_workflow" "deploy" {
  application = "Test App"
  workflow    = "multi service graphql test"
}

output "required_variables" {
  value = [for variable in data.workflow_harness_workflow.deploy.variables : variable.name if variable.required]
}
