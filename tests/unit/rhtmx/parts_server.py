"""A tiny server with the promises about parts of an entity and nothing else.

One entity, one connection. What it says lies in `outgoing` until the test takes it. Each
subscription catches up by itself, two things at a time, which it reads in one step and says in
a later one, so that live changes come in between. Live changes are sent once, to the union of
what is live.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.core.where import Where, where_of
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    Hello,
    Limits,
    Ping,
    Pong,
    Position,
    Push,
    PushAck,
    Subscribe,
    SubscribeFields,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    Welcome,
)
from rhtmx.wire import Message
from tests.unit.rhtmx.model_server import ENTITY, NOW

EPOCH = "e"
Data = dict[str, Any]


@dataclass
class Cursor:
    """One subscription."""

    where: Where | None
    said: bytes | None
    sent: int = 0
    base: int = 0
    head: int = 0
    reset: bool = False
    live: bool = False
    page: list[tuple[int, str]] = field(default_factory=list)
    """What was read, as it was then."""
    frames: list[list[Message]] = field(default_factory=list)

    @property
    def told(self) -> int:
        """Up to where everything was said."""
        if not self.frames:
            return self.sent
        first = self.frames[0][0]
        assert isinstance(first, Change | FieldChange)
        assert first.change is not None
        return first.change.version - 1


class PartsServer:
    """The server.

    Args:
        granularity: at which it is read.
    """

    def __init__(self, granularity: Granularity) -> None:
        self.granularity = granularity
        self.right: frozenset[str] | None = None
        self.log: list[tuple[str, Data | None]] = []
        self.now: dict[str, Data] = {}
        self.versions: dict[str, int] = {}
        self.floor = 0
        self.acks: dict[int, int] = {}
        self.cursors: list[Cursor] = []
        self.outgoing: list[Message] = []

    # What there is.

    @property
    def version(self) -> int:
        return len(self.log)

    def readable(self, where: Where | None, data: Data | None) -> bool:
        """Whether a record with this data is in a part, and may be read."""
        if data is None or (where is not None and not where.has(data)):
            return False
        return self.right is None or data.get("c") in self.right

    def shown(self, where: Where | None) -> dict[str, Data]:
        """What a reader of a part should see."""
        return {i: data for i, data in self.now.items() if self.readable(where, data)}

    def then(self, entity_id: str, version: int) -> Data | None:
        """A record as it was."""
        for each, data in reversed(self.log[:version]):
            if each == entity_id:
                return data
        return None

    def left_at(self, where: Where | None, entity_id: str, after: int) -> int | None:
        """When a record left a part for the last time, after a version."""
        before, found = self.then(entity_id, after), None
        for version in range(after + 1, self.version + 1):
            each, data = self.log[version - 1]
            if each == entity_id:
                if self.readable(where, before) and not self.readable(where, data):
                    found = version
                before = data
        return found

    # What happens.

    def write(self, entity_id: str, data: Data | None) -> int:
        """Somebody writes a record whole, or deletes it."""
        before = self.now.get(entity_id)
        if data is None and before is None:
            return self.version
        self.log.append((entity_id, data))
        self.versions[entity_id] = self.version
        if data is None:
            del self.now[entity_id]
        else:
            self.now[entity_id] = data
        parts = [cursor.where for cursor in self.cursors if cursor.live]
        was = any(self.readable(where, before) for where in parts)
        is_in = any(self.readable(where, data) for where in parts)
        if is_in:
            assert data is not None
            self.outgoing += self._state(entity_id, data, self.version, before if was else None)
        elif was:
            self.outgoing.append(self._gone(entity_id, self.version, left=data is not None))
        return self.version

    def forget(self) -> None:
        """Forget deletions and departures."""
        self.floor = self.version

    def rescope(self, right: frozenset[str] | None) -> None:
        """The reader's right is another one: what it reads begins anew."""
        before = {id(cursor): self.scope(cursor.where) for cursor in self.cursors}
        self.right = right
        for cursor in self.cursors:
            if self.scope(cursor.where) != before[id(cursor)]:
                self._start(cursor, 0, reset=True)

    def scope(self, where: Where | None) -> str | None:
        """The id of what may be read of a part."""
        right = None if self.right is None else sorted(self.right)
        if where is None and right is None:
            return None
        return f"{where and where.text}|{right}"

    def beat(self) -> None:
        """Tell live readers where they are."""
        for cursor in self.cursors:
            if cursor.live:
                self._complete(cursor, reset=False)

    def cut(self) -> None:
        """The connection is gone."""
        self.outgoing.clear()
        self.cursors.clear()

    # What the client says.

    def hear(self, message: Message) -> None:
        if isinstance(message, Ping):
            self.outgoing.append(Pong())
        elif isinstance(message, Hello):
            limits = Limits(message_bytes=65536, subscriptions=128, requests=64)
            self.outgoing.append(Welcome("s", EPOCH, len(self.acks), 20_000, limits, NOW))
        elif isinstance(message, Push):
            self._push(message)
        else:
            said: Any = message
            where = where_of(json.loads(said.where)[ENTITY] if said.where else None, ENTITY)
            mine = [each for each in self.cursors if each.where == where]
            if isinstance(message, Subscribe | SubscribeFields):
                assert not mine, "the client must end one subscription before the next"
                text = None if said.where is None else json.dumps(json.loads(said.where)[ENTITY])
                cursor = Cursor(where, None if text is None else text.encode())
                self.cursors.append(cursor)
                self._subscribe(cursor, message.since[ENTITY])
            else:
                for cursor in mine:
                    self.cursors.remove(cursor)

    def _subscribe(self, cursor: Cursor, since: Position) -> None:
        known = since.epoch == EPOCH and since.scope == self.scope(cursor.where)
        known = known and self.floor <= since.version <= self.version
        if since.version == 0:
            self._start(cursor, 0, reset=False)
        else:
            self._start(cursor, since.version if known else 0, reset=not known)

    def _push(self, message: Push) -> None:
        seq = message.seq or 0
        if seq not in self.acks:
            assert seq == len(self.acks) + 1
            data = None if message.data is None else json.loads(message.data)
            self.acks[seq] = self.write(message.entity_id, data)
        self.outgoing.append(PushAck(ENTITY, message.entity_id, self.acks[seq], seq=seq))

    # Catching up.

    def pump(self, number: int) -> bool:
        """Go a step on with one of those that are behind; returns whether there is one."""
        behind = [each for each in self.cursors if not each.live]
        if not behind:
            return False
        cursor = behind[number % len(behind)]
        if cursor.frames:
            self.outgoing += cursor.frames.pop(0)
        elif not self._read(cursor):
            self._complete(cursor, reset=cursor.reset)
            cursor.live = True
        return True

    def _start(self, cursor: Cursor, base: int, *, reset: bool) -> None:
        cursor.live, cursor.reset = False, cursor.reset or reset
        cursor.sent = cursor.base = base
        # What others have said may have left since, and they may not get to say so.
        others = [each for each in self.cursors if each is not cursor and not each.live]
        told = [max(each.told, each.head) for each in others]
        cursor.head = 0 if base else min([self.version, *told])
        cursor.frames.clear()
        scope = self.scope(cursor.where)
        if reset or (scope is not None and not base):
            fields = self.granularity is Granularity.FIELDS
            begin = SyncBegin(ENTITY, EPOCH, reset, fields, where=cursor.said, scope=scope)
            self.outgoing.append(begin)

    def _read(self, cursor: Cursor) -> bool:
        """Read a page, and keep it; returns whether there was something to read."""
        found: list[tuple[int, str, bool]] = []
        for entity_id, version in self.versions.items():
            data = self.now.get(entity_id)
            if self.readable(cursor.where, data):
                found.append((version, entity_id, True))
                continue
            at = self.left_at(cursor.where, entity_id, cursor.base)
            # Who has nothing yet needs no departures of before it began.
            if at is not None and (cursor.base or at > cursor.head):
                found.append((at, entity_id, False))
        page = sorted(each for each in found if each[0] > cursor.sent)[:2]
        for version, entity_id, there in page:
            cursor.sent = version
            if there:
                base = self.then(entity_id, cursor.base) if cursor.base else None
                was = base if self.readable(cursor.where, base) else None
                data = self.now[entity_id]
                frames = self._state(entity_id, data, version, was)
                for each in frames:
                    if isinstance(each, FieldChange) and each.change is not None:
                        each.change.more = True  # only the end of it all is a place to resume
                cursor.frames.append(frames)
            else:
                left = entity_id in self.now
                cursor.frames.append([self._gone(entity_id, version, left=left)])
        return bool(page)

    def _complete(self, cursor: Cursor, *, reset: bool) -> None:
        fields = self.granularity is Granularity.FIELDS
        kind = SyncFieldsComplete if fields else SyncComplete
        scope = self.scope(cursor.where)
        self.outgoing.append(
            kind(ENTITY, self.version, EPOCH, reset, where=cursor.said, scope=scope)
        )
        cursor.reset = False

    # Messages.

    def _state(
        self, entity_id: str, data: Data, version: int, before: Data | None
    ) -> list[Message]:
        """A record; field by field what differs from `before`, or all of it."""
        if self.granularity is Granularity.RECORDS:
            text = json.dumps(data).encode()
            log = ChangeLog(ENTITY, entity_id, ChangeAction.UPDATE, text, version, None, NOW)
            return [Change(log)]
        old = before or {}
        names = sorted(name for name in {*old, *data} if old.get(name) != data.get(name))
        if before is None:  # whole: each field that it has or had, as their clocks are kept
            names = sorted(
                {name for i, then in self.log[:version] if i == entity_id for name in then or {}}
            )
        # Who wrote what there was already wrote nothing: yet its version has come.
        names = names or sorted(data)[:1]
        logs = [
            FieldChangeLog(
                ENTITY,
                entity_id,
                name,
                json.dumps(data[name]).encode() if name in data else None,
                FieldAction.UPDATE if name in data else FieldAction.DELETE,
                version,
                timestamp=NOW,
                more=name != names[-1] or None,
            )
            for name in names
        ]
        return [FieldChange(log) for log in logs]

    def _gone(self, entity_id: str, version: int, *, left: bool) -> Message:
        # A deletion field by field names the fields; here it says the same in one message.
        if self.granularity is Granularity.FIELDS:
            fields = FieldChangeLog(ENTITY, entity_id, "", None, FieldAction.DELETE, version)
            fields.timestamp, fields.left = NOW, True
            return FieldChange(fields)
        record = ChangeLog(ENTITY, entity_id, ChangeAction.DELETE, None, version)
        record.created_at, record.left = NOW, left or None
        return Change(record)
