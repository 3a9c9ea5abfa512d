data "workflow_harness_pipeline" "release" {
  application = "Test App"
  pipeline    = "Test Pipeline"
}

output "pipeline_id" {
  value = data.workflow_harness_pipeline.release.id
}
