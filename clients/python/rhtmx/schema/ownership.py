"""Fields that are not for everybody to write, and what is said to whoever does.

Knows the words, which a client and the server say alike. Must not know who somebody is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rhtmx.errors import Violation
from rhtmx.schema.message import Field

__all__ = ["NOT_YOURS", "not_yours"]

NOT_YOURS: Final[Mapping[str, str]] = {
    "server_only": "is written by the server only",
    "read_only": "is set by the server",
    "immutable": "cannot be changed once it is written",
}
"""The words by the id of the violation."""


def not_yours(field: Field) -> Violation | None:
    """What is said of a field that somebody writes who may not, in the application's own words.

    Args:
        field: which.

    Returns:
        The strictest reason; nothing, if there is none.

    Example:
        >>> from rhtmx import schema as _s
        >>> not_yours(_s.field("owner", _s.STRING, read_only=True)).message
        'is set by the server'
    """
    reasons = {
        "server_only": field.server_only,
        "read_only": field.read_only,
        "immutable": field.immutable,
    }
    for code, holds in reasons.items():
        if holds:
            return Violation(field.name, code, field.words.get(code, NOT_YOURS[code]))
    return None
