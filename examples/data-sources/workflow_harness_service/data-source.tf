data "workflow_harness_service" "k8s" {
  application      = "Test App"
  service          = "k8s"
  recent_artifacts = 5
}

output "builds" {
  value = {
    for source in data.workflow_harness_service.k8s.artifact_sources :
    source.name => [for artifact in source.artifacts : artifact.build_number]
  }
}
