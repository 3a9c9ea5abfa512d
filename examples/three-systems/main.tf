terraform {
  required_providers {
    workflow = {
      source = "workflow-trigger/workflow"
    }
  }
}

# Where the systems are and how to sign in comes from environment variables:
# HARNESS_*, NEXTHINK_* and VCD_*, see docs/index.md.
provider "workflow" {}

# Deploy with Harness, choosing an artifact for each service.
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
}

# Then repair a service on two laptops, with Nexthink.
resource "workflow_nexthink_execution" "repair" {
  workflow = "#service_restart_and_repair"
  devices  = [{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]
  users    = [{ upn = "ann@example.com" }]
  params   = { service = "spooler" }

  # A new deployment runs it again.
  triggers = { deployment = workflow_harness_execution.deploy.id }
}

# And onboard a tenant with VMware Cloud Director; it waits for nothing above.
resource "workflow_vcd_execution" "onboard" {
  workflow = "Onboard tenant"

  parameters = {
    vmName = "web-1"
    size   = 2
    notify = true
    tags   = ["a", "b"]
  }
}
