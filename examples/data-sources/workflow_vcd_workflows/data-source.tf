data "workflow_vcd_workflows" "reports" {
  name         = "Report *"
  service_name = "Reports"
}

output "report_ids" {
  value = { for workflow in data.workflow_vcd_workflows.reports.workflows : workflow.name => workflow.id }
}
