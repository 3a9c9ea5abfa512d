data "workflow_harness_execution_inputs" "deploy" {
  application = "Test App"
  workflow    = "multi service graphql test"
  variables = {
    Environment                 = "Prod"
    InfraDefinition_Kubernetes  = "k8s"
    InfraDefinition_Kubernetes2 = "k8s"
  }
}

output "services_requiring_an_artifact" {
  value = data.workflow_harness_execution_inputs.deploy.artifact_services[*].name
}
