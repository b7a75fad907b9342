"""The error that ends the command with one line of words.

Knows exit codes, and which failure means which. It never leaves the tool.
"""

from __future__ import annotations

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["FINE", "INTERRUPTED", "NO_CONNECTION", "REFUSED", "USAGE", "CommandError", "explain"]

FINE = 0
"""Exit code: done."""

REFUSED = 1
"""Exit code: the server did not take it, or found it invalid."""

USAGE = 2
"""Exit code: it was not asked for correctly."""

NO_CONNECTION = 3
"""Exit code: there is no server to be reached, or it did not answer in time."""

INTERRUPTED = 130
"""Exit code: ended with Ctrl-C; 128 and the number of the signal, as shells have it."""

_ADVICE = {
    ErrorCode.UNAUTHENTICATED: "give a token with --token-file, --token or RHTMX_TOKEN",
}

_PUSH_AGAIN = "read it again, then push with the new --base-version"


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


def explain(error: RhtmxError, what: str = "", *, conflict: str = _PUSH_AGAIN) -> CommandError:
    """Say what a client's error means at a terminal.

    Args:
        error: what was raised.
        what: what it was about, such as `tasks/7`; the error itself may say so, too.
        conflict: what to do if somebody else was faster.

    Example:
        >>> explain(RhtmxError(ErrorCode.UNKNOWN_FORM, "no form 'x'"), "x").message
        "x: no form 'x'"
    """
    lost = isinstance(error, ConnectionClosed) and error.code is ErrorCode.UNSPECIFIED
    said = str(error)
    if what and not lost:
        record = what.rpartition(": ")[2]
        said = f"{what}: {said.removeprefix(f'{record}: ')}"
    if advice := conflict if error.code is ErrorCode.CONFLICT else _ADVICE.get(error.code):
        said = f"{said}: {advice}"
    return CommandError(said, NO_CONNECTION if lost else REFUSED)
