# <workflow id>/<execution id>
terraform import workflow_vcd_execution.onboard urn:vcloud:serviceItem:0d4a5f3b-7f0e-4a83-9a6a-3d6f5b0a7c11/9a1c6d0e-51f4-4a0b-8b6e-0f3f7a2b4c55
