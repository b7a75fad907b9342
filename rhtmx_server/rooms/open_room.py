"""A room that somebody at this server is in: its readers, and what goes out to them.

Knows outboxes and encodings. Must not know rights, other servers, or the loop: somebody else says
when it is time to flush.

Nothing is sent when it happens. What has happened is sent together, some 20 times a second, and is
encoded once for all who have got the same so far. A reader that does not read is left out, and is
told later what the members are by then: of membership nobody misses anything for good. Messages
are told once, to those who have been told all members; who is not that far misses them, and is
told how many they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from rhtmx.messages import RoomMembers, RoomMessage
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.groups import Encoding
from rhtmx_server.model import Key, Scope
from rhtmx_server.rooms.ports import RoomPeer
from rhtmx_server.rooms.roster import FRESH, Roster

__all__ = ["MOST_PENDING", "PAGES", "OpenRoom", "RoomReader"]

PAGES = 8
"""Pages of members that one reader is sent at a time: the next ones when others had their turn."""

MOST_PENDING = 64 * 1024
"""Bytes of messages that go out together. No reader is sent more of one room in so much time."""

_FRAME = 96
"""What a message weighs without the name of its room and what is told."""


@dataclass(slots=True, eq=False)
class RoomReader:
    """A connection that is in a room.

    Args:
        peer: the connection.
        scope: the parts of the entity that it may read.
        may_tell: counts a message that it tells, or returns how many seconds it has to wait.
        member: as which member it is there; `None` if it only watches.
        sent: the version of the roster that it has got.
        missed: how many messages it has missed, and not been told so yet.
    """

    peer: RoomPeer
    scope: Scope
    may_tell: Callable[[], float]
    member: str | None = None
    sent: int = FRESH
    missed: int = 0


_Pages: TypeAlias = dict[tuple[Encoding, int], tuple[bytes, int]]


@dataclass(slots=True, eq=False)
class OpenRoom:
    """One room, and who is in it at this server.

    Args:
        key: the entity, and the id of the record.
        sent: is told how many messages of a kind have gone out.
        dropped: is told how many messages readers have missed.

    Attributes:
        roster: the members, as they are shown.
        readers: who is in it.
        gaps: grows when the record may have been written unheard: what was read before is void.
        version: that of the newest commit of the record that is known here.
        parts: the parts that the record is in as of then; `None` if it is gone.
        held: how many are on their way into it.
        flushed: when it was flushed last; seconds.
        waits: it will be flushed.
    """

    key: Key
    sent: Callable[[type[ServerMessage], int], None]
    dropped: Callable[[int], None]
    roster: Roster = field(default_factory=Roster)
    readers: dict[RoomPeer, RoomReader] = field(default_factory=dict)
    gaps: int = 0
    version: int = 0
    parts: frozenset[str] | None = None
    held: int = 0
    flushed: float = float("-inf")
    waits: bool = False
    _messages: list[RoomMessage] = field(default_factory=list)
    _pending: int = 0
    _frame: int = field(init=False)

    def __post_init__(self) -> None:
        self._frame = _FRAME + len(json.dumps(self.key))

    def may_read(self, scope: Scope) -> bool:
        """Whether the record is there for somebody who may read these parts."""
        return self.parts is not None and (scope is None or not scope.isdisjoint(self.parts))

    def tell(self, member: str | None, data: bytes | None) -> bool:
        """Have a message go out with the next flush; returns whether there is room for it.

        Args:
            member: who tells it; `None` for the program of the server.
            data: what, as JSON.
        """
        size = self._frame + len(data or b"")
        if self._pending and self._pending + size > MOST_PENDING:
            return False
        self._pending += size
        entity, entity_id = self.key
        self._messages.append(RoomMessage(entity, entity_id, data, member))
        return True

    def miss(self) -> None:
        """Have all readers be told that they have missed a message."""
        for reader in self.readers.values():
            reader.missed += 1
        self.dropped(len(self.readers))

    def flush(self) -> bool:
        """Hand out what has happened; returns whether there is more to be done after a while."""
        messages, self._messages, self._pending = self._messages, [], 0
        pages: _Pages = {}
        told = _Told(messages)
        more = False
        for reader in self.readers.values():
            caught_up = self._catch_up(reader, pages)
            if messages:
                self._tell(reader, told, caught_up=caught_up)
            more = more or not caught_up or reader.missed > 0
        return more

    def _catch_up(self, reader: RoomReader, pages: _Pages) -> bool:
        """Tell a reader who is there, as far as it reads; returns whether that is all."""
        outbox, encoding = reader.peer.outbox, reader.peer.encoding
        for _ in range(PAGES):
            if outbox.behind:
                return False
            if reader.missed:
                self._say_missed(reader)
            if reader.sent == self.roster.version:
                return True
            key = encoding, reader.sent
            if key not in pages:
                pages[key] = self._page(encoding, reader.sent)
            frame, reader.sent = pages[key]
            outbox.put(frame)
            self.sent(RoomMembers, 1)
        return reader.sent == self.roster.version

    def _page(self, encoding: Encoding, sent: int) -> tuple[bytes, int]:
        page = self.roster.page(sent)
        message = RoomMembers(
            *self.key,
            members=page.members,
            gone=page.left,
            reset=page.reset or None,
            more=page.more or None,
        )
        return encoding.frame(message), page.upto

    def _say_missed(self, reader: RoomReader) -> None:
        reader.peer.send(RoomMembers(*self.key, missed=reader.missed))
        reader.missed = 0

    def _tell(self, reader: RoomReader, told: _Told, *, caught_up: bool) -> None:
        count = told.count(reader.member)
        if not caught_up:
            reader.missed += count
            self.dropped(count)
        elif count:
            reader.peer.outbox.put(told.frames(reader.peer.encoding, reader.member))
            self.sent(RoomMessage, count)


class _Told:
    """The messages of one flush, as each reader gets them: without those that it has told itself.

    They are encoded once, and joined once for all who have told nothing.
    """

    def __init__(self, messages: Iterable[RoomMessage]) -> None:
        self._messages = list(messages)
        self._authors = {each.member for each in self._messages if each.member is not None}
        self._encoded: dict[Encoding, list[bytes]] = {}
        self._joined: dict[Encoding, bytes] = {}

    def count(self, member: str | None) -> int:
        """How many of them a reader gets that is this member."""
        if member not in self._authors:
            return len(self._messages)
        return sum(each.member != member for each in self._messages)

    def frames(self, encoding: Encoding, member: str | None) -> bytes:
        """Those that it gets, ready to be written."""
        encoded = self._encoded.get(encoding)
        if encoded is None:
            encoded = self._encoded[encoding] = [encoding.frame(each) for each in self._messages]
            self._joined[encoding] = b"".join(encoded)
        if member not in self._authors:
            return self._joined[encoding]
        pairs = zip(encoded, self._messages, strict=True)
        return b"".join(frame for frame, each in pairs if each.member != member)
