"""What a connection does in rooms: as whom it is there, and whether it may be.

Knows sessions and rights. Must not know who else is in a room, nor how it is told.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from rhtmx.messages import RoomJoin, RoomJoined, RoomMember
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.session import Phase, Session
from rhtmx_server.delivery.subscriptions import Subscriptions
from rhtmx_server.model import Scope
from rhtmx_server.rooms.ports import RoomPeer

__all__ = ["PAGE_TURN", "RoomCaller", "join", "leave_rooms", "member_id", "rescope_rooms"]


PAGE_TURN = 5.0
"""Seconds in which a page that was left may be loaded again, or another tab go on."""


class RoomCaller(RoomPeer, Protocol):
    """A connection, as it comes to a room."""

    services: Services
    session: Session
    subscriptions: Subscriptions

    def request(self) -> None:
        """Count one more request that waits for its answer."""


def member_id(session: Session) -> str:
    """Under which id others see the client of a conversation.

    The same on all of its connections, to whichever server. Whoever says another's `client_id` has
    another subject or secret, and so another id.

    Args:
        session: the conversation.
    """
    who = (session.subject, session.client_id, None if session.subject else session.secret)
    if session.client_id is None:  # of such a client nothing is known but its connection
        who = (session.subject, session.session_id, b"")
    digest = hashlib.blake2b(msgspec.msgpack.encode(who), digest_size=12, person=b"rhtmx room")
    return base64.urlsafe_b64encode(digest.digest()).decode()


def join(caller: RoomCaller, message: RoomJoin) -> RoomJoined | Awaitable[RoomJoined | None]:
    """Let a connection into a room; at once, if it is there already.

    Raises:
        RhtmxError: it may not, or there is no room.
    """
    services, session = caller.services, caller.session
    services.known(message.entity)
    room, member = (message.entity, message.entity_id), None
    if not message.watch:
        member = RoomMember(member_id(session), session.subject or None, message.state)
    if services.rooms.known(caller, room):
        services.rooms.say(caller, room, member)
        return _joined(message, member)
    caller.request()
    return _enter(caller, message, member)


async def _enter(
    caller: RoomCaller, message: RoomJoin, member: RoomMember | None
) -> RoomJoined | None:
    room = message.entity, message.entity_id
    await caller.services.rooms.enter(
        caller, room, member, lambda: _readable(caller, room[0]), _still(caller)
    )
    return None if caller.session.phase is Phase.CLOSED else _joined(message, member)


def leave_rooms(caller: RoomCaller) -> None:
    """Let a connection that is gone out of all rooms.

    Who has gone without a word has as long to come back as it takes to notice a silent one, but
    not longer than its token is good for.
    """
    session = caller.session
    times = [session.heard + 2 * session.limits.heartbeat]
    if session.turns_page:
        times.append(caller.services.now() + PAGE_TURN)
    if session.until is not None:
        times.append(session.until)
    caller.services.rooms.lost(caller, min(times) if session.comes_back else None)


async def rescope_rooms(caller: RoomCaller) -> None:
    """Find out anew in which rooms a connection may be, as its rights may have changed."""
    await caller.services.rooms.rescope(
        caller, lambda entity: _readable(caller, entity), _still(caller)
    )


def _still(caller: RoomCaller) -> Callable[[], object]:
    """Another value once the rights of a connection have changed; `None` when it is gone."""

    def now() -> object:
        if caller.session.phase is Phase.CLOSED:
            return None
        return caller.subscriptions.rights, caller.session.grant

    return now


async def _readable(caller: RoomCaller, entity: str) -> Scope:
    return (await caller.services.reading(entity, caller.session.grant)).scope


def _joined(message: RoomJoin, member: RoomMember | None) -> RoomJoined:
    own = None if member is None else member.id
    return RoomJoined(message.entity, message.entity_id, own, message.request_id)
