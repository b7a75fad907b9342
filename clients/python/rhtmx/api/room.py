"""A room as an application uses it: who is at a record now, and what they tell one another.

Knows the calls. Decides nothing: the rooms of the session do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from rhtmx.core.events import State
from rhtmx.core.rooms import RoomKey, RoomView
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import RoomMessage
from rhtmx.runtime.broadcast import CAPACITY
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.json_value import Json, to_json
from rhtmx.values.members import Member, MemberMessage

__all__ = ["Room", "room_key"]

_MOST_BYTES = 4096


def room_key(name: str) -> RoomKey:
    """The entity and the record of a room: `orders/7`.

    Raises:
        RhtmxError: `BAD_MESSAGE`, that is no name.
    """
    entity, slash, entity_id = name.partition("/")
    if not (entity and slash and entity_id):
        words = f"a room is called as its record, such as orders/7; got {name!r}"
        raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
    return entity, entity_id


def _said(value: Json, where: str) -> bytes | None:
    encoded = to_json(value, where)
    if encoded is not None and len(encoded) > _MOST_BYTES:
        words = f"{where}: at most {_MOST_BYTES} bytes expected, got {len(encoded)}"
        raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
    return encoded


class Room:
    """Who is at a record now. Made by `Client.room`.

    Nothing of a room is stored. Whoever may read the record may be in its room. This client is one
    member of it, however often it is joined here; after a lost connection it is there again by
    itself, and it leaves when the client is closed.

    Args:
        runtime: the client's.
        name: the entity and the id of the record, with a slash between them.
    """

    def __init__(self, runtime: ClientRuntime, name: str) -> None:
        self._runtime = runtime
        self._key = room_key(name)
        self._rooms = runtime.session.rooms

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is there, as far as it is known: that is while this client has joined, or watches."""
        return tuple(self._view.members.values())

    @property
    def me(self) -> Member | None:
        """What the others see of this client; `None` if it is no member."""
        return self._view.members.get(self._view.own or "")

    async def join(self, state: Json = None) -> None:
        """Be a member; or, as a member, say something else of oneself.

        Returns when the server has taken it. Without a connection it waits for one.

        Args:
            state: what the others see: any JSON value of at most 4,096 bytes.

        Raises:
            RhtmxError: `NOT_FOUND` or `FORBIDDEN`, this client may not read the record, or there
                is none; `TOO_MANY_SUBSCRIPTIONS`, the room is full, or this client is in too many:
                it is outside then. `BAD_MESSAGE`, the state is too large, or cannot be JSON.
            ConnectionClosed: there is no connection, and there will be none.
        """
        self._runtime.check_open()
        await self._joined(self._rooms.join(self._key, _said(state, "room_join.state")))

    def leave(self) -> None:
        """Be no member any more. It is no error not to be one."""
        self._runtime.check_open()
        self._rooms.leave(self._key)
        self._runtime.changed()

    @asynccontextmanager
    async def joined(self, state: Json = None) -> AsyncIterator[Self]:
        """Be a member inside of `async with`; see `join`.

        Where several such blocks of one client overlap, it leaves at the end of the last one.

        Example:
            >>> async with client.room("users/1").joined({"name": "Ada"}) as room:
            ...     async for members in room.subscribe():
            ...         print([member.state for member in members])
            [{'name': 'Ada'}]
        """
        self._runtime.check_open()
        block = object()
        request = self._rooms.stay(self._key, block, _said(state, "room_join.state"))
        try:
            await self._joined(request)
            yield self
        finally:
            if self._runtime.state is not State.CLOSED:
                self._rooms.part(self._key, block)
                self._runtime.changed()

    def send(self, data: Json) -> bool:
        """Tell the others in the room something, now or never. Only a member may.

        Args:
            data: any JSON value of at most 4,096 bytes.

        Returns:
            Whether there is a connection to send it; nothing says that it arrives.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is too large, or cannot be JSON.
        """
        message = RoomMessage(*self._key, data=_said(data, "room_message.data"))
        return self._runtime.tell(message)

    async def subscribe(self) -> AsyncGenerator[tuple[Member, ...], None]:
        """Who is there now, and each time that it has changed; a slow reader skips.

        Without having joined, this client only watches: the others do not see it.

        Raises:
            RhtmxError: as `join` does, also later: the record is gone, or not to be read any more.
        """
        last = None
        async for view in self._watched():
            if view.known and view.members is not last:
                last = view.members
                yield tuple(last.values())

    async def messages(self) -> AsyncGenerator[MemberMessage, None]:
        """What others in the room tell from now on; see `send`.

        Of what a slow reader has yet to take, the newest 1000 are kept. Raises what `subscribe`
        does.
        """
        waiting: deque[RoomMessage] = deque(maxlen=CAPACITY)
        entity, entity_id = self._key

        def heard(message: RoomMessage) -> None:
            if (message.entity, message.entity_id) == (entity, entity_id):
                waiting.append(message)

        stop = self._runtime.router.listen(RoomMessage, heard)
        try:
            async for _ in self._watched():
                while waiting:
                    yield MemberMessage.of(waiting.popleft())
        finally:
            stop()

    # Inside.

    async def _joined(self, request: str) -> None:
        """Wait until the server has taken it."""
        try:
            await self._runtime.answer(request)
        except RhtmxError:
            self._rooms.give_up(self._key, request)
            raise

    @property
    def _view(self) -> RoomView:
        return self._rooms.view(self._key)

    async def _watched(self) -> AsyncGenerator[RoomView, None]:
        """The room, whenever something has happened there."""
        self._runtime.check_open()
        view = self._rooms.watch(self._key)
        try:
            self._runtime.changed()
            seen = -1
            while True:
                if view.error is not None and view.wanted is None:
                    raise view.error
                if view.changes == seen:  # what happened while the reader was busy has rung already
                    await self._runtime.router.signal(view.signal).wait()
                else:
                    seen = view.changes
                    yield view
        finally:
            self._rooms.unwatch(view)
            self._runtime.changed()
