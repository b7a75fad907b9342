"""Rooms: who is in one is told who is there, who may not be learns nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import RoomClosed, RoomMember, RoomMembers, RoomMessage
from rhtmx_server.rooms.open_room import MOST_PENDING
from rhtmx_server.rooms.ports import RoomLimits
from rhtmx_server.rooms.presence import Sighting
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.rooms.room_world import ROOM, RoomPeer, RoomWorld

FORBIDDEN = RhtmxError(ErrorCode.FORBIDDEN, "you may not read it")
RED = frozenset({'"red"'})
BLUE = frozenset({'"blue"'})


# Coming and going.


async def test_a_member_sees_itself_and_those_who_come_after_it() -> None:
    world = RoomWorld()
    ada = await world.enter("ada", state=b"1")
    world.pass_time()
    bob = await world.enter("bob")
    world.pass_time()
    assert ada.here == bob.here == {"ada": b"1", "bob": None}


async def test_who_watches_sees_the_members_and_is_not_seen() -> None:
    world = RoomWorld()
    watcher = await world.enter()
    ada = await world.enter("ada")
    world.pass_time()
    assert watcher.here == ada.here == {"ada": None}


async def test_a_watcher_of_an_empty_room_is_told_that_nobody_is_there() -> None:
    world = RoomWorld()
    watcher = await world.enter()
    world.pass_time()
    assert watcher.got == [RoomMembers(*ROOM, reset=True)]


async def test_a_state_that_changes_is_told_and_the_rest_is_not_told_again() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.pass_time()
    assert ada.here == bob.here
    world.rooms.say(ada, ROOM, RoomMember("ada", None, b"2"))
    world.pass_time()
    assert bob.got == [RoomMembers(*ROOM, members=[RoomMember("ada", None, b"2")])]


async def test_a_member_that_leaves_is_gone_at_once_and_is_told_no_more() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.pass_time()
    world.rooms.leave(ada, ROOM)
    world.pass_time()
    assert bob.here == {"bob": None}
    await world.enter("cleo")
    world.pass_time()
    assert [*ada.here] == ["ada", "bob"]
    world.rooms.leave(ada, ROOM)  # no error


async def test_a_member_that_watches_from_now_on_is_a_member_no_more() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.rooms.say(ada, ROOM, None)
    world.pass_time()
    assert ada.here == {}
    await world.enter("bob")
    world.pass_time()
    assert ada.here == {"bob": None}


async def test_one_that_says_goodbye_leaves_at_once() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.rooms.lost(ada, None)
    world.pass_time()
    assert bob.here == {"bob": None}


async def test_one_that_is_lost_and_comes_back_in_time_was_never_gone() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada", state=b"1"), await world.enter("bob")
    world.pass_time()
    assert bob.here
    world.rooms.lost(ada, world.seconds + 40)
    world.pass_time(39)
    again = await world.enter("ada", state=b"1")
    world.pass_time(60)
    assert bob.got == []
    assert again.here == bob.here == {"ada": b"1", "bob": None}


async def test_one_that_is_lost_and_does_not_come_back_leaves() -> None:
    world = RoomWorld(RoomLimits(sweep=1.0))
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.rooms.lost(ada, world.seconds + 40)
    world.pass_time(39)
    assert [*bob.here] == ["ada", "bob"]
    world.pass_time(3)
    assert [*bob.here] == ["bob"]


async def test_one_whose_time_is_over_when_it_is_lost_leaves_at_once() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.rooms.lost(ada, world.seconds)
    world.pass_time()
    assert [*bob.here] == ["bob"]


async def test_two_connections_of_one_client_are_one_member() -> None:
    world = RoomWorld()
    one, other = await world.enter("ada", state=b"1"), await world.enter("ada", state=b"2")
    world.pass_time()
    assert one.here == other.here == {"ada": b"2"}
    world.rooms.lost(other, None)
    world.pass_time()
    assert one.here == {"ada": b"1"}


async def test_an_empty_room_is_forgotten_and_its_entity_watched_no_more() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    assert (world.rooms.open_rooms, world.hub.reads("orders")) == (1, True)
    world.rooms.lost(ada, None)
    world.pass_time()
    assert (world.rooms.open_rooms, world.hub.reads("orders")) == (0, False)
    assert (len(world.rooms.presence), len(world.rooms.local)) == (0, 0)


async def test_a_room_that_is_entered_while_somebody_is_waited_for_shows_them() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.rooms.lost(ada, world.seconds + 40)
    bob = await world.enter("bob")
    world.pass_time()
    assert [*bob.here] == ["ada", "bob"]


# Many.


async def test_a_thousand_who_come_within_a_second_cost_each_a_bounded_number_of_frames() -> None:
    world = RoomWorld()
    peers = []
    for number in range(1000):
        peers.append(await world.enter(str(number), state=b'{"name":"somebody"}'))
        world.pass_time(0.001)
    world.pass_time(1)
    first = peers[0]
    written = sum(map(len, first.written))
    assert len(first.here) == 1000
    assert first.frames <= 25
    assert written < 1000 * 100
    assert all(len(peer.here) == 1000 for peer in peers)
    # Encoded once for all who have got the same: not once for each of a thousand.
    assert sum(peer.frames for peer in peers) <= 25 * 1000


async def test_what_happens_within_a_moment_is_told_in_one_message() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.pass_time()
    assert ada.got
    for name in ("bob", "cleo", "dan"):
        await world.enter(name)
    world.pass_time()
    assert len(ada.got) == 1


async def test_a_room_has_a_limit_of_members_but_not_of_those_who_come_back() -> None:
    world = RoomWorld(RoomLimits(members=2))
    await world.enter("ada")
    bob = await world.enter("bob")
    with pytest.raises(RhtmxError, match="2 members") as refused:
        await world.enter("cleo")
    assert refused.value.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS
    await world.enter("bob")
    assert await world.enter() is not None
    world.rooms.lost(bob, None)


async def test_a_connection_has_a_limit_of_rooms() -> None:
    world = RoomWorld(RoomLimits(rooms=1))
    world.write(("orders", "8"))
    ada = await world.enter("ada")
    with pytest.raises(RhtmxError, match="at most 1 rooms"):
        await world.enter("ada", ada, ("orders", "8"))
    world.rooms.leave(ada, ROOM)
    await world.enter("ada", ada, ("orders", "8"))


# Slow readers.


async def test_a_slow_reader_is_told_later_what_the_members_are_then() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.pass_time()
    assert ada.here
    ada.outbox.behind = True
    bob = await world.enter("bob")
    world.pass_time()
    await world.enter("cleo")
    world.rooms.lost(bob, None)
    world.pass_time()
    assert ada.got == []
    ada.outbox.behind = False
    world.pass_time()
    assert len(ada.got) == 1
    assert [*ada.here] == ["ada", "cleo"]


async def test_a_slow_reader_misses_messages_and_is_told_how_many() -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.pass_time()
    assert (ada.here, ada.got) == ({"ada": None, "bob": None}, [])
    ada.outbox.behind = True
    world.rooms.tell_as(bob, ROOM, b"1")
    world.rooms.tell_as(bob, ROOM, b"2")
    world.pass_time()
    assert world.dropped == 2
    ada.outbox.behind = False
    world.pass_time()
    assert ada.got == [RoomMembers(*ROOM, missed=2)]
    world.rooms.tell_as(bob, ROOM, b"3")
    world.pass_time()
    assert ada.told == [b"3"]


# What they tell one another.


async def test_a_message_reaches_members_and_watchers_but_not_its_author() -> None:
    world = RoomWorld()
    ada, again, bob = [await world.enter(name) for name in ("ada", "ada", "bob")]
    watcher = await world.enter()
    world.pass_time()
    world.rooms.tell_as(ada, ROOM, b'{"typing":true}')
    world.rooms.tell_as(bob, ROOM, b"2")
    world.pass_time()
    assert (ada.told, again.told) == ([b"2"], [b"2"])
    assert bob.told == [b'{"typing":true}']
    assert watcher.told == [b'{"typing":true}', b"2"]


async def test_the_program_of_the_server_tells_everybody() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.rooms.tell(ROOM, None, b"1")
    world.pass_time()
    assert ada.told == [b"1"]


async def test_only_a_member_may_tell() -> None:
    world = RoomWorld()
    for peer in (await world.enter(), RoomPeer()):
        with pytest.raises(RhtmxError, match="only a member"):
            world.rooms.tell_as(peer, ROOM, b"1")


async def test_a_member_that_tells_too_much_is_refused() -> None:
    world = RoomWorld(rate=2)
    ada = await world.enter("ada")
    for _ in range(2):
        world.rooms.tell_as(ada, ROOM, b"1")
    with pytest.raises(RhtmxError) as refused:
        world.rooms.tell_as(ada, ROOM, b"1")
    assert (refused.value.code, refused.value.retry_after) == (ErrorCode.RATE_LIMITED, 1.0)


async def test_what_all_tell_together_is_bounded_for_each_reader() -> None:
    world = RoomWorld(rate=10_000)
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.pass_time()
    assert bob.here
    large = b'"' + b"x" * 4000 + b'"'
    most = MOST_PENDING // len(large) - 1  # a message is more than what it says
    for _ in range(most):
        world.rooms.tell_as(ada, ROOM, large)
    with pytest.raises(RhtmxError, match="too much is told"):
        world.rooms.tell_as(ada, ROOM, large)
    world.pass_time()
    assert len(bob.told) == most


async def test_small_messages_are_bounded_as_they_are_written() -> None:
    world = RoomWorld(rate=100_000)
    room = ("orders", "7" * 200)
    world.write(room)
    ada, bob = await world.enter("ada", room=room), await world.enter("bob", room=room)
    world.pass_time()
    assert bob.here
    with contextlib.suppress(RhtmxError):
        for _ in range(MOST_PENDING):
            world.rooms.tell_as(ada, room, b"1")
    world.pass_time()
    assert 0 < len(b"".join(bob.written)) <= MOST_PENDING


# Rights.


async def test_a_record_that_is_not_there_has_no_room() -> None:
    world = RoomWorld()
    world.write(("orders", "8"), live=False)
    for room in (("orders", "8"), ("orders", "9")):
        with pytest.raises(RhtmxError) as refused:
            await world.enter("ada", room=room)
        assert refused.value.code is ErrorCode.NOT_FOUND
    assert world.rooms.open_rooms == 0


async def test_who_may_not_read_the_record_is_told_the_same_as_if_there_were_none() -> None:
    world = RoomWorld()
    await world.enter("ada")
    words = []
    for room in (ROOM, ("orders", "no such")):
        eve = RoomPeer()
        eve.scope = BLUE
        with pytest.raises(RhtmxError) as refused:
            await world.enter("eve", eve, room)
        words.append((refused.value.code, refused.value.message.replace(room[1], "ID")))
        world.pass_time()
        assert eve.got == []
    assert words[0] == words[1]


async def test_who_may_read_nothing_of_the_entity_is_refused() -> None:
    world = RoomWorld()
    eve = RoomPeer()
    eve.scope = FORBIDDEN
    with pytest.raises(RhtmxError, match="may not read"):
        await world.enter("eve", eve)
    assert world.rooms.open_rooms == 0


async def test_a_record_that_is_deleted_takes_everybody_out() -> None:
    world = RoomWorld()
    ada, watcher = await world.enter("ada"), await world.enter()
    world.pass_time()
    world.hub.deliver([world.write(live=False)])
    for peer in (ada, watcher):
        told = peer.got[-1]
        assert isinstance(told, RoomClosed)
        assert told.code is ErrorCode.NOT_FOUND
    assert (world.rooms.open_rooms, len(world.rooms.presence)) == (0, 0)


async def test_a_record_that_leaves_the_part_of_a_reader_takes_that_one_out() -> None:
    world = RoomWorld()
    ada, bob = RoomPeer(), RoomPeer()
    bob.scope = RED
    await world.enter("ada", ada)
    await world.enter("bob", bob)
    world.pass_time()
    assert [*bob.here] == ["ada", "bob"]
    world.hub.deliver([world.write(data=b'"blue"')])
    await world.enter("cleo")
    world.pass_time()
    assert [*ada.here] == ["ada", "cleo"]
    words = "there is no '7' in 'orders', or you may not read it"
    assert bob.got == [RoomClosed(*ROOM, words, ErrorCode.NOT_FOUND)]


async def test_a_commit_that_comes_late_takes_nobody_out() -> None:
    """At a node that did not follow the entity: what was read of the record was newer."""
    world = RoomWorld()
    gone = world.write(live=False)
    world.write()
    ada = await world.enter("ada")
    world.hub.deliver([gone])
    world.pass_time()
    assert [*ada.here] == ["ada"]


async def test_a_record_that_changes_while_somebody_enters_is_judged_as_it_is_by_then() -> None:
    world = RoomWorld()

    def change() -> None:
        world.before_reading = lambda: None
        world.hub.deliver([world.write(live=False)])

    world.before_reading = change
    with pytest.raises(RhtmxError, match="there is no '7'"):
        await world.enter("ada")


async def test_what_somebody_who_enters_finds_out_takes_others_out_before_it_is_heard() -> None:
    world = RoomWorld()
    ada, eve = RoomPeer(), RoomPeer()
    ada.scope, eve.scope = RED, BLUE
    await world.enter("ada", ada)
    world.pass_time()
    moved = world.write(data=b'"blue"')
    await world.enter("eve", eve)
    world.hub.deliver([moved])
    world.pass_time()
    assert isinstance(ada.got[-1], RoomClosed)
    assert [*eve.here] == ["eve"]


async def test_a_record_that_is_written_all_the_time_can_be_entered() -> None:
    world = RoomWorld()
    world.before_reading = lambda: world.hub.deliver([world.write()])
    async with asyncio.timeout(5):
        ada = await world.enter("ada")
        await world.rescope(ada, RED)
    world.pass_time()
    assert [*ada.here] == ["ada"]


async def test_what_was_missed_while_somebody_enters_is_read_again() -> None:
    world = RoomWorld()

    def miss() -> None:
        world.before_reading = lambda: None
        world.write(live=False)
        world.hub.skip("orders", 2)

    world.before_reading = miss
    with pytest.raises(RhtmxError, match="there is no '7'"):
        await world.enter("ada")


async def test_one_that_is_waited_for_is_judged_as_if_it_were_there() -> None:
    """Who sees the record of another team now must not see who was at it before."""
    world = RoomWorld()
    ada = RoomPeer()
    ada.scope = RED
    await world.enter("ada", ada)
    world.rooms.lost(ada, world.seconds + 40)
    world.hub.deliver([world.write(data=b'"blue"')])
    eve = await world.enter("eve")
    world.pass_time()
    assert [*eve.here] == ["eve"]


async def test_one_that_is_waited_for_is_gone_with_the_record() -> None:
    world = RoomWorld()
    world.rooms.lost(await world.enter("ada"), world.seconds + 40)
    world.hub.deliver([world.write(live=False)])
    world.hub.deliver([world.write()])
    eve = await world.enter("eve")
    world.pass_time()
    assert [*eve.here] == ["eve"]


async def test_one_that_is_waited_for_is_looked_up_where_something_was_missed() -> None:
    world = RoomWorld()
    world.rooms.lost(await world.enter("ada"), world.seconds + 40)
    world.write(live=False)
    world.hub.skip("orders", 2)
    await eventually(lambda: not len(world.rooms.presence))


async def test_whose_rights_change_is_not_waited_for_and_others_are() -> None:
    world = RoomWorld()
    watcher = await world.enter()
    for name in ("ada", "bob"):
        world.rooms.lost(await world.enter(name, subject=name), world.seconds + 40)
    world.rooms.give_up("bob")
    world.pass_time()
    assert [*watcher.here] == ["ada"]


async def test_rights_that_change_while_somebody_enters_are_looked_at_again() -> None:
    world, ada = RoomWorld(), RoomPeer()

    def change() -> None:
        world.before_reading = lambda: None
        ada.rights, ada.scope = 2, BLUE

    world.before_reading = change
    with pytest.raises(RhtmxError, match="or you may not read it"):
        await world.enter("ada", ada)


async def test_one_that_is_gone_before_it_is_in_is_not_in() -> None:
    world, ada = RoomWorld(), RoomPeer()

    def go() -> None:
        ada.rights = None

    world.before_reading = go
    await world.enter("ada", ada)
    assert (world.rooms.open_rooms, len(world.rooms.presence)) == (0, 0)


@pytest.mark.parametrize("scope", [BLUE, FORBIDDEN])
async def test_who_loses_the_right_is_out_and_the_others_see_it_leave(
    scope: frozenset[str] | Exception,
) -> None:
    world = RoomWorld()
    ada, bob = await world.enter("ada"), await world.enter("bob")
    world.pass_time()
    await world.rescope(bob, scope)
    world.pass_time()
    assert isinstance(bob.got[-1], RoomClosed)
    assert [*ada.here] == ["ada"]


async def test_who_keeps_the_right_stays_and_is_judged_by_the_new_one() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.pass_time()
    await world.rescope(ada, RED)
    world.pass_time()
    assert [*ada.here] == ["ada"]
    world.hub.deliver([world.write(data=b'"blue"')])
    assert isinstance(ada.got[-1], RoomClosed)


async def test_what_was_missed_is_looked_up() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.pass_time()
    assert ada.here
    world.write(live=False)
    world.hub.skip("orders", 2)
    await eventually(lambda: not world.rooms.open_rooms)
    assert isinstance(ada.got[-1], RoomClosed)


async def test_what_was_missed_is_looked_up_again_when_the_store_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx_server.rooms.rooms._AGAIN", 0)
    world = RoomWorld()
    await world.enter("ada")
    world.write(live=False)
    world.read_failure = RhtmxError(ErrorCode.STORAGE_FAILED, "not there")
    world.hub.skip("orders", 2)
    await eventually(lambda: not world.rooms.open_rooms)
    assert world.read_failure is None
    await world.rooms.stop()


# Other servers.


async def test_members_of_other_servers_are_shown_and_ours_are_told_to_them() -> None:
    world = RoomWorld()
    world.rooms.seen("b", ROOM, "bob", Sighting(1))
    ada = await world.enter("ada")
    world.pass_time()
    assert [*ada.here] == ["bob", "ada"]
    world.rooms.seen("b", ROOM, "cleo", Sighting(1))
    world.rooms.seen("b", ROOM, "bob", None)
    world.pass_time()
    assert [*ada.here] == ["ada", "cleo"]
    world.rooms.leave(ada, ROOM)
    assert [(member, sighting is None) for _, member, sighting in world.said] == [
        ("ada", False),
        ("ada", True),
    ]


async def test_messages_go_to_other_servers_and_come_from_them() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.rooms.tell_as(ada, ROOM, b"1")
    assert world.relayed == [b"1"]
    world.rooms.heard(ROOM, "bob", b"2")
    world.rooms.heard(("orders", "nobody is there"), "bob", b"2")
    world.pass_time()
    assert (ada.told, world.relayed) == ([b"2"], [b"1"])


async def test_more_than_a_room_takes_from_other_servers_is_missed_and_that_is_told() -> None:
    world = RoomWorld()
    ada = await world.enter("ada")
    world.pass_time()
    assert ada.here
    for _ in range(20):
        world.rooms.heard(ROOM, "bob", b'"' + b"x" * 4000 + b'"')
    world.pass_time()
    got = ada.got
    heard = sum(isinstance(each, RoomMessage) for each in got)
    missed = [each.missed for each in got if isinstance(each, RoomMembers)]
    assert missed == [20 - heard] == [world.dropped]


# All together.


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_all_who_are_in_a_room_end_with_its_members(seed: int) -> None:
    chance = random.Random(seed)
    world = RoomWorld(RoomLimits(sweep=0.5))
    peers: dict[RoomPeer, str | None] = {}
    for step in range(300):
        peer = chance.choice([*peers, None])
        match chance.randrange(8):
            case 0 | 1:
                name = chance.choice(["ada", "bob", "cleo", "dan", None])
                peers[await world.enter(name, state=b"%d" % step)] = name
            case 2 if peer is not None:
                world.rooms.leave(peer, ROOM)
                del peers[peer]
            case 3 if peer is not None:
                world.rooms.lost(peer, chance.choice([None, world.seconds + 1]))
                del peers[peer]
            case 4 if peer is not None:
                peer.outbox.behind = not peer.outbox.behind
            case 5 if peer is not None and peers[peer] is not None:
                world.rooms.say(peer, ROOM, RoomMember(peers[peer] or "", None, b"%d" % step))
            case 6:
                world.rooms.seen("b", ROOM, "eve", chance.choice([None, Sighting(step)]))
            case _:
                world.pass_time(chance.choice([0.01, 0.1]))
    for peer in peers:
        peer.outbox.behind = False
    world.rooms.seen("b", ROOM, "eve", None)
    world.pass_time(5)
    expected = {name for name in peers.values() if name is not None}
    shown = {each.id: each.state for each in world.rooms.members(ROOM)}
    assert shown.keys() == expected
    for peer in peers:
        assert peer.here == shown
