"""The error that a user of the command line can act on."""

from __future__ import annotations


class CommandError(Exception):
    """A command failed: the message says what happened and what to do, and is printed without a traceback."""
