"""Facts about `rhtmx.core.oversized_message`: what the scenarios of `limits.json` leave out."""

from __future__ import annotations

import pytest

from rhtmx.core.events import Event, Refused, Rejected
from rhtmx.core.oversized_message import OversizedMessage
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.requests import Requests
from rhtmx.core.storage_ops import PendingOps
from rhtmx.core.write_outcomes import WriteOutcomes
from rhtmx.errors import ErrorCode
from rhtmx.messages import ChangeAction, Push, PushAck, ValidateField


class World:
    """Writes and questions of a client that is connected."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.writes = WriteOutcomes(PendingOps(), lambda: 0.5, self.told.append)
        self.requests = Requests(lambda: 0.5, self.told.append)
        self.blame = OversizedMessage(self.writes, self.requests)
        self.connect()

    def connect(self, settled: int = 0) -> None:
        self.requests.lost()
        self.blame.welcomed(settled)
        self.writes.begin(settled, "e")
        self.requests.begin(64)

    def write(self, *names: str) -> None:
        for name in names:
            self.writes.add(QueuedWrite(name, Push("tasks", name, ChangeAction.UPDATE, b"1")))

    def ask(self, *names: str) -> None:
        for name in names:
            self.requests.add(ValidateField(name, "signup", "email", "x"))

    def send(self, *, quiet: bool = True) -> list[str]:
        room = self.blame.room(quiet=quiet)
        rows = self.writes.due(room)
        asked = self.requests.due(room and room - len(rows))
        return [*(row.id for row in rows), *(each.request_id or "" for each in asked)]

    def refused(self) -> list[str]:
        return [each.request_id for each in self.told if isinstance(each, Refused)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("code", [None, 1000, 1006, 1011, 4000, 4400, 4500, 4501])
def test_other_ends_are_about_no_message(world: World, code: int | None) -> None:
    world.write("a", "b")
    world.send()
    assert not world.blame.closed(code, quiet=True)
    world.connect()
    assert world.send() == ["a", "b"]


def test_what_was_not_sent_is_not_suspected(world: World) -> None:
    world.write("a")
    assert not world.blame.closed(4502, quiet=True)


def test_one_at_a_time_is_under_way_writes_first(world: World) -> None:
    world.write("a", "b")
    world.ask("q", "r")
    assert world.send() == ["a", "b", "q", "r"]
    assert world.blame.closed(4502, quiet=True)
    world.connect()
    assert world.send() == ["a"]
    assert world.send() == []
    world.writes.answered(PushAck("tasks", "a", version=1, seq=1), "e")
    assert world.send() == ["b"]
    assert world.blame.closed(4502, quiet=True)
    world.connect(1)
    assert world.refused() == ["b"]
    assert world.send() == ["q"]
    assert world.blame.closed(1009, quiet=True)
    assert world.refused() == ["b", "q"]
    world.connect(1)
    assert world.send() == ["r"]


def test_nothing_is_sent_while_something_else_is_under_way(world: World) -> None:
    world.write("a", "b")
    world.send()
    world.blame.closed(4502, quiet=True)
    world.connect()
    assert world.send(quiet=False) == []
    assert world.send() == ["a"]


def test_what_is_not_alone_under_way_is_not_blamed(world: World) -> None:
    world.write("a")
    world.send()
    for _ in range(3):
        assert world.blame.closed(4502, quiet=False)
        world.connect()
        assert world.send() == ["a"]
    assert world.refused() == []


def test_a_write_is_kept_with_its_reason(world: World) -> None:
    world.write("a")
    for _ in range(2):
        world.send()
        world.blame.closed(4502, quiet=True)
        world.connect()
    [rejected] = [each for each in world.told if isinstance(each, Rejected)]
    assert rejected.write.code is ErrorCode.TOO_LARGE
    assert "too large" in rejected.write.text
    assert list(world.writes.rejected) == ["a"]


def test_once_all_that_was_suspected_is_answered_everything_goes_at_once_again(
    world: World,
) -> None:
    world.write("a", "b")
    world.send()
    world.blame.closed(4502, quiet=True)
    world.connect()
    for seq, name in enumerate("ab", 1):
        assert world.send() == [name]
        world.writes.answered(PushAck("tasks", name, version=seq, seq=seq), "e")
    world.write("c", "d")
    world.ask("q")
    assert world.send() == ["c", "d", "q"]


def test_a_connection_that_ends_otherwise_does_not_end_the_search(world: World) -> None:
    world.write("a", "b")
    world.send()
    world.blame.closed(4502, quiet=True)
    world.connect()
    assert world.send() == ["a"]
    assert not world.blame.closed(1006, quiet=True)
    world.connect()
    assert world.send() == ["a"]
