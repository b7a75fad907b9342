"""Facts about `rhtmx.core.send_queue`."""

from __future__ import annotations

import pytest

from rhtmx.core.connection_lifecycle import ConnectionLifecycle
from rhtmx.core.local_state import LocalState
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.requests import Requests
from rhtmx.core.send_queue import SendQueue
from rhtmx.core.storage_ops import Image, keep
from rhtmx.core.streams import Outgoing, Streams
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Ping, Pong, Push, Subscribe, ValidateField
from rhtmx.stores.memory import MemoryStore
from rhtmx.wire import ClientMessage

BUSY = RhtmxError(ErrorCode.RATE_LIMITED, "slower", retry_after=2.0)


class Parts:
    """What a send queue brings together, on a connection that is open."""

    def __init__(self) -> None:
        self.link = ConnectionLifecycle(lambda: 0.5)
        self.local = LocalState(lambda: 0.5, lambda event: None)
        self.requests = Requests(lambda: 0.5, lambda event: None)
        outgoing = Outgoing(self.link.send, self.link.fence, lambda event: None)
        self.queue = SendQueue(self.link, self.local, self.requests, Streams(outgoing))
        self.link.connected(0)

    def welcomed(self) -> None:
        self.link.welcomed(20, 0)
        self.requests.begin(64)

    def write(self, name: str) -> None:
        self.local.writes.add(QueuedWrite(name, Push("tasks", name, ChangeAction.UPDATE, b"1")))

    def ask(self, name: str) -> None:
        self.requests.add(ValidateField(name, "signup", "email", "x"))


@pytest.fixture
def parts() -> Parts:
    return Parts()


def names(messages: list[ClientMessage]) -> list[str]:
    return [type(each).__name__ for each in messages]


def test_what_is_said_anyway_comes_first_then_writes_then_questions(parts: Parts) -> None:
    parts.welcomed()
    parts.ask("q")
    parts.write("a")
    parts.link.send(Pong())
    assert names(parts.queue.take(1)) == ["Pong", "Push", "ValidateField"]
    assert parts.queue.take(2) == []


def test_before_the_welcome_neither_writes_nor_questions_are_sent(parts: Parts) -> None:
    parts.ask("q")
    parts.write("a")
    parts.link.send(Pong())
    assert names(parts.queue.take(1)) == ["Pong"]
    parts.welcomed()
    assert names(parts.queue.take(1)) == ["Push", "ValidateField"]


def test_no_number_is_sent_before_the_secret_is_stored(parts: Parts) -> None:
    store = MemoryStore("c")
    parts.local.load(Image("c"))
    parts.welcomed()
    parts.local.identity.given("s")
    secret = parts.local.pending_ops.take()
    parts.write("a")
    parts.ask("q")
    parts.local.kept(keep(store, parts.local.pending_ops.take()))
    assert names(parts.queue.take(1)) == ["ValidateField"]
    parts.local.kept(keep(store, secret))
    assert names(parts.queue.take(1)) == ["Push"]


def test_what_is_suspected_to_be_too_large_is_sent_alone(parts: Parts) -> None:
    parts.welcomed()
    parts.write("a")
    parts.ask("q")
    parts.queue.take(1)
    assert parts.queue.oversized.closed(1009, quiet=True)
    parts.local.writes.begin(0, "e")
    parts.requests.begin(64)
    assert names(parts.queue.take(1)) == ["Push"]
    assert parts.queue.take(1) == []


def test_the_deadline_is_the_nearest_of_the_next_ping_and_the_waits(parts: Parts) -> None:
    assert parts.queue.deadline == 40
    parts.welcomed()
    assert parts.queue.deadline == 20
    parts.requests.hold.refused(BUSY, 5)
    assert parts.queue.deadline == 7.5
    parts.local.writes.hold.refused(BUSY, 4)
    assert parts.queue.deadline == 6.5
    parts.link.lost(6)
    assert parts.queue.deadline is None


@pytest.mark.parametrize(("size", "most", "fits"), [(9, 9, True), (10, 9, False), (10, 0, True)])
def test_a_write_fits_up_to_what_the_server_takes(
    parts: Parts, size: int, most: int, fits: bool
) -> None:
    parts.welcomed()
    parts.write("a")
    (message,) = parts.queue.take(1)
    assert parts.queue.fits(message, size, most) is fits
    assert ("a" in parts.local.writes.rejected) is not fits


def test_a_subscription_and_a_question_that_are_too_large_are_refused(parts: Parts) -> None:
    parts.welcomed()
    parts.ask("q")
    (question,) = parts.queue.take(1)
    assert not parts.queue.fits(question, 10, 9)
    assert not parts.requests.waits("q")
    assert not parts.queue.fits(Subscribe(entities=["tasks"]), 10, 9)


def test_what_cannot_be_made_smaller_is_sent(parts: Parts) -> None:
    assert parts.queue.fits(Ping(), 10, 9)
