"""Rooms at a connection: as whom it is there, and what it is answered."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages import (
    ChangeAction,
    Error,
    Hello,
    RoomJoin,
    RoomJoined,
    RoomLeave,
    RoomMembers,
    RoomMessage,
    Welcome,
)
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.config import Config
from rhtmx_server.connections.room_entry import PAGE_TURN, member_id
from rhtmx_server.connections.session import Session, SessionLimits
from rhtmx_server.model import Record
from rhtmx_server.ports import BatchNeeds, BatchWrites
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW

ROOM = ("orders", "7")
LARGE = b'"' + b"x" * 4095 + b'"'


async def store(side: Side) -> None:
    """Have the record of the room be there."""
    record = Record(*ROOM, 1, ChangeAction.CREATE, b"{}", None, NOW)
    await side.store.commit(BatchNeeds(), lambda _: BatchWrites([record], {ROOM[0]: 1}))


async def answers(side: Side, *said: Message) -> list[Message]:
    """What is answered: who is there comes when it comes."""
    side.say(*said)
    await side.rest()
    return [each for each in side.heard if not isinstance(each, RoomMembers)]


def session(client_id: str | None, subject: str = "", secret: bytes | None = None) -> Session:
    made = Session("s1", SessionLimits(), 0.0)
    made.unlock(Grant(subject), None)
    made.introduce(client_id, secret)
    return made


def test_a_client_has_one_id_on_all_of_its_connections() -> None:
    ids = {member_id(session("cafe", "ada", secret)) for secret in (None, b"1", b"2")}
    assert len(ids) == 1
    assert member_id(session("cafe", "", b"1")) == member_id(session("cafe", "", b"1"))


def test_whoever_says_the_client_id_of_another_has_another_id() -> None:
    ids = {
        member_id(session("cafe", subject, secret))
        for subject in ("", "ada", "bob")
        for secret in (None, b"1")
    }
    assert len(ids) == 4


def test_an_id_does_not_hold_the_client_id_nor_the_secret() -> None:
    made = member_id(session("cafe", "", b"secret"))
    assert len(made) == 16
    assert "cafe" not in made


def test_a_connection_without_a_client_id_is_a_member_of_its_own() -> None:
    other = Session("s2", SessionLimits(), 0.0)
    assert member_id(session(None)) != member_id(other)


async def test_who_joins_is_answered_with_its_id() -> None:
    side = Side()
    await store(side)
    (joined,) = await answers(side, RoomJoin(*ROOM, b"1", request_id="r"))
    assert joined == RoomJoined(*ROOM, member_id(side.session), "r")
    (again,) = await answers(side, RoomJoin(*ROOM, b"2", request_id="s"))
    assert again == RoomJoined(*ROOM, member_id(side.session), "s")
    (watching,) = await answers(side, RoomJoin(*ROOM, watch=True, request_id="t"))
    assert watching == RoomJoined(*ROOM, None, "t")


async def test_what_is_said_after_a_join_waits_for_it() -> None:
    side = Side()
    await store(side)
    told = await answers(side, RoomJoin(*ROOM, request_id="r"), RoomMessage(*ROOM, b"1"))
    assert [type(each) for each in told] == [RoomJoined]
    await answers(side, RoomLeave(*ROOM))
    (refused,) = await answers(side, RoomMessage(*ROOM, b"1"))
    assert isinstance(refused, Error)
    assert (refused.code, refused.details) == (ErrorCode.FORBIDDEN, b'{"type": "room_message"}')


async def test_a_record_that_is_not_there_is_not_found() -> None:
    (refused,) = await answers(Side(), RoomJoin(*ROOM, request_id="r"))
    assert isinstance(refused, Error)
    assert (refused.code, refused.request_id) == (ErrorCode.NOT_FOUND, "r")


async def test_an_entity_that_is_not_declared_has_no_rooms() -> None:
    (refused,) = await answers(Side(entities=frozenset()), RoomJoin(*ROOM, request_id="r"))
    assert isinstance(refused, Error)
    assert refused.code is ErrorCode.UNKNOWN_ENTITY


@pytest.mark.parametrize("said", [RoomJoin(*ROOM, LARGE), RoomMessage(*ROOM, LARGE)])
async def test_what_is_too_large_is_refused(said: Message) -> None:
    (refused,) = await answers(Side(), said)
    assert isinstance(refused, Error)
    assert refused.code is ErrorCode.BAD_MESSAGE
    assert "at most 4096 bytes" in refused.message


async def test_who_says_goodbye_leaves_and_who_is_lost_is_waited_for() -> None:
    for code, left in ((1000, 0), (1005, 0), (4001, 1), (None, 1)):
        side = Side()
        await store(side)
        await answers(side, RoomJoin(*ROOM))
        side.connection.ended(code)
        side.connection.lost()
        assert len(side.services.rooms.local) == left
        assert side.services.rooms.open_rooms == 0


@pytest.mark.parametrize("code", [1001, 4100])
async def test_whose_page_is_left_is_waited_for_a_moment(code: int) -> None:
    side = Side()
    await store(side)
    await answers(side, RoomJoin(*ROOM))
    side.connection.ended(code)
    side.connection.lost()
    assert side.services.rooms.local.due == side.now() + PAGE_TURN


async def test_who_is_lost_is_not_waited_for_longer_than_its_token_is_good_for() -> None:
    side = Side()
    await store(side)
    await answers(side, RoomJoin(*ROOM))
    side.session.until = side.now() + 3
    side.connection.lost()
    assert side.services.rooms.local.due == side.now() + 3


@pytest.mark.parametrize(
    ("code", "left"),
    [(ErrorCode.SHUTTING_DOWN, 1), (ErrorCode.UNAUTHENTICATED, 0), (ErrorCode.BAD_MESSAGE, 0)],
)
async def test_whom_the_server_ends_is_waited_for_if_it_is_to_come_back(
    code: ErrorCode, left: int
) -> None:
    side = Side()
    await store(side)
    await answers(side, RoomJoin(*ROOM))
    side.connection.close(code, "why")
    side.connection.ended(1000)
    side.connection.lost()
    assert len(side.services.rooms.local) == left


async def test_who_was_silent_for_two_heartbeats_is_not_waited_for() -> None:
    side = Side(config=Config(heartbeat=1.0), limits=SessionLimits(heartbeat=1.0))
    await store(side)
    await answers(side, RoomJoin(*ROOM))
    side.now.seconds += 2
    side.connection.close(ErrorCode.STALLED, "no sign of life")
    side.connection.lost()
    assert len(side.services.rooms.local) == 0


async def test_the_metrics_tell_of_rooms_and_members() -> None:
    side = Side()
    await store(side)
    (welcome,) = await answers(side, Hello())
    assert isinstance(welcome, Welcome)
    await answers(side, RoomJoin(*ROOM))
    rendered = side.services.metrics.render()
    assert b"rhtmx_rooms 1.0" in rendered
    assert b"rhtmx_room_members 1.0" in rendered
