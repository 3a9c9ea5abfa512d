"""The provider `workflow-trigger/workflow`, its command line, and the sandbox of the systems that it reaches."""

from typing import Final

SOURCE: Final = "workflow-trigger/workflow"
"""The provider's source address, as `required_providers` names it."""
