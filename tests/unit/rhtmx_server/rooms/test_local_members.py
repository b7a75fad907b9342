"""Local members: a client is one, whatever its connections, and is waited for when it is lost."""

from __future__ import annotations

from rhtmx_server.rooms.local_members import LocalMembers
from rhtmx_server.rooms.presence import Sighting

ROOM = ("orders", "7")
OLD, NEW = Sighting(1, state=b"1"), Sighting(2, state=b"2")


def test_two_connections_of_a_client_are_one_member_with_what_it_said_last() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", NEW)
    assert (len(local), local.sighting(ROOM, "1")) == (1, NEW)
    local.leave(ROOM, "1", "b")
    assert local.sighting(ROOM, "1") == OLD
    local.leave(ROOM, "1", "a")
    assert (len(local), local.sighting(ROOM, "1")) == (0, None)


def test_what_is_said_anew_on_the_first_connection_is_the_newest() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", OLD)
    local.say(ROOM, "1", "a", NEW)
    assert list(local.everybody()) == [(ROOM, "1", NEW)]


def test_one_that_was_lost_is_there_until_its_time_is_over() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "a", OLD)
    local.lose(ROOM, "1", "a", until=10.0)
    assert list(local.overdue(9.9)) == []
    assert (local.sighting(ROOM, "1"), local.due) == (OLD, 10.0)
    assert list(local.overdue(10.0)) == [(ROOM, "1")]
    assert (local.sighting(ROOM, "1"), local.due) == (None, None)


def test_one_that_comes_back_is_waited_for_no_more() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "a", OLD)
    local.lose(ROOM, "1", "a", until=10.0)
    local.say(ROOM, "1", "b", NEW)
    assert local.due is None
    assert list(local.overdue(100.0)) == []
    local.leave(ROOM, "1", "b")
    assert local.sighting(ROOM, "1") is None


def test_one_of_two_that_was_lost_goes_alone() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "a", OLD)
    local.say(ROOM, "1", "b", NEW)
    local.lose(ROOM, "1", "b", until=10.0)
    assert list(local.overdue(10.0)) == [(ROOM, "1")]
    assert local.sighting(ROOM, "1") == OLD


def test_who_is_missing_is_found_by_room_and_by_subject() -> None:
    local = LocalMembers[str]()
    other = ("orders", "8")
    local.say(ROOM, "1", "a", Sighting(1, "ada"))
    local.say(other, "1", "b", Sighting(1, "ada"))
    local.say(ROOM, "2", "c", Sighting(1, "bob"))
    local.lose(ROOM, "1", "a", until=20.0)
    local.lose(other, "1", "b", until=10.0)
    local.lose(ROOM, "2", "c", until=30.0)
    assert local.missing(ROOM) == [("1", "a"), ("2", "c")]
    assert local.missing_of("ada") == [(ROOM, "1", "a"), (other, "1", "b")]
    assert local.due == 10.0
    local.leave(other, "1", "b")
    assert (local.due, local.missing(other)) == (20.0, [])


def test_to_lose_or_leave_what_is_not_there_is_no_error() -> None:
    local = LocalMembers[str]()
    local.lose(ROOM, "1", "a", until=1.0)
    local.leave(ROOM, "1", "a")
    assert (local.due, list(local.overdue(2.0)), len(local)) == (None, [], 0)


def test_where_a_subject_is_a_member_is_known_until_its_last_connection_has_left() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "one", Sighting(1, "ada"))
    local.say(ROOM, "1", "two", Sighting(2, "ada"))
    local.say(ROOM, "2", "three", Sighting(3))
    local.leave(ROOM, "1", "one")
    assert [*local.of_subject("ada")] == [(ROOM, "1")]
    local.leave(ROOM, "1", "two")
    assert [*local.of_subject("ada")] == [*local.of_subject("")] == []


def test_who_is_given_up_stays_where_it_is_on_another_connection() -> None:
    local = LocalMembers[str]()
    local.say(ROOM, "1", "one", Sighting(1, "ada"))
    local.say(ROOM, "1", "two", Sighting(2, "ada"))
    local.lose(ROOM, "1", "one", until=40.0)
    assert not local.is_missing(ROOM, "1")
    local.give_up(ROOM, "1")
    assert local.sighting(ROOM, "1") == Sighting(2, "ada")
    local.lose(ROOM, "1", "two", until=40.0)
    assert local.is_missing(ROOM, "1")
    local.give_up(ROOM, "1")
    assert local.sighting(ROOM, "1") is None
    assert not local.is_missing(ROOM, "1")
