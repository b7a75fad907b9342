"""Who may connect."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import FAIR, TURNED_AWAY, Admission, Ticket, source


class Guest(Ticket):
    """A connection that notes that it had to go."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door

    def drop(self) -> None:
        self._door.dropped.append(self)
        self._door.admission.leave(self)


class Slow(Guest):
    """One that is gone later, as connections are."""

    def drop(self) -> None:
        self._door.dropped.append(self)


class Door:
    """An admission, and what came of those who arrived."""

    def __init__(self, **limits: Any) -> None:
        self.reasons: list[str] = []
        self.dropped: list[Ticket] = []
        self.admission = Admission(Config(**limits), self.reasons.append)

    def arrive(self, address: str | None = None, now: float = 0.0) -> Ticket:
        guest = Guest(self)
        self.admission.arrive(guest, address, now)
        return guest

    def enter(self, address: str | None) -> Ticket:
        ticket = Ticket()
        self.admission.enter(ticket, address)
        return ticket

    def welcome(self, address: str | None = None, now: float = 0.0) -> Ticket:
        ticket = self.arrive(address, now)
        assert ticket.refusal is None
        return ticket

    def refused(self, address: str | None = None, now: float = 0.0) -> RhtmxError:
        ticket = self.arrive(address, now)
        assert ticket.refusal is not None
        return ticket.refusal


# Addresses.


@pytest.mark.parametrize(
    ("peername", "counted"),
    [
        (("192.0.2.1", 1), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::"),
        (("2001:db8:1:2::", 1, 0, 0), "2001:db8:1:2::"),
        (("2001:db8:1:2:8000::1", 1, 0, 0), "2001:db8:1:2::"),
        (("2001:db8:1:3::1", 1, 0, 0), "2001:db8:1:3::"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::"),
        (("::ffff:192.0.2.1", 1, 0, 0), "192.0.2.1"),
        (("127.0.0.1", 1), None),
        (("127.9.9.9", 1), None),
        (("::1", 1, 0, 0), None),
        (("::ffff:127.0.0.1", 1, 0, 0), None),
        ("", None),
        ("/run/app.sock", None),
        (b"\0abstract", None),
        (None, None),
        ((), None),
    ],
)
def test_a_peer_is_counted_by_its_address_or_site_and_not_on_this_machine(
    peername: object, counted: str | None
) -> None:
    assert source(peername) == counted


# Connections.


def test_as_many_connect_as_the_limit_says_and_one_more_is_told_the_option() -> None:
    door = Door(connections=2)
    first, _ = door.welcome(), door.welcome("192.0.2.1")
    error = door.refused("192.0.2.2")
    assert error.code is ErrorCode.TOO_MANY_REQUESTS
    assert "2 connections (--connections)" in error.message
    assert error.retry_after == 5
    assert door.reasons == ["connections"]
    door.admission.leave(first)
    door.welcome("192.0.2.2")


def test_an_address_has_so_many_and_others_are_not_concerned() -> None:
    door = Door(connections_per_address=2)
    mine = [door.welcome("192.0.2.1") for _ in range(2)]
    error = door.refused("192.0.2.1")
    assert error.code is ErrorCode.RATE_LIMITED
    assert "(--connections-per-address)" in error.message
    assert error.retry_after == 5
    assert door.reasons == ["address"]
    door.welcome("192.0.2.2")
    door.admission.leave(mine[0])
    door.welcome("192.0.2.1")
    door.refused("192.0.2.1")


def test_peers_without_an_address_are_counted_in_all_only() -> None:
    door = Door(connections=5, connections_per_address=1)
    for _ in range(5):
        door.welcome(None)
    assert door.admission._sources == {}
    assert "--connections)" in door.refused(None).message


def test_a_limit_of_one_is_one() -> None:
    door = Door(connections_per_address=1, connections_per_subject=1)
    door.welcome("192.0.2.1")
    assert door.refused("192.0.2.1").message == (
        "there are 1 connections from your address already (--connections-per-address): "
        "close one of them"
    )
    door.admission.speak("ada")
    with pytest.raises(RhtmxError):
        door.admission.speak("ada")


def test_who_was_turned_away_does_not_count_and_leaves_no_place() -> None:
    door = Door(connections=1)
    inside = door.welcome("192.0.2.1")
    outside = door.arrive("192.0.2.1")
    door.admission.leave(outside)
    door.refused("192.0.2.2")
    door.admission.leave(inside)
    door.welcome("192.0.2.2")


def test_both_doors_count_together() -> None:
    door = Door(connections=3, connections_per_address=2)
    ticket = door.enter("192.0.2.1")
    door.welcome("192.0.2.1")
    with pytest.raises(RhtmxError) as caught:
        door.enter("192.0.2.1")
    assert caught.value.code is ErrorCode.RATE_LIMITED
    door.enter(None)
    with pytest.raises(RhtmxError) as caught:
        door.enter(None)
    assert caught.value.code is ErrorCode.TOO_MANY_REQUESTS
    assert door.reasons == ["address", "connections"]
    door.admission.leave(ticket)
    door.enter("192.0.2.1")


def test_nothing_is_kept_of_those_who_are_gone() -> None:
    door = Door(connections=20, handshakes=4)
    admission = door.admission
    for n in range(1000):
        ticket = door.welcome(f"192.0.2.{n % 250}", now=n)
        if n % 2:
            admission.greeted(ticket)
        admission.leave(ticket)
        admission.speak(f"user{n}")
        admission.hush(f"user{n}")
    assert not admission._sources
    assert not admission._subjects
    assert not admission._waiting
    assert not admission._turned_away
    assert admission._connections == 0


# Handshakes.


def test_a_handshake_waits_until_its_peer_has_said_what_it_wants() -> None:
    door = Door(handshakes=1)
    door.admission.greeted(door.welcome())
    door.welcome()
    assert door.reasons == []


def test_beyond_the_limit_the_newest_is_told_to_try_again() -> None:
    door = Door(handshakes=2)
    first, _ = door.welcome(now=0.0), door.welcome(now=0.0)
    error = door.refused(now=FAIR - 0.1)
    assert error.code is ErrorCode.TOO_MANY_REQUESTS
    assert "2 handshakes are under way already (--handshakes)" in error.message
    assert error.retry_after == 1
    assert door.reasons == ["handshakes"]
    assert door.dropped == []
    door.admission.leave(first)
    door.welcome(now=FAIR - 0.1)


def test_the_oldest_makes_room_once_it_has_had_its_time() -> None:
    door = Door(handshakes=2)
    first, second = door.welcome(now=0.0), door.welcome(now=0.5)
    door.welcome(now=FAIR)
    assert door.dropped == [first]
    door.refused(now=FAIR)
    door.welcome(now=FAIR + 0.5)
    assert door.dropped == [first, second]
    assert door.reasons == ["handshakes"] * 3


def test_one_that_makes_room_does_so_once_though_it_takes_a_moment_to_go() -> None:
    door = Door(handshakes=2)
    waiting = [Slow(door), Slow(door)]
    for guest in waiting:
        door.admission.arrive(guest, None, 0.0)
    door.welcome(now=FAIR)
    door.welcome(now=FAIR)
    assert door.dropped == waiting
    for guest in waiting:
        door.admission.leave(guest)
    assert door.admission._connections == 2


def test_a_handshake_that_does_not_end_is_overdue_once() -> None:
    door = Door(handshake_timeout=10)
    late, later = door.welcome(now=0.0), door.welcome(now=1.0)
    done = door.welcome(now=0.0)
    door.admission.greeted(done)
    assert door.admission.overdue(9.9) == []
    assert door.admission.overdue(10.0) == [late]
    assert door.admission.overdue(10.5) == []
    assert door.admission.overdue(11.0) == [later]
    assert door.reasons == ["timeout", "timeout"]
    for ticket in (late, later, done):
        door.admission.leave(ticket)


def test_one_turned_away_has_a_second_to_be_told() -> None:
    door = Door(connections=1)
    door.admission.greeted(door.welcome(now=0.0))
    ticket = door.arrive(now=5.0)
    assert door.admission.overdue(5.0 + FAIR - 0.1) == []
    assert door.admission.overdue(5.0 + FAIR) == [ticket]
    door.admission.leave(ticket)
    assert door.admission.overdue(100.0) == []


def test_of_those_who_wait_to_be_turned_away_the_oldest_makes_room() -> None:
    door = Door(connections=1)
    door.welcome()
    outside = [door.arrive() for _ in range(TURNED_AWAY)]
    assert door.dropped == []
    door.admission.leave(outside[1])
    door.refused()
    assert door.dropped == []
    door.refused()
    assert door.dropped == [outside[0]]
    assert len(door.admission._turned_away) == TURNED_AWAY
    assert door.admission._connections == 1


# Subjects.


def test_a_subject_has_so_many_connections_and_others_are_not_concerned() -> None:
    door = Door(connections_per_subject=2)
    door.admission.speak("ada")
    door.admission.speak("ada")
    with pytest.raises(RhtmxError) as caught:
        door.admission.speak("ada")
    assert caught.value.code is ErrorCode.TOO_MANY_REQUESTS
    assert "2 connections already (--connections-per-subject)" in caught.value.message
    assert caught.value.retry_after == 5
    assert door.reasons == ["subject"]
    door.admission.speak("bob")
    door.admission.hush("ada")
    door.admission.speak("ada")
