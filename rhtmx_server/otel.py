"""Traces with OpenTelemetry: fills the port in `spans`.

Knows the API of OpenTelemetry, and that it does nothing until a program has installed an SDK.
Must not know what is traced, nor where spans go. Loaded only where tracing is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context

from rhtmx.version import __version__
from rhtmx_server.spans import Attribute, Kind, RemoteSpan, Span

__all__ = ["OtelTracer"]

_SCHEMA = "https://opentelemetry.io/schemas/1.36.0"
"""The version of the semantic conventions by whose names the spans go."""

_KINDS = {
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
}

_NO_PARENT = Context()
"""What is current where a span begins is somebody else's: a batch has writes of many."""


class OtelTracer:
    """The tracer of the program's own provider, which may be installed later, too.

    Args:
        provider: by default the global one.
    """

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("rhtmx", __version__, provider, _SCHEMA)

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Attribute],
        links: Sequence[RemoteSpan | Span],
    ) -> OtelSpan:
        """See `spans.Tracer`."""
        known = [trace.Link(_context(each)) for each in links]
        span = self._tracer.start_span(name, _NO_PARENT, _KINDS[kind], dict(attributes), known)
        return OtelSpan(span)


class OtelSpan:
    """A span of OpenTelemetry.

    Args:
        span: it.
    """

    __slots__ = ("span",)

    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def note(self, name: str, value: Attribute) -> None:
        """See `spans.Span`."""
        self.span.set_attribute(name, value)

    def current(self) -> AbstractContextManager[object]:
        """See `spans.Span`."""
        # What failed is said at its end, by a code: an exception's words may hold values.
        return trace.use_span(self.span, record_exception=False, set_status_on_exception=False)

    def end(self, error: str | None = None) -> None:
        """See `spans.Span`."""
        if error is not None:
            self.span.set_attribute("error.type", error)
            self.span.set_status(trace.StatusCode.ERROR)
        self.span.end()


def _context(link: RemoteSpan | Span) -> trace.SpanContext:
    if isinstance(link, OtelSpan):
        return link.span.get_span_context()
    assert isinstance(link, RemoteSpan)
    flags = trace.TraceFlags(link.flags)
    return trace.SpanContext(link.trace_id, link.span_id, is_remote=True, trace_flags=flags)
