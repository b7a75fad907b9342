"""Replicas: whatever a bus does to what servers say, in the end all know the same members."""

from __future__ import annotations

from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting
from rhtmx_server.rooms.replicas import ASK_AGAIN, HOLD, MemberPlace, Replicas

ROOM: Key = ("orders", "7")
ADA: MemberPlace = (ROOM, "ada")
BOB: MemberPlace = (ROOM, "bob")
ONE, TWO = Sighting(1), Sighting(2)


class Shown:
    """What is to be seen, by what was told."""

    def __init__(self) -> None:
        self.members: dict[str, Sighting] = {}
        self.told = 0
        self.replicas = Replicas(self._changed)

    def _changed(self, node: str, room: Key, member: str, sighting: Sighting | None) -> None:
        self.told += 1
        if sighting is None:
            self.members.pop(member, None)
        else:
            self.members[member] = sighting


def test_what_is_said_is_shown_once() -> None:
    shown = Shown()
    for _ in range(2):
        shown.replicas.report("b", 1, [(ADA, ONE)], 0.0)
    shown.replicas.report("b", 2, [(ADA, TWO), (BOB, ONE)], 0.0)
    assert (shown.members, shown.told) == ({"ada": TWO, "bob": ONE}, 3)
    assert shown.replicas.wanted(10.0) == []


def test_what_comes_late_does_not_overtake() -> None:
    shown = Shown()
    shown.replicas.report("b", 2, [(ADA, None)], 0.0)
    shown.replicas.report("b", 1, [(ADA, ONE), (BOB, ONE)], 0.0)
    assert shown.members == {"bob": ONE}
    shown.replicas.report("b", 3, [(ADA, TWO)], 0.0)
    assert shown.members == {"ada": TWO, "bob": ONE}


def test_a_gap_that_stays_has_the_server_asked_now_and_then() -> None:
    shown = Shown()
    shown.replicas.report("b", 2, [(ADA, ONE)], 0.0)
    assert shown.replicas.wanted(0.0) == []
    assert shown.replicas.wanted(HOLD) == ["b"]
    assert shown.replicas.wanted(HOLD + 0.1) == []
    assert shown.replicas.wanted(HOLD + ASK_AGAIN) == ["b"]
    shown.replicas.report("b", 1, [], 1.0)
    assert shown.replicas.wanted(10.0) == []


def test_a_beacon_shows_that_the_last_word_is_missing() -> None:
    shown = Shown()
    shown.replicas.beacon("b", 1, 0.0)
    assert shown.replicas.wanted(0.0) == []
    assert shown.replicas.wanted(HOLD) == ["b"]


def test_all_members_take_the_place_of_what_was_said_before() -> None:
    shown = Shown()
    shown.replicas.report("b", 1, [(ADA, ONE)], 0.0)
    shown.replicas.report("b", 4, [((ROOM, "cleo"), ONE)], 0.0)
    shown.replicas.dump("b", 3, (0, 1), [(BOB, ONE)], 0.0)
    assert shown.members == {"bob": ONE, "cleo": ONE}
    shown.replicas.report("b", 2, [(ADA, TWO)], 0.0)
    assert "ada" not in shown.members
    assert shown.replicas.wanted(10.0) == []


def test_all_members_of_long_ago_change_nothing() -> None:
    shown = Shown()
    shown.replicas.report("b", 1, [(ADA, ONE)], 0.0)
    shown.replicas.report("b", 2, [(ADA, TWO)], 0.0)
    shown.replicas.dump("b", 1, (0, 1), [(ADA, ONE)], 0.0)
    assert shown.members == {"ada": TWO}


def test_all_members_come_in_parts_in_any_order_and_of_one_number() -> None:
    shown = Shown()
    shown.replicas.dump("b", 1, (0, 2), [(BOB, ONE)], 0.0)
    shown.replicas.dump("b", 2, (1, 2), [(ADA, TWO)], 0.0)
    shown.replicas.dump("b", 1, (1, 2), [(ADA, ONE)], 0.0)
    assert shown.members == {}
    shown.replicas.dump("b", 2, (0, 2), [(BOB, TWO)], 0.0)
    assert shown.members == {"ada": TWO, "bob": TWO}


def test_a_server_that_is_silent_has_no_members_and_begins_anew() -> None:
    shown = Shown()
    shown.replicas.report("b", 1, [(ADA, ONE)], 0.0)
    shown.replicas.report("c", 1, [(BOB, ONE)], 30.0)
    shown.replicas.forget_silent(41.0, 40.0)
    assert shown.members == {"bob": ONE}
    shown.replicas.beacon("b", 1, 42.0)
    assert shown.replicas.wanted(42.0) == []
    assert shown.replicas.wanted(43.0) == ["b"]
    shown.replicas.dump("b", 1, (0, 1), [(ADA, ONE)], 43.0)
    assert shown.members == {"ada": ONE, "bob": ONE}


def test_a_message_that_comes_twice_is_known_again() -> None:
    replicas = Shown().replicas
    assert [replicas.is_new("b", number, 0.0) for number in (1, 2, 1)] == [True, True, False]
    for number in range(3, 2000):
        assert replicas.is_new("b", number, 0.0)


def test_more_than_is_kept_after_a_gap_is_asked_for() -> None:
    shown = Shown()
    for number in range(2, 2000):
        shown.replicas.report("b", number, [((ROOM, str(number)), ONE)], 0.0)
    assert len(shown.members) == 1000
    every = [((ROOM, str(number)), ONE) for number in range(2, 2000)]
    shown.replicas.dump("b", 1999, (0, 1), every, 0.0)
    assert len(shown.members) == 1998
