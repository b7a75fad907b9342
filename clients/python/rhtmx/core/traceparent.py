"""What a client says of the trace that its user is in. Pure.

Knows W3C's `traceparent`. Must not know who traces: a text, or a function of the program, says
where it is. Whatever goes wrong with that, no write fails because of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["Traceparent", "traceparent_source"]

Traceparent: TypeAlias = str | Callable[[], str | None] | None
"""One for all that a client does, or what says it each time; `None` for none."""

log = logging.getLogger("rhtmx")

_SHAPE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_source(given: Traceparent) -> Callable[[], str | None] | None:
    """What says where in a trace a client is; `None` where nobody traces.

    Args:
        given: as for `connect`.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is a text that is no `traceparent`.

    Example:
        >>> source = traceparent_source(lambda: "no trace")
        >>> source() is None
        True
    """
    if given is None:
        return None
    if isinstance(given, str):
        if not _SHAPE.fullmatch(given):
            words = f"traceparent: as in W3C Trace Context expected, got {given[:80]!r}"
            raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
        return lambda: given
    return lambda: _asked(given)


def _asked(function: Callable[[], str | None]) -> str | None:
    try:
        said = function()
    except Exception as failure:
        log.warning("traceparent failed, and is left out: %r", failure)
        return None
    return said if isinstance(said, str) and _SHAPE.fullmatch(said) else None
