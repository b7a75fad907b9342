"""A tiny server with the protocol's promises and nothing else, for testing the client's session.

One entity, one connection at a time. What it says lies in `outgoing` until the
test takes it, so that a cut can lose any part of it. Catching up goes a record
at a time, whenever the test says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    ErrorCode,
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
    SyncComplete,
    SyncFieldsComplete,
    Unsubscribe,
    UnsubscribeFields,
    Welcome,
)
from rhtmx.wire import Message

ENTITY = "tasks"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Record:
    """One record: its fields, and the version that wrote each of them."""

    version: int
    fields: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, int] = field(default_factory=dict)
    live: bool = True


@dataclass
class Cursor:
    granularity: Granularity
    sent: int
    base: int
    live: bool
    marks: list[bool] = field(default_factory=list)


class ModelServer:
    def __init__(self, *, tells_head: bool = True) -> None:
        self.epoch = "e0"
        self.version = 0
        self.floor = 0
        self.records: dict[str, Record] = {}
        self.seqs: dict[int, tuple[str, int]] = {}
        self.effects: list[str] = []
        self.outgoing: list[Message] = []
        self.cursor: Cursor | None = None
        self._ending: list[Cursor] = []
        self._held: FieldChange | None = None
        self._tells_head = tells_head

    # What happens to the data.

    def write(self, entity_id: str, fields: dict[str, int] | None) -> int:
        """Replace a record, or delete it."""
        record = self.records.get(entity_id)
        if fields is None and (record is None or not record.live):
            return self.version
        self.version += 1
        old = record.fields if record else {}
        clocks = dict(record.clocks) if record else {}
        new = fields or {}
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        clocks.update(dict.fromkeys(changed, self.version))
        self.records[entity_id] = Record(self.version, new, clocks, fields is not None)
        if self.cursor is not None and self.cursor.live:
            self._say_live(entity_id, changed, self.cursor.granularity)
        return self.version

    def collect(self) -> None:
        """Forget all tombstones."""
        gone = {key: each for key, each in self.records.items() if not each.live}
        for key, record in gone.items():
            del self.records[key]
            self.floor = max(self.floor, record.version)

    def restore(self, keep: int, epoch: str) -> None:
        """Go back to a backup in which only the first writes are."""
        self.cut()
        self.epoch = epoch
        self.version = min(self.version, keep)
        self.floor = min(self.floor, self.version)
        self.records = {k: r for k, r in self.records.items() if r.version <= self.version}
        self.seqs = {s: v for s, v in self.seqs.items() if v[1] <= self.version}
        while self.seqs and max(self.seqs) != len(self.seqs):
            del self.seqs[max(self.seqs)]

    def cut(self) -> None:
        """The connection is gone."""
        self.outgoing.clear()
        self._ending.clear()
        self.cursor = self._held = None

    # What the client says.

    def receive(self, message: Message) -> None:
        _HANDLERS[type(message)](self, message)

    def pump(self) -> bool:
        """Go a step on with catching up; returns whether there was one to go."""
        behind = [each for each in [*self._ending, self.cursor] if each and not each.live]
        if not behind:
            return False
        cursor = behind[0]
        page = sorted(
            (r.version, key) for key, r in self.records.items() if r.version > cursor.sent
        )
        if page:
            cursor.sent = page[0][0]
            self._say_state(page[0][1], cursor)
        else:
            self._complete(cursor)
        return True

    def _hello(self, message: Hello) -> None:
        self.outgoing.append(
            Welcome(
                session_id="s",
                epoch=self.epoch,
                last_seq=max(self.seqs, default=0),
                heartbeat=20_000,
                limits=Limits(message_bytes=65536, subscriptions=128, requests=64),
                server_time=NOW,
            )
        )

    def _subscribe(self, message: Subscribe | SubscribeFields) -> None:
        granularity = Granularity.RECORDS if isinstance(message, Subscribe) else Granularity.FIELDS
        assert self.cursor is None, "the client must end one subscription before the next"
        since = message.since.get(ENTITY)
        if since is None:
            self.cursor = Cursor(granularity, self.version, self.version, live=True)
            if self._tells_head:
                self.outgoing.append(self._completed(granularity, reset=False))
            return
        start, reset = self._resume(since)
        self.cursor = Cursor(granularity, start, start, live=False, marks=[reset])

    def _resume(self, since: Position) -> tuple[int, bool]:
        if since.version == 0:
            return 0, False
        known = since.epoch == self.epoch and self.floor <= since.version <= self.version
        return (since.version, False) if known else (0, True)

    def _unsubscribe(self, message: Unsubscribe | UnsubscribeFields) -> None:
        if self.cursor is not None and not self.cursor.live:
            self._ending.append(self.cursor)
        self.cursor = None

    def _push(self, message: Push) -> None:
        seq, last = message.seq or 0, max(self.seqs, default=0)
        if seq > last + 1:
            details = b'{"last_seq":%d}' % last
            error = Error("gap", ErrorCode.OUT_OF_ORDER, message.request_id, seq, details=details)
            self.outgoing.append(error)
            return
        duplicate = seq in self.seqs
        if not duplicate:
            self.effects.append(message.entity_id)
            version = self.write(message.entity_id, {"pushed": seq})
            self.seqs[seq] = (message.entity_id, version)
        assert self.seqs[seq][0] == message.entity_id, "a number was used for two mutations"
        self.outgoing.append(
            PushAck(
                entity=ENTITY,
                entity_id=message.entity_id,
                version=self.seqs[seq][1],
                request_id=message.request_id,
                seq=seq,
                duplicate=duplicate,
            )
        )

    # What the server says.

    def _say_live(self, entity_id: str, changed: list[str], granularity: Granularity) -> None:
        if granularity is Granularity.RECORDS:
            self.outgoing.append(self._change(entity_id))
            return
        rows = [self._field(entity_id, name) for name in changed]
        for row in rows[:-1]:
            assert row.change is not None
            row.change.more = True
        self.outgoing.extend(rows)

    def _say_state(self, entity_id: str, cursor: Cursor) -> None:
        if cursor.granularity is Granularity.RECORDS:
            self.outgoing.append(self._change(entity_id))
            return
        clocks = self.records[entity_id].clocks
        for name in sorted(name for name, version in clocks.items() if version > cursor.base):
            row = self._field(entity_id, name)
            assert row.change is not None
            row.change.more = True
            self._release()
            self._held = row

    def _complete(self, cursor: Cursor) -> None:
        if self._held is not None and self._held.change is not None:
            self._held.change.more = None
        self._release()
        for reset in cursor.marks:
            self.outgoing.append(self._completed(cursor.granularity, reset=reset))
        cursor.live = True
        if cursor in self._ending:
            self._ending.remove(cursor)

    def _release(self) -> None:
        if self._held is not None:
            self.outgoing.append(self._held)
        self._held = None

    def _completed(self, granularity: Granularity, *, reset: bool) -> Message:
        kind = SyncComplete if granularity is Granularity.RECORDS else SyncFieldsComplete
        return kind(entity=ENTITY, version=self.version, epoch=self.epoch, reset=reset)

    def _change(self, entity_id: str) -> Change:
        record = self.records[entity_id]
        data = repr(record.fields).replace("'", '"').encode() if record.live else None
        action = ChangeAction.UPDATE if record.live else ChangeAction.DELETE
        log = ChangeLog(ENTITY, entity_id, action, data, record.version, created_at=NOW)
        return Change(change=log)

    def _field(self, entity_id: str, name: str) -> FieldChange:
        record = self.records[entity_id]
        value = record.fields.get(name)
        log = FieldChangeLog(
            entity=ENTITY,
            entity_id=entity_id,
            field=name,
            value=None if value is None else b"%d" % value,
            action=FieldAction.DELETE if value is None else FieldAction.UPDATE,
            version=record.version,
            timestamp=NOW,
        )
        return FieldChange(change=log)


_HANDLERS: dict[type[Message], Callable[[ModelServer, Any], None]] = {
    Hello: ModelServer._hello,
    Subscribe: ModelServer._subscribe,
    SubscribeFields: ModelServer._subscribe,
    Unsubscribe: ModelServer._unsubscribe,
    UnsubscribeFields: ModelServer._unsubscribe,
    Push: ModelServer._push,
    Ping: lambda server, message: server.outgoing.append(Pong()),
    Pong: lambda server, message: None,
}
