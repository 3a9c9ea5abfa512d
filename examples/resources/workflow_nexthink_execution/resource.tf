resource "workflow_nexthink_execution" "repair" {
  workflow = "#service_restart_and_repair"
  devices  = [{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]
  users    = [{ upn = "ann@example.com" }]
  params   = { service = "spooler" }
}
