"""How the wire says no: one error, with the place and what was expected there.

Knows the wording. Must not know any format, nor why something is refused.
"""

from __future__ import annotations

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire.limits import MAX_INTEGER

__all__ = ["bad_message", "expected", "out_of_range", "show"]

MAX_ECHO = 40
"""Characters of input that an error message repeats at most."""


def bad_message(where: str, words: str) -> RhtmxError:
    """Build the error for one place of a message.

    Args:
        where: path of the field (`push_fields.fields[2].timestamp`).
        words: what was wrong and what is expected instead.
    """
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"{where}: {words}")


def expected(where: str, what: str, got: object) -> RhtmxError:
    """Build the error for a value that is not what the schema says."""
    return bad_message(where, f"{what} expected, got {show(got)}")


def out_of_range(where: str, field: str, got: int) -> RhtmxError:
    """Build the error for a protocol integer that JavaScript cannot hold."""
    return expected(f"{where}.{field}", f"an integer from {-MAX_INTEGER} to {MAX_INTEGER}", got)


def show(value: object) -> str:
    """Show a piece of input in an error: short, printable, on one line.

    Example:
        >>> show("yesterday"), show(None), show([1, 2])
        ("'yesterday'", 'null', 'a list')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is list:
        return "a list"
    if not isinstance(value, str | int | float):
        return "an object"
    text = str(value)
    if len(text) > MAX_ECHO:
        text = f"{text[: MAX_ECHO - 3]}..."
    return repr(text) if isinstance(value, str) else text
