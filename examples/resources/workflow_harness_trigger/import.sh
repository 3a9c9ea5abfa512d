# Import by application ID and trigger ID.
terraform import workflow_harness_trigger.nightly naNJDKrUTZKKdKycL5Tx4g/Zw9kq3bVTRqOQ0mW1xyzAg
