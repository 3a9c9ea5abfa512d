data "workflow_vcd_workflows" "reports" {
  name         = "Report *"
  service_name = "Reports"
}

output "report_ids" {
  value = { for each in data.workflow_vcd_workflows.reports.workflows : each.name => each.id }
}
