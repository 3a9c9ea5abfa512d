resource "workflow_nexthink_execution" "gate" {
  workflow = "#approval_gate"
  devices  = [{ name = "LAPTOP-01" }]
  wait     = false # the execution waits for the event below
}

resource "workflow_nexthink_event" "approve" {
  workflow     = "#approval_gate"
  execution_id = workflow_nexthink_execution.gate.execution_ids[0]
  parameters   = { approved = "yes" }
}
