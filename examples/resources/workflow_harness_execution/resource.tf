resource "workflow_harness_execution" "deploy" {
  application = "Test App"
  workflow    = "multi service graphql test"

  variables = {
    Environment                 = "Prod"
    InfraDefinition_Kubernetes  = "k8s"
    InfraDefinition_Kubernetes2 = "k8s"
  }

  artifacts = {
    test = { source = "library_nginx", build_number = "stable-perl" }
    k8s  = { source = "docker_hello-world", build_number = "latest" }
  }

  notes    = "from terraform"
  triggers = { release = "1.4.2" }
  timeouts = { create = "45m" }
}
