"""Facts about `rhtmx_server.program.sync`: the calls without `await`, from threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from rhtmx import Increment
from rhtmx.messages import Position
from rhtmx_server import App, Change, ErrorCode, Grant, Reset, RhtmxError
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.program.conftest import ADA


async def test_each_call_does_what_it_does_with_await(app: App) -> None:
    def calls() -> None:
        notes = app.sync.collection("notes", timeout=60)
        assert notes.entity == "notes"
        assert notes.set("1", {"n": 1}).version == 1
        assert notes.patch("1", {"n": Increment(1)}, delete=["x"]).version == 2
        row = notes.get("1")
        assert row is not None
        assert notes.all() == [row] == notes.where({"n": 2}) == notes.where(lambda row: True)
        assert len(notes.history("1")) == 2
        assert notes.blame("1")["n"].version == 2
        with app.sync.transaction() as both:
            both.set("notes", "2", {})
            both.delete("notes", "1")
        assert len(both.result.results) == 2
        with app.sync.transaction() as nothing:
            pass
        assert nothing.result.results == ()
        assert [row.id for row in notes.all()] == ["2"]
        notes.delete("2")
        tasks = app.sync.collection("tasks", who=ADA)
        with pytest.raises(RhtmxError) as caught:
            tasks.set("1", {"team": "blue"})
        assert caught.value.code is ErrorCode.FORBIDDEN
        tasks.set("1", {"team": "red"})
        assert [each.subject for each in tasks.history("1")] == ["ada"]

    await asyncio.to_thread(calls)


async def test_a_transaction_that_raises_writes_nothing(app: App) -> None:
    def calls() -> None:
        with suppress(ZeroDivisionError), app.sync.transaction(who=ADA) as both:
            both.set("notes", "1", {})
            raise ZeroDivisionError
        assert app.sync.collection("notes").all() == []

    await asyncio.to_thread(calls)


async def test_many_threads_write_at_once_and_nothing_is_lost(app: App) -> None:
    def write(number: int) -> int | None:
        notes = app.sync.collection("notes")
        notes.set(str(number), {"n": number})
        row = notes.get(str(number))
        assert row is not None
        assert row.data == {"n": number}
        return notes.patch("sum", {"n": Increment(number)}).version

    def all_at_once() -> None:
        with ThreadPoolExecutor(16) as pool:
            versions = list(pool.map(write, range(1, 101)))
        assert len(set(versions)) == 100
        row = app.sync.collection("notes").get("sum")
        assert row is not None
        assert row.data == {"n": sum(range(101))}
        assert len(app.sync.collection("notes").all()) == 101

    await asyncio.to_thread(all_at_once)


async def test_changes_are_a_plain_iterator_which_ends_when_the_app_stops(app: App) -> None:
    seen: list[Change] = []

    def read() -> None:
        for change in app.sync.collection("notes").changes(since=0):
            seen.append(change)

    reading = asyncio.create_task(asyncio.to_thread(read))
    for number in range(5):
        await app.collection("notes").set(str(number), {})
    await eventually(lambda: len(seen) == 5)
    await app.stop()
    await reading
    assert [each.entity_id for each in seen] == list("01234")


async def test_changes_end_where_the_app_has_stopped_between_two(app: App) -> None:
    await app.collection("notes").set("1", {})
    seen: list[str] = []
    stopped = threading.Event()

    def read() -> None:
        changes = app.sync.collection("notes").changes(since=0)
        for change in changes:
            seen.append(change.entity_id)
            stopped.wait()
        with pytest.raises(RhtmxError, match=r"the app is not running"):
            next(app.sync.collection("notes").changes())

    reading = asyncio.create_task(asyncio.to_thread(read))
    await eventually(lambda: seen == ["1"])
    await app.stop()
    stopped.set()
    await reading


async def test_changes_go_on_from_a_position_and_are_left(app: App) -> None:
    def calls() -> None:
        notes = app.sync.collection("notes")
        with notes.changes() as stream:
            notes.set("1", {})
            notes.set("2", {})
            assert [next(stream).entity_id, next(stream).entity_id] == ["1", "2"]
        stream = notes.changes(since=stream.position)
        notes.set("3", {})
        for change in stream:
            assert change.entity_id == "3"
            break
        impatient = app.sync.collection("notes", timeout=0.01).changes(since=stream.position)
        with pytest.raises(RhtmxError, match=r"notes\.changes: no answer within 0\.01") as caught:
            next(impatient)
        assert caught.value.code is ErrorCode.TIMEOUT
        notes.set("4", {})
        patient = notes.changes(since=impatient.position)
        assert next(patient).entity_id == "4"
        patient.stop()
        impatient.stop()
        other = notes.changes(since=Position("another", 1))
        with pytest.raises(Reset):
            next(other)

    await asyncio.to_thread(calls)
    await eventually(lambda: not app._life.readers)
    assert not app._running.services.hub.reads("notes")


async def test_in_the_thread_of_the_loop_a_call_raises_at_once(app: App) -> None:
    for call in (app.sync.collection("notes").all, app.sync.collection("notes").changes().__next__):
        with pytest.raises(RhtmxError, match=r"would wait for itself: await app\.coll") as caught:
            call()
        assert caught.value.code is ErrorCode.NOT_SUPPORTED


async def test_on_another_loop_awaiting_says_to_call_sync(app: App) -> None:
    def elsewhere() -> None:
        for call in (app.collection("notes").all, lambda: app.changes.push("notes", "1", {})):
            with pytest.raises(RhtmxError, match=r"another event loop: call app\.sync") as caught:
                asyncio.run(call())
            assert caught.value.code is ErrorCode.NOT_SUPPORTED

    await asyncio.to_thread(elsewhere)


async def test_what_still_waits_when_the_app_has_stopped_is_told_so() -> None:
    app = App(store="memory://")
    app.entity("docs", partition=["project"])
    asked = threading.Event()

    @app.scope("docs")
    async def readable(who: Grant) -> Any:
        asked.set()
        await asyncio.get_running_loop().create_future()

    def call() -> None:
        with pytest.raises(RhtmxError, match=r"docs\.all: the app stopped before") as caught:
            app.sync.collection("docs", who=Grant("ada")).all()
        assert caught.value.code is ErrorCode.SHUTTING_DOWN

    async with app.asgi():
        calling = asyncio.create_task(asyncio.to_thread(call))
        await eventually(asked.is_set)
    await calling


def test_without_an_app_that_runs_a_call_says_what_to_use() -> None:
    with pytest.raises(RhtmxError, match=r"`with app\.sync:` where there") as caught:
        App(store="memory://").sync.collection("notes").all()
    assert caught.value.code is ErrorCode.SHUTTING_DOWN


def test_a_script_has_the_app_in_a_thread_and_nobody_can_connect() -> None:
    app = App(store="memory://")
    with app.sync as sync:
        sync.collection("notes").set("1", {})
        assert app.url == ""
        with app.sync:  # in a function that it calls, say
            assert len(sync.collection("notes").all()) == 1
        assert len(sync.collection("notes").all()) == 1
    with pytest.raises(RhtmxError, match="not running"):
        sync.collection("notes").all()
    with app.sync:
        assert len(sync.collection("notes").all()) == 1


def test_two_servers_of_one_file_are_refused_as_ever(tmp_path: Any) -> None:
    place = f"sqlite:///{tmp_path / 'one.db'}"
    with App(store=place).sync as sync:
        sync.collection("notes").set("1", {})
        with pytest.raises(RhtmxError) as caught:
            App(store=place).sync.start()
        assert caught.value.code is ErrorCode.STORAGE_FAILED
    with App(store=place).sync as sync:
        assert len(sync.collection("notes").all()) == 1


async def test_a_host_cannot_serve_an_app_that_runs_in_a_thread_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App(store="memory://")
    await asyncio.to_thread(app.sync.start)
    try:
        with pytest.raises(RhtmxError, match="start it in one place only") as caught:
            async with app.asgi():
                pass
        assert caught.value.code is ErrorCode.NOT_SUPPORTED
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        async def receive() -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/healthz", "headers": []}
        with caplog.at_level(logging.ERROR, "rhtmx_server"):
            await app.asgi()(scope, receive, send)
        assert sent[0]["status"] == 500
        assert "have one host serve all requests" in caplog.text
    finally:
        await asyncio.to_thread(app.sync.stop)


async def test_typed_calls_do_what_they_do_with_await() -> None:
    from tests.unit.rhtmx_server.program.test_typed_collection import MADE, Order

    app = App(store="memory://", schema=MADE.schema)

    def calls() -> None:
        orders = app.sync.of(Order, timeout=60)
        created = orders.create(Order(goods="tea", count=1))
        orders.edit(created.entity_id, count=Increment(1))
        row = orders.get(created.entity_id)
        assert row is not None
        assert row.data == Order(goods="tea", count=2)
        assert orders.all() == [row] == orders.where({"goods": "tea"})
        assert orders.raw.get(created.entity_id) is not None
        assert orders.new_id()
        orders.delete(created.entity_id)
        assert orders.all() == []

    async with app.asgi():
        await asyncio.to_thread(calls)
