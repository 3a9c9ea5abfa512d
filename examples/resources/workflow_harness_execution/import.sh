# Import by execution ID, the last part of the execution's URL.
terraform import workflow_harness_execution.deploy s7QEfVP7SL-3ZUt8FBrnzQ
