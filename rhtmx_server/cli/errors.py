"""The error that ends the command with one line of words.

Knows exit codes. It never leaves the command line.
"""

from __future__ import annotations

__all__ = ["FAILED", "USAGE", "CommandError"]

FAILED = 1
"""Exit code: it was asked for correctly and could not be done."""

USAGE = 2
"""Exit code: it was not asked for correctly."""


class CommandError(Exception):
    """The command ends here.

    Args:
        message: what was wrong, where, and what to do.
        status: the exit code.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
