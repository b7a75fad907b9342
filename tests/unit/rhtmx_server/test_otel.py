"""Facts about `rhtmx_server.otel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rhtmx
from rhtmx_server.spans import Kind, RemoteSpan

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

pytest.importorskip("opentelemetry.sdk", reason="no OpenTelemetry SDK: install the group `test`")

from opentelemetry import trace

from rhtmx_server.otel import OtelTracer

REMOTE = RemoteSpan(7, 8, 1)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def tracer(provider: TracerProvider) -> OtelTracer:
    return OtelTracer(provider)


def test_a_span_is_told_when_it_ends(tracer: OtelTracer, spans: InMemorySpanExporter) -> None:
    span = tracer.begin("push", Kind.SERVER, {"rhtmx.entity": "tasks"}, [REMOTE])
    span.note("rhtmx.version", 3)
    assert spans.get_finished_spans() == ()
    span.end()
    (told,) = spans.get_finished_spans()
    assert (told.name, told.kind) == ("push", trace.SpanKind.SERVER)
    assert dict(told.attributes or {}) == {"rhtmx.entity": "tasks", "rhtmx.version": 3}
    assert told.status.status_code is trace.StatusCode.UNSET
    scope = told.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("rhtmx", rhtmx.__version__)


def test_it_links_to_spans_of_others_and_of_its_own(
    tracer: OtelTracer, spans: InMemorySpanExporter
) -> None:
    own = tracer.begin("push", Kind.SERVER, {}, [])
    tracer.begin("COMMIT", Kind.CLIENT, {}, [REMOTE, own]).end()
    (commit,) = spans.get_finished_spans()
    remote, linked = (each.context for each in commit.links)
    assert (remote.trace_id, remote.span_id, remote.is_remote) == (7, 8, True)
    assert linked == own.span.get_span_context()


def test_a_failure_is_its_type_and_no_words(
    tracer: OtelTracer, spans: InMemorySpanExporter
) -> None:
    span = tracer.begin("push", Kind.SERVER, {}, [])
    with pytest.raises(KeyError), span.current():
        raise KeyError("ada@example.com")
    span.end("KeyError")
    (told,) = spans.get_finished_spans()
    assert dict(told.attributes or {}) == {"error.type": "KeyError"}
    assert told.status.status_code is trace.StatusCode.ERROR
    assert (told.events, told.status.description) == ((), None)


def test_what_begins_inside_is_part_of_it_but_no_span_of_ours(
    tracer: OtelTracer, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    outer = tracer.begin("COMMIT", Kind.CLIENT, {}, [])
    with outer.current():
        provider.get_tracer("driver").start_span("INSERT").end()
        tracer.begin("push", Kind.SERVER, {}, []).end()
    driver, ours = spans.get_finished_spans()
    assert driver.parent == outer.span.get_span_context()
    assert ours.parent is None


def test_without_an_sdk_it_does_nothing() -> None:
    span = OtelTracer(trace.NoOpTracerProvider()).begin("push", Kind.SERVER, {}, [REMOTE])
    with span.current():
        span.note("rhtmx.version", 3)
    span.end("forbidden")
    assert not span.span.is_recording()
