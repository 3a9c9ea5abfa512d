# The execution's id, the last part of its URL
terraform import workflow_harness_execution.deploy s7QEfVP7SL-3ZUt8FBrnzQ
