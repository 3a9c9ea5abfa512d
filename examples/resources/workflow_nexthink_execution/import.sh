# <workflow>/<request id>
terraform import workflow_nexthink_execution.repair '#service_restart_and_repair/0f2f6f5e-4e0e-4a52-9b41-7f2d3c1f9a10'
