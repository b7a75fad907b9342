"""A traced server, as a tracer of OpenTelemetry is told of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rhtmx
from rhtmx_server import App, Config, Invalid, RhtmxError
from tests.docs.node import RUN, require_node
from tests.support.process import ran
from tests.support.sockets import raw
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

pytest.importorskip("opentelemetry.sdk", reason="no OpenTelemetry SDK: install the group `test`")

HELLO = f"00-{1:032x}-{2:016x}-01"
PUSH = f"00-{3:032x}-{4:016x}-01"
PROGRAM = Path(__file__).parent / "traced.ts"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """What the program's provider is given: there can be only one in a process."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    config = Config(port=0, tracing=True)
    app = App(store=f"sqlite:///{tmp_path / 'app.db'}", config=config, undeclared=True)

    @app.form("signup").field("email", required=True)
    async def is_free(value: str) -> None:
        raise Invalid("is taken")

    async with app:
        yield app


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [each for each in spans.get_finished_spans() if each.name == name]


def linked(span: ReadableSpan) -> list[int]:
    """The traces of the spans that it links to."""
    return [each.context.trace_id for each in span.links]


async def test_a_push_is_linked_to_its_author_and_its_commit_to_the_push(
    app: App, spans: InMemorySpanExporter
) -> None:
    said = [HELLO, PUSH, PUSH, PUSH, None]
    async with rhtmx.connect(app.url, traceparent=lambda: said.pop(0)) as client:
        await client.push("tasks", "1", {"n": 1})
        await client.push_fields("tasks", "1", {"n": 2})
        async with client.transaction() as both:
            both.set("tasks", "2", {"n": 1})
            both.set("tasks", "3", {"n": 1})
        await client.push("tasks", "1", {"n": 3})
    (fields,), (several,) = named(spans, "push_fields"), named(spans, "transaction")
    first, last = named(spans, "push")
    assert [linked(each) for each in (first, fields, several, last)] == [[3], [3], [3], [1]]
    commits = [each for each in named(spans, "COMMIT") if each.links]
    pushes = [first, fields, several, last]
    assert [each.links[0].context for each in commits] == [each.context for each in pushes]
    assert {(each.attributes or {})["db.system.name"] for each in commits} == {"sqlite"}


async def test_a_backend_says_where_each_of_its_calls_is(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    config = Config(port=0, tracing=True, grpc_port=0)
    app = App(store=f"sqlite:///{tmp_path / 'backend.db'}", config=config, undeclared=True)
    app.form("signup").field("email", required=True)(lambda value: None)
    at: list[str | None] = [PUSH]
    async with app, rhtmx.backend(app.grpc_address, traceparent=lambda: at[0]) as trackers:
        await trackers.push("tasks", "1", {"n": 1})
        await trackers.sync("tasks")
        at[0] = HELLO
        assert await trackers.validate_form("signup", {"email": "a@b.example"})
        at[0] = None
        await trackers.push("tasks", "1", {"n": 2})
    assert [linked(each) for each in named(spans, "push")] == [[3], []]
    assert [linked(each) for each in named(spans, "validate_form")] == [[1]]
    assert [linked(each) for each in named(spans, "catch_up")] == [[3]]


async def test_the_typescript_client_says_where_it_is(
    app: App, spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    require_node()
    shutil.copy(PROGRAM, tmp_path)
    environ = {"URL": app.url, "HELLO": HELLO, "PUSH": PUSH}
    await ran("node", RUN, tmp_path / PROGRAM.name, environ=environ)
    assert [linked(each) for each in named(spans, "push")] == [[3], [1]]
    assert [linked(each) for each in named(spans, "push_fields")] == [[3]]


async def test_who_says_nothing_of_a_trace_is_linked_to_none(
    app: App, spans: InMemorySpanExporter
) -> None:
    async with rhtmx.connect(app.url) as client:
        await client.push("tasks", "1", {"n": 1})
    (push,) = named(spans, "push")
    assert linked(push) == []


async def test_what_is_no_traceparent_changes_nothing(
    app: App, spans: InMemorySpanExporter
) -> None:
    async with raw(app.url) as client:
        await client.push("tasks", "1", {"n": 1}, traceparent="x" * 5_000)
    (push,) = named(spans, "push")
    assert linked(push) == []


async def test_a_rejected_push_has_the_type_of_its_error(
    app: App, spans: InMemorySpanExporter
) -> None:
    async with rhtmx.connect(app.url) as client:
        await client.push("tasks", "1", {"n": 1})
        with pytest.raises(RhtmxError):
            await client.push("tasks", "1", {"n": 2}, base_version=0)
    _, push = named(spans, "push")
    assert (push.attributes or {})["error.type"] == "conflict"


async def test_a_question_about_a_form_is_linked_to_the_connection(
    app: App, spans: InMemorySpanExporter
) -> None:
    async with rhtmx.connect(app.url, traceparent=HELLO) as client:
        for value in ("ada@example.com", ""):
            assert not (await client.validate_field("signup", "email", value)).valid
        await client.validate_form("signup", {"email": "ada@example.com"})
    for name, times in (("validate_field", 2), ("validate_form", 1)):
        found = named(spans, name)
        assert [linked(each) for each in found] == [[1]] * times
        assert {(each.attributes or {})["rhtmx.valid"] for each in found} == {False}
    assert "ada@example.com" not in repr([each.to_json() for each in spans.get_finished_spans()])


async def test_catching_up_is_one_span(app: App, spans: InMemorySpanExporter) -> None:
    for number in range(300):  # more than a page
        await app.changes.push("tasks", str(number), {"n": number})
    async with rhtmx.connect(app.url, traceparent=HELLO) as client:
        changes = client.changes("tasks", since=0)
        for _ in range(300):
            await anext(changes)
        await eventually(lambda: bool(named(spans, "catch_up")))
    (span,) = named(spans, "catch_up")
    assert dict(span.attributes or {}) == {"rhtmx.entities": ("tasks",), "rhtmx.records": 300}
    assert linked(span) == [1]


async def test_a_server_that_is_not_traced_does_not_load_opentelemetry(tmp_path: Path) -> None:
    program = """
import asyncio, sys
import rhtmx
from rhtmx_server import App, Config
async def main():
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    async with app, rhtmx.connect(app.url) as client:
        await client.push("tasks", "1", {})
asyncio.run(main())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    (tmp_path / "untraced.py").write_text(program)
    ended = await ran(sys.executable, "-W", "error", "untraced.py", folder=tmp_path)
    assert ended.output == "[]\n"
