"""What the command line says when it cannot go on.

CommandError    the message is for the user: what happened and what to do; exit status 1, never a traceback
"""

from __future__ import annotations


class CommandError(Exception):
    """A command is given up; the message says what happened and what to do."""
