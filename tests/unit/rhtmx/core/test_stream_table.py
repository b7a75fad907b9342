"""Facts about the table of phases in `rhtmx.core.stream`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.granularity import Granularity
from rhtmx.core.stream import Stream, StreamPhase
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import SyncBegin
from tests.unit.rhtmx.wire_side import WireSide, at, complete, record

IDLE, CATCHING_UP, LIVE, ENDING = StreamPhase


class Side:
    """A stream that has come to a phase, with one reader at version 3."""

    def __init__(self, phase: StreamPhase) -> None:
        self.wire = WireSide()
        self.stream = Stream("tasks", Granularity.RECORDS, self.wire.outgoing)
        if phase is not IDLE:
            self.read()
            self.wire.pong()
        if phase in (LIVE, ENDING):
            self.stream.complete(complete(9))
        if phase is ENDING:
            self.leave()
        assert self.stream.phase is phase

    def read(self) -> None:
        self.stream.add(Cursor(at(3)))

    def leave(self) -> None:
        for cursor in self.stream.cursors[:]:
            self.stream.remove(cursor)

    def pong(self) -> None:
        self.wire.pong()

    def refuse(self) -> None:
        self.stream.refused(RhtmxError(ErrorCode.FORBIDDEN, "no"))

    def too_busy(self) -> None:
        """The server was too busy to hear the last message, and says so before its `pong`."""
        refused = self.wire.fences[0].refused
        assert refused is not None
        self.wire.outgoing.held = True
        refused(RhtmxError(ErrorCode.RATE_LIMITED, "later"))
        self.wire.pong()


def begin(*, reset: bool) -> SyncBegin:
    return SyncBegin("tasks", "e", reset=reset, fields=False)


EVENTS: dict[str, Callable[[Side], object]] = {
    "a reader elsewhere": Side.read,
    "a reader of what comes": lambda side: side.stream.add(Cursor()),
    "nobody reads": Side.leave,
    "sync_begin": lambda side: side.stream.begin(begin(reset=False)),
    "sync_begin, all is anew": lambda side: side.stream.begin(begin(reset=True)),
    "sync_complete": lambda side: side.stream.complete(complete(9)),
    "a change": lambda side: side.stream.receive(record(10)),
    "an old change": lambda side: side.stream.receive(record(2)),
    "pong": Side.pong,
    "lost": lambda side: side.stream.lost(),
    "refused": Side.refuse,
    "too busy to end": Side.too_busy,
}

TABLE = {
    (IDLE, "a reader elsewhere"): CATCHING_UP,
    (IDLE, "a reader of what comes"): LIVE,
    (CATCHING_UP, "sync_complete"): LIVE,
    (LIVE, "sync_begin, all is anew"): CATCHING_UP,
    (LIVE, "an old change"): CATCHING_UP,
    (LIVE, "a reader elsewhere"): ENDING,
    (LIVE, "nobody reads"): ENDING,
    (ENDING, "pong"): IDLE,
    **{(phase, "lost"): CATCHING_UP for phase in (CATCHING_UP, LIVE)},
    (ENDING, "lost"): IDLE,
    **{(phase, "refused"): IDLE for phase in (CATCHING_UP, LIVE)},
}
"""Phase and event → phase; what is not named leaves it as it is."""

IMPOSSIBLE = {
    *((phase, "too busy to end") for phase in (IDLE, CATCHING_UP, LIVE)),
    *((phase, "pong") for phase in (IDLE, CATCHING_UP, LIVE)),
    *((phase, "refused") for phase in (IDLE, ENDING)),
}
"""There is nothing under way that this could be about."""

PAIRS = [(a, b) for a in StreamPhase for b in EVENTS if (a, b) not in IMPOSSIBLE]


@pytest.mark.parametrize(("phase", "event"), PAIRS, ids=str)
def test_an_event_leads_where_the_table_says(phase: StreamPhase, event: str) -> None:
    side = Side(phase)
    EVENTS[event](side)
    if event == "lost":
        assert side.stream.phase is IDLE
        side.stream.settle()
    assert side.stream.phase is TABLE.get((phase, event), phase)


def test_what_a_server_was_too_busy_to_end_is_ended_later() -> None:
    side = Side(ENDING)
    side.too_busy()
    side.wire.said()
    side.wire.outgoing.held = False
    side.stream.settle()
    assert side.wire.said() == ["Unsubscribe"]
    side.pong()
    assert side.stream.phase is IDLE
