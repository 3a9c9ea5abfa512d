"""The command `workflow-provider`, and the launcher of the Terraform that comes with the environment.

Nothing here is imported by the provider; `main` is the entry point.
"""
