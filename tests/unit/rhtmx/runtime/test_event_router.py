"""Facts about `rhtmx.runtime.event_router`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol, TypeVar

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Event, Received, StepResult, Told
from rhtmx.core.granularity import Granularity
from rhtmx.core.session import Session
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    ChangeLog,
    Error,
    Limits,
    Pong,
    Position,
    ValidateField,
    ValidationResult,
    Welcome,
)
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.subscription import CAPACITY, Subscription
from tests.unit.rhtmx.model_server import NOW

T = TypeVar("T")


class Telling(Protocol):
    """Has ephemeral messages arrive."""

    def __call__(self, *messages: Pong | Change) -> None: ...


@pytest.fixture
def session() -> Session:
    session = Session("c1", random=lambda: 0.0)
    session.connected(0)
    session.step(Received(Welcome("s", "e", 0, 20_000, Limits(65536, 128, 64), NOW, "x")), 0)
    return session


@pytest.fixture
def router(session: Session) -> EventRouter:
    return EventRouter()


class Reading:
    """As a client does it for its subscriptions, without a connection."""

    def __init__(self, session: Session, router: EventRouter) -> None:
        self.session, self.router = session, router

    def start(self, subscription: Subscription[T], since: Position | None) -> Cursor:
        cursor = self.session.subscribe(subscription.entity, subscription.granularity, since)
        self.router.attach(cursor, subscription)
        self.router.take(self.session.step(None, 0))
        return cursor

    def stop(self, cursor: Cursor) -> None:
        self.router.detach(cursor)

    def pause(self, cursor: Cursor) -> None:
        self.session.streams.pause(cursor)

    def resume(self, cursor: Cursor) -> None:
        self.session.streams.resume(cursor)


def versions_of(session: Session, router: EventRouter) -> Subscription[int]:
    owner = Reading(session, router)
    return Subscription(owner, "tasks", Granularity.RECORDS, lambda log: log.version)


def changed(version: int) -> Change:
    return Change(ChangeLog("tasks", "1", version=version))


async def test_an_answer_reaches_the_call_that_waits_for_it(
    session: Session, router: EventRouter
) -> None:
    name = session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    answer = ValidationResult(name, "signup", "email", valid=True)
    router.take(session.step(Received(answer), 1))
    assert (await call).message is answer


async def test_a_refusal_is_raised_by_the_call(session: Session, router: EventRouter) -> None:
    name = session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    router.take(session.step(Received(Error("too slow", ErrorCode.TIMEOUT, name)), 1))
    with pytest.raises(RhtmxError, match="too slow"):
        await call


async def test_a_refusal_that_nobody_waits_for_is_no_error_of_the_loop(
    session: Session, router: EventRouter, caplog: pytest.LogCaptureFixture
) -> None:
    name = session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    router.take(session.step(Received(Error("too slow", ErrorCode.TIMEOUT, name)), 1))
    assert call.done()
    del call  # asyncio logs what nobody has looked at, as the last reference goes
    assert caplog.records == []


async def test_the_answer_to_a_call_that_was_cancelled_is_dropped(
    session: Session, router: EventRouter
) -> None:
    name = session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    answer = ValidationResult(name, "signup", "email", valid=True)
    assert router.take(session.step(Received(answer), 1)) == []


async def test_a_change_reaches_its_subscription(session: Session, router: EventRouter) -> None:
    changes = versions_of(session, router)
    reading = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    assert router.take(session.step(Received(changed(4)), 1)) == []
    assert await reading == 4


async def test_a_subscription_that_is_full_is_named(session: Session, router: EventRouter) -> None:
    changes = versions_of(session, router)
    reading = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    router.take(session.step(Received(changed(1)), 1))
    await reading
    for version in range(2, CAPACITY + 1):
        assert router.take(session.step(Received(changed(version)), 1)) == []
    assert router.take(session.step(Received(changed(CAPACITY + 1)), 1)) == [changes]


async def test_a_subscription_that_the_server_refuses_raises(
    session: Session, router: EventRouter
) -> None:
    reading = asyncio.ensure_future(anext(versions_of(session, router)))
    await asyncio.sleep(0)
    router.take(session.step(Received(Error("no entity 'tasks'", ErrorCode.UNKNOWN_ENTITY)), 1))
    router.take(session.step(Received(Pong()), 1))
    with pytest.raises(RhtmxError, match="no entity 'tasks'"):
        await reading


async def test_the_end_reaches_everyone_who_waits(session: Session, router: EventRouter) -> None:
    name = session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    reading = asyncio.ensure_future(anext(versions_of(session, router)))
    await asyncio.sleep(0)
    router.fail(ConnectionClosed("over"))
    with pytest.raises(ConnectionClosed, match="over"):
        await call
    with pytest.raises(ConnectionClosed, match="over"):
        await reading


async def test_what_concerns_nobody_is_logged(
    session: Session, router: EventRouter, caplog: pytest.LogCaptureFixture
) -> None:
    result = session.step(Received(Error("the disk smells", ErrorCode.INTERNAL)), 1)
    with caplog.at_level(logging.WARNING, "rhtmx"):
        router.take(result)
    assert "the disk smells" in caplog.text


@pytest.fixture
def telling(router: EventRouter, monkeypatch: pytest.MonkeyPatch) -> Telling:
    """Hands over ephemeral messages; `pong` and `change` stand for them: the product has none."""
    kinds = frozenset({Pong, Change})
    monkeypatch.setattr("rhtmx.runtime.event_router.EPHEMERAL", kinds)

    def tell(*messages: Pong | Change) -> None:
        events: list[Event] = [Told(message) for message in messages]
        router.take(StepResult(events, set(), 0))

    return tell


async def test_a_listener_hears_what_it_asked_for_until_it_stops(
    router: EventRouter, telling: Telling
) -> None:
    heard: list[Pong] = []
    stop = router.listen(Pong, heard.append)
    telling(Pong(), changed(1))
    stop()
    stop()
    telling(Pong())
    assert heard == [Pong()]


async def test_one_that_listens_twice_hears_twice_and_each_stops_alone(
    router: EventRouter, telling: Telling
) -> None:
    heard: list[Pong] = []
    stop, _ = router.listen(Pong, heard.append), router.listen(Pong, heard.append)
    telling(Pong())
    stop()
    stop()
    telling(Pong())
    assert len(heard) == 3


async def test_a_listener_that_stops_while_it_hears_costs_the_next_one_nothing(
    router: EventRouter, telling: Telling
) -> None:
    heard: list[Pong] = []
    stop = router.listen(Pong, lambda message: stop())
    router.listen(Pong, heard.append)
    telling(Pong())
    assert heard == [Pong()]


async def test_a_listener_that_fails_is_logged_and_costs_the_others_nothing(
    router: EventRouter, telling: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Pong] = []

    def fail(message: Pong) -> None:
        raise ValueError("mine")

    router.listen(Pong, fail)
    router.listen(Pong, heard.append)
    telling(Pong())
    assert heard == [Pong()]
    assert "a listener to 'pong' failed" in caplog.text
    assert "ValueError: mine" in caplog.text


@pytest.mark.parametrize("kind", [Change, Welcome, str, None])
async def test_what_is_not_ephemeral_has_no_listeners(router: EventRouter, kind: Any) -> None:
    words = "is no ephemeral message; there are: room_closed"
    with pytest.raises(RhtmxError, match=words) as caught:
        router.listen(kind, print)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
