"""Presence: a member is shown once, by the newest of its sightings, the same at all servers."""

from __future__ import annotations

import random

import pytest

from rhtmx.messages import RoomMember
from rhtmx_server.rooms.presence import Presence, Sighting

ROOM = ("orders", "7")


def test_a_member_of_two_servers_is_one_and_shows_what_it_said_last() -> None:
    presence = Presence()
    presence.put(ROOM, "1", "a", Sighting(1, "ada", b'"old"'))
    presence.put(ROOM, "1", "b", Sighting(2, "ada", b'"new"'))
    assert presence.members(ROOM) == [RoomMember("1", "ada", b'"new"')]
    presence.drop(ROOM, "1", "b")
    assert presence.members(ROOM) == [RoomMember("1", "ada", b'"old"')]
    presence.drop(ROOM, "1", "a")
    assert (presence.members(ROOM), len(presence)) == ([], 0)


def test_a_member_without_a_subject_has_none() -> None:
    presence = Presence()
    presence.put(ROOM, "1", "a", Sighting(1))
    assert presence.member(ROOM, "1") == RoomMember("1", None, None)


def test_what_is_not_there_can_be_dropped() -> None:
    presence = Presence()
    presence.drop(ROOM, "1", "a")
    presence.put(ROOM, "2", "a", Sighting(1))
    presence.drop(ROOM, "1", "a")
    presence.drop(ROOM, "2", "b")
    assert (presence.count(ROOM), presence.has(ROOM, "2"), presence.has(ROOM, "1")) == (1, True, 0)


@pytest.mark.parametrize("seed", range(10))
def test_the_order_in_which_sightings_come_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    sightings = [
        (str(chance.randrange(3)), node, Sighting(chance.randrange(3), "ada", node.encode()))
        for node in "abcd"
    ]
    shown = []
    for _ in range(5):
        chance.shuffle(sightings)
        presence = Presence()
        for member, node, sighting in sightings:
            presence.put(ROOM, member, node, sighting)
        shown.append({each.id: each for each in presence.members(ROOM)})
    assert all(each == shown[0] for each in shown)
