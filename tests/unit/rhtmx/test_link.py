"""Facts about `rhtmx.link`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.link import LEGAL, Link, Phase
from rhtmx.messages import Change, Hello, Ping, Pong, Push, Welcome
from rhtmx.messages.tables import SERVER_MESSAGES
from rhtmx.outlet import Fence


@pytest.fixture
def link() -> Link:
    link = Link(random=lambda: 0.5)
    link.connected(0)
    link.welcomed(20, 0)
    return link


def test_every_phase_says_what_is_legal_in_it() -> None:
    assert set(LEGAL) == set(Phase)
    assert LEGAL[Phase.OPEN] | {Welcome} == set(SERVER_MESSAGES)


@pytest.mark.parametrize("message", [Welcome(), Push(), Hello()])
def test_what_does_not_belong_here_is_an_error(link: Link, message: Welcome | Push | Hello) -> None:
    with pytest.raises(RhtmxError, match="where it does not belong") as caught:
        link.received(message, 1)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_nothing_but_the_greeting_comes_before_welcome() -> None:
    link = Link(random=lambda: 0.5)
    link.connected(0)
    link.received(Ping(), 0)
    with pytest.raises(RhtmxError, match="'change'"):
        link.received(Change(), 0)


def test_it_pings_when_nothing_was_sent_for_an_interval(link: Link) -> None:
    assert link.deadline == 20
    assert link.tick(19.9)
    assert link.take(19.9) == []
    link.received(Pong(), 20)
    assert link.tick(20)
    assert link.take(20) == [Ping()]
    assert link.deadline == 40


def test_what_is_not_known_is_a_sign_of_life_too(link: Link) -> None:
    link.received(None, 39)
    assert link.tick(60)
    assert not link.tick(79)


def test_what_is_sent_puts_off_the_ping(link: Link) -> None:
    link.send(Pong())
    link.take(10)
    assert link.deadline == 30


def test_a_ping_that_is_not_taken_is_not_repeated(link: Link) -> None:
    link.tick(20)
    link.tick(21)
    assert link.take(21) == [Ping()]


def test_two_silent_intervals_are_the_end(link: Link) -> None:
    assert link.tick(39.9)
    assert not link.tick(40)


def test_a_greeting_without_answer_ends_as_well() -> None:
    link = Link(random=lambda: 0.5)
    link.connected(0)
    assert link.deadline == 40
    assert link.tick(39)
    assert not link.tick(40)
    assert link.take(40) == []


def test_without_a_connection_there_is_nothing_to_wait_for(link: Link) -> None:
    link.lost(50)
    assert link.deadline is None
    assert link.tick(1000)


def test_pongs_answer_fences_in_order(link: Link) -> None:
    first, second = Fence(lambda: None), Fence(lambda: None)
    link.fence(first)
    link.fence(None)
    link.fence(second)
    assert link.next_fence is first
    assert link.pong() is first
    assert link.next_fence is None
    assert link.pong() is None
    assert link.pong() is second
    assert link.pong() is None


def test_a_lost_connection_takes_its_messages_and_fences_with_it(link: Link) -> None:
    link.fence(Fence(lambda: None))
    assert link.lost(1) == 0.5
    assert link.take(1) == []
    assert link.next_fence is None


def test_a_closed_link_takes_nothing(link: Link) -> None:
    link.close()
    assert link.phase is Phase.CLOSED
    with pytest.raises(RhtmxError):
        link.received(Pong(), 1)
