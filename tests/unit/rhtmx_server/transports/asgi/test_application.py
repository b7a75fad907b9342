"""When a mounted server starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import WrongLoopError
from rhtmx_server.transports.asgi.application import AsgiApp
from rhtmx_server.transports.asgi.events import AsgiEvent


class Door:
    """Answers each request with its kind."""

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http"})

    async def websocket(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket"})


class Life:
    """A server that takes its time to start."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.door: Any = None
        self.failure: Exception | None = None
        self.app = AsgiApp(lambda: self.door, self.start, self.stop)

    async def start(self) -> None:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self.notes.append("started")
        self.door = Door()

    async def stop(self) -> None:
        self.notes.append("stopped")
        self.door = None

    async def ask(self, kind: str = "http") -> list[AsgiEvent]:
        sent: list[AsgiEvent] = []

        async def send(event: AsgiEvent) -> None:
            sent.append(event)

        async def receive() -> AsgiEvent:
            return {"type": "websocket.connect"}

        extensions: dict[str, Any] = {"websocket.http.response": {}}
        await self.app({"type": kind, "extensions": extensions}, receive, send)
        return sent


async def lifespan(life: Life, *between: str) -> list[AsgiEvent]:
    """What a host is told whose lifespan is passed on, with requests between start and stop."""
    told: list[AsgiEvent] = []
    started, stops = asyncio.Event(), asyncio.Event()
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> AsgiEvent:
        name = next(events)
        if name == "lifespan.shutdown":
            await stops.wait()
        return {"type": name}

    async def send(event: AsgiEvent) -> None:
        told.append(event)
        started.set()

    task = asyncio.create_task(life.app({"type": "lifespan"}, receive, send))
    await started.wait()
    for kind in between:
        await life.ask(kind)
    stops.set()
    await task
    return told


async def test_it_starts_and_stops_with_the_lifespan_of_the_host() -> None:
    life = Life()
    told = await lifespan(life, "http", "websocket")
    assert [event["type"] for event in told] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert life.notes == ["started", "stopped"]


async def test_a_start_that_fails_is_told_to_the_host_in_words() -> None:
    life = Life()
    life.failure = RhtmxError(ErrorCode.STORAGE_FAILED, "the file is in use")
    assert await lifespan(life) == [
        {"type": "lifespan.startup.failed", "message": "the file is in use"}
    ]


async def test_the_first_request_starts_it_where_no_lifespan_is_passed_on() -> None:
    life = Life()
    answers = await asyncio.gather(life.ask(), life.ask("websocket"), life.ask())
    assert [sent[0]["type"] for sent in answers] == ["http", "websocket", "http"]
    assert life.notes == ["started"], "once, however many come"


async def test_a_request_that_goes_away_does_not_end_the_start() -> None:
    life = Life()
    first = asyncio.create_task(life.ask())
    await asyncio.sleep(0)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert (await life.ask())[0]["type"] == "http"
    assert life.notes == ["started"]


def test_what_a_request_has_started_stops_when_the_loop_ends() -> None:
    life = Life()
    asyncio.run(as_none(life))
    assert life.notes == ["started", "stopped"]
    asyncio.run(as_none(life))
    assert life.notes == ["started", "stopped"] * 2, "and starts again in another one"


async def as_none(life: Life) -> None:
    await life.ask()


async def test_a_request_that_cannot_start_it_is_told_no_more_than_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    life = Life()
    life.failure = RhtmxError(ErrorCode.STORAGE_FAILED, "/srv/app.db is in use")
    start, body = await life.ask()
    assert start["status"] == 503
    assert b"/srv" not in body["body"]
    assert "/srv/app.db is in use" in caplog.text
    assert (await life.ask("websocket"))[0]["status"] == 503
    life.failure = None
    assert (await life.ask())[0]["type"] == "http", "it is tried again"


async def test_it_stops_with_the_last_of_those_who_hold_it_and_then_stays_so() -> None:
    life = Life()
    async with life.app.lifespan(), life.app:
        pass
    assert life.notes == ["started", "stopped"]
    assert (await life.ask())[0]["status"] == 503
    async with life.app:
        assert (await life.ask())[0]["type"] == "http"


async def test_a_server_that_runs_by_itself_is_used_and_left_alone() -> None:
    life = Life()
    await life.start()
    async with life.app:
        assert (await life.ask())[0]["type"] == "http"
    assert life.notes == ["started"]


async def test_a_request_in_another_loop_is_refused_in_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    life = Life()

    def elsewhere() -> Any:
        raise WrongLoopError("call app.sync")

    life.app = AsgiApp(elsewhere, life.start, life.stop)
    for kind in ("http", "websocket"):
        start, body = await life.ask(kind)
        assert start["status"] == 500
        assert b"with TestClient" in body["body"]
    assert "another event loop" in caplog.text


async def test_another_kind_of_scope_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="ASGI scope 'mqtt': http, websocket or lifespan expected"):
        await Life().ask("mqtt")
