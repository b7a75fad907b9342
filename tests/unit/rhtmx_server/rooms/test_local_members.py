"""Local members: a client is one, whatever its connections, and is waited for when it is lost."""

from __future__ import annotations

from rhtmx_server.rooms.local_members import LocalMembers
from rhtmx_server.rooms.presence import Sighting

ROOM = ("orders", "7")
OLD, NEW = Sighting(1, state=b"1"), Sighting(2, state=b"2")


def test_two_connections_of_a_client_are_one_member_with_what_it_said_last() -> None:
    local = LocalMembers()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", NEW)
    assert (len(local), local.sighting(ROOM, "1")) == (1, NEW)
    local.leave(ROOM, "1", "b")
    assert local.sighting(ROOM, "1") == OLD
    local.leave(ROOM, "1", "a")
    assert (len(local), local.sighting(ROOM, "1")) == (0, None)


def test_what_is_said_anew_on_the_first_connection_is_the_newest() -> None:
    local = LocalMembers()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", OLD)
    local.say(ROOM, "1", "a", NEW)
    assert list(local.everybody()) == [(ROOM, "1", NEW)]


def test_one_that_was_lost_is_there_until_its_time_is_over() -> None:
    local = LocalMembers()
    local.say(ROOM, "1", "a", OLD)
    local.lose(ROOM, "1", "a", until=10.0)
    assert list(local.overdue(9.9)) == []
    assert (local.sighting(ROOM, "1"), local.waits) == (OLD, True)
    assert list(local.overdue(10.0)) == [(ROOM, "1")]
    assert (local.sighting(ROOM, "1"), local.waits) == (None, False)


def test_one_that_comes_back_is_waited_for_no_more() -> None:
    local = LocalMembers()
    local.say(ROOM, "1", "a", OLD)
    local.lose(ROOM, "1", "a", until=10.0)
    local.say(ROOM, "1", "b", NEW)
    assert not local.waits
    assert list(local.overdue(100.0)) == []
    local.leave(ROOM, "1", "b")
    assert local.sighting(ROOM, "1") is None


def test_one_of_two_that_was_lost_goes_alone() -> None:
    local = LocalMembers()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", NEW)
    local.lose(ROOM, "1", "b", until=10.0)
    assert list(local.overdue(10.0)) == [(ROOM, "1")]
    assert local.sighting(ROOM, "1") == OLD


def test_to_lose_or_leave_what_is_not_there_is_no_error() -> None:
    local = LocalMembers()
    local.lose(ROOM, "1", "a", until=1.0)
    local.leave(ROOM, "1", "a")
    assert (local.waits, list(local.overdue(2.0)), len(local)) == (False, [], 0)
