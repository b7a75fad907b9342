"""The port of a tracer: spans that begin and end, and how those of others are named.

Knows the shape of a span and W3C's `traceparent`. Must not know OpenTelemetry, which `otel`
fills this with, nor what is traced.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

__all__ = ["Attribute", "Kind", "RemoteSpan", "Span", "Tracer", "remote_span"]

Attribute: TypeAlias = str | int | bool | Sequence[str]
"""What an attribute of a span can be."""


class Kind(enum.Enum):
    """Whose work a span is, as OpenTelemetry divides it."""

    SERVER = enum.auto()
    """It answers somebody."""

    CLIENT = enum.auto()
    """It waits for another system."""

    INTERNAL = enum.auto()


class RemoteSpan(NamedTuple):
    """A span of somebody else.

    Attributes:
        trace_id: 128 bits.
        span_id: 64 bits.
        flags: whether it is recorded, and others; 8 bits.
    """

    trace_id: int
    span_id: int
    flags: int


_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def remote_span(traceparent: str | None) -> RemoteSpan | None:
    """Read a `traceparent`; `None` for one that is none, as W3C Trace Context wants it.

    Example:
        >>> remote_span("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").flags
        1
        >>> remote_span("00-00000000000000000000000000000000-b7ad6b7169203331-01") is None
        True
    """
    match = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent)
    # Version 00 has nothing behind the flags; later ones may.
    if match is None or (match[4] and traceparent is not None and traceparent.startswith("00")):
        return None
    trace_id, span_id, flags = (int(each, 16) for each in match.group(1, 2, 3))
    return RemoteSpan(trace_id, span_id, flags) if trace_id and span_id else None


class Span(Protocol):
    """Something under way."""

    def note(self, name: str, value: Attribute) -> None:
        """Say something more of it."""

    def current(self) -> AbstractContextManager[object]:
        """Have what is traced inside be part of it."""

    def end(self, error: str | None = None) -> None:
        """It is over.

        Args:
            error: of which type; `None` if there was none.
        """


class Tracer(Protocol):
    """Begins spans."""

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Attribute],
        links: Sequence[RemoteSpan | Span],
    ) -> Span:
        """Begin a span that is part of no other.

        Args:
            name: what is done.
            kind: for whom.
            attributes: what is known of it.
            links: what it came of.
        """
