"""Facts about `rhtmx.runtime.session_driver`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.core.events import Received
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import BatchOutcome, Image, SetLast
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Hello, Limits, Ping, Pong, Push, ValidateField, Welcome
from rhtmx.messages import ValidationResult as Answer
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.session_driver import SessionDriver
from rhtmx.values.transaction_writes import writes_of
from tests.unit.rhtmx.model_server import NOW

WELCOME = Welcome("s", "e", 0, 20_000, Limits(65536, 128, 64), NOW, "x")

FULL = RhtmxError(ErrorCode.STORAGE_FULL, "full")


@pytest.fixture
def router() -> EventRouter:
    return EventRouter()


@pytest.fixture
def driver(router: EventRouter) -> SessionDriver:
    driver = SessionDriver(Session("c", lambda: 0.5), router)
    driver.session.local.load(Image("c"))
    return driver


def woken(driver: SessionDriver) -> tuple[bool, bool]:
    """Whether there may be something to send, and to store."""
    return driver.to_send.is_set(), driver.to_store.is_set()


def connect(driver: SessionDriver) -> None:
    driver.session.connected(0)
    driver.next_messages()
    driver.step(Received(WELCOME))


async def test_a_step_tells_who_waits_and_wakes_who_sends_and_who_stores(
    driver: SessionDriver, router: EventRouter
) -> None:
    connect(driver)
    name = driver.session.ask(ValidateField("", "signup", "email", "x"))
    call = router.expect(name)
    driver.next_messages()
    driver.to_store.clear()
    answer = Answer(name, "signup", "email", valid=True)
    assert driver.step(Received(answer)) == []
    assert (await call).message is answer
    assert woken(driver) == (True, True)


async def test_messages_wait_until_there_is_room_for_them(driver: SessionDriver) -> None:
    connect(driver)
    driver.step(Received(Ping()))
    driver.step(Received(Ping()))
    assert driver.next_messages().messages == [Pong(), Pong()]
    assert not driver.to_send.is_set()
    assert driver.next_messages().messages == []


async def test_what_is_put_down_waits_until_there_is_room_for_it(driver: SessionDriver) -> None:
    driver.session.push(Push("tasks", "1", ChangeAction.UPDATE, b"1"))
    driver.session.push(Push("tasks", "2", ChangeAction.UPDATE, b"1"))
    driver.step()
    driver.next_messages()
    batch = driver.next_batch(None)
    assert batch is not None
    assert [writes_of(each.row.message)[0].entity_id for each in batch.adds] == ["1", "2"]
    assert woken(driver) == (False, False)
    assert driver.next_batch(BatchOutcome(added=[(batch.adds[0], 1)])) is None
    assert woken(driver) == (True, False)


async def test_what_the_store_could_not_take_is_not_tried_again_at_once(
    driver: SessionDriver,
) -> None:
    failed = BatchOutcome(failed=[SetLast(7)], error=FULL)
    assert driver.next_batch(failed) is None
    assert woken(driver) == (True, False)
    batch = driver.next_batch(None)
    assert batch is not None
    assert list(batch.ops.values()) == [SetLast(7)]


async def test_what_comes_while_the_store_fails_is_not_forgotten(driver: SessionDriver) -> None:
    driver.step()
    assert driver.next_batch(BatchOutcome(error=FULL)) is None
    assert driver.to_store.is_set()


async def test_a_deadline_asks_for_a_sign_of_life_and_says_when_to_look_again(
    driver: SessionDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    driver.session.connected(loop.time())
    assert [type(each) for each in driver.next_messages().messages] == [Hello]
    driver.step(Received(WELCOME))
    driver.to_send.clear()
    later = loop.time() + 20
    monkeypatch.setattr(driver, "_time", lambda: later)
    result = driver.look()
    assert result.alive
    assert result.deadline is not None
    assert result.deadline > later
    assert driver.to_send.is_set()
    assert driver.next_messages().messages == [Ping()]
    much_later = later + 20
    monkeypatch.setattr(driver, "_time", lambda: much_later)
    assert not driver.look().alive


def test_what_is_closed_after_the_end_of_its_loop_is_no_error(router: EventRouter) -> None:
    session = Session("c", lambda: 0.5)

    async def begin() -> SessionDriver:
        driver = SessionDriver(session, router)
        driver.step()
        return driver

    assert asyncio.run(begin()).step() == []
