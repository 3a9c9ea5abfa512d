resource "workflow_vcd_execution" "onboard" {
  workflow = "Onboard tenant"

  parameters = {
    vmName = "web-1"
    size   = 2
    notify = true
    tags   = ["a", "b"]
  }
}
