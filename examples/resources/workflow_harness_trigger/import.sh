# The ids of the application and of the trigger.
terraform import workflow_harness_trigger.nightly naNJDKrUTZKKdKycL5Tx4g/Zw9kq3bVTRqOQ0mW1xyzAg
