"""Facts about the state table in `rhtmx.core.session`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Received, State
from rhtmx.core.session import Session
from rhtmx.messages import Limits, Welcome
from tests.unit.rhtmx.model_server import NOW

CONNECTING, OPEN, WAITING, OFFLINE, CLOSED = State

WELCOME = Welcome("s", "e", 0, 20_000, Limits(65536, 128, 64), NOW, "x")


def welcome(session: Session) -> None:
    session.connected(0)
    session.step(Received(WELCOME), 0)


EVENTS: dict[str, Callable[[Session], object]] = {
    "connecting": Session.connecting,
    "welcome": welcome,
    "lost": lambda session: session.lost(1),
    "offline": lambda session: session.offline(1),
    "online": Session.online,
    "close": Session.close,
}

ROADS = {
    CONNECTING: [],
    OPEN: ["welcome"],
    WAITING: ["welcome", "lost"],
    OFFLINE: ["offline"],
    CLOSED: ["close"],
}
"""How each state is reached."""

TABLE = {
    (CONNECTING, "welcome"): OPEN,
    (CONNECTING, "lost"): WAITING,
    (OPEN, "lost"): WAITING,
    (WAITING, "connecting"): CONNECTING,
    (WAITING, "online"): CONNECTING,
    (OFFLINE, "online"): CONNECTING,
    **{(state, "offline"): OFFLINE for state in (CONNECTING, OPEN, WAITING)},
    **{(state, "close"): CLOSED for state in (CONNECTING, OPEN, WAITING, OFFLINE)},
}

IMPOSSIBLE = {(OPEN, "connecting"), (OPEN, "welcome"), (WAITING, "welcome"), (OFFLINE, "welcome")}
"""Whoever connects says so first, and does not while the client is to be offline."""

PAIRS = [(state, event) for state in State for event in EVENTS if (state, event) not in IMPOSSIBLE]


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=str)
def test_an_event_leads_where_the_table_says(state: State, event: str) -> None:
    session = Session("c1", lambda: 0.5)
    for each in ROADS[state]:
        EVENTS[each](session)
    assert session.state is state
    if (state, event) == (CLOSED, "welcome"):
        with pytest.raises(ConnectionClosed):
            welcome(session)
    else:
        EVENTS[event](session)
    assert session.state is TABLE.get((state, event), state)


def test_going_offline_and_back_twice_ends_where_it_began() -> None:
    session = Session("c1", lambda: 0.5)
    for event in ("welcome", "offline", "offline", "online", "online", "connecting", "welcome"):
        EVENTS[event](session)
    assert session.state is OPEN
