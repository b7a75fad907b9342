"""A small server that keeps every promise about writes, for testing what a client keeps.

One entity and one client that matters; others only write. It says its answers
into `outgoing`, where a test may lose them. It counts every effect of a write,
so that one that is missing or doubled is seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.errors import RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    ErrorCode,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    FieldConflict,
    FieldPushAck,
    Hello,
    Limits,
    Ping,
    Pong,
    Push,
    PushAck,
    PushFields,
    Subscribe,
    SubscribeFields,
    SyncComplete,
    SyncFieldsComplete,
    Unsubscribe,
    UnsubscribeFields,
    Welcome,
    Winner,
)
from rhtmx.values.field_operations import FieldOperation
from rhtmx.values.operations import OPERATIONS, apply
from rhtmx.wire import Message

ENTITY = "tasks"
AT = datetime(2026, 1, 1, tzinfo=UTC)
ME, OTHER = "c", "other"
NOT_USED = frozenset(
    {
        ErrorCode.STORAGE_FULL,
        ErrorCode.TOO_MANY_REQUESTS,
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.RATE_LIMITED,
    }
)
"""Refusals that do not use up the number."""


@dataclass(frozen=True)
class Record:
    """One record: its data (`None`: deleted), and who wrote each field in which version."""

    version: int
    data: dict[str, Any] | None
    clocks: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass
class Reader:
    """The subscription: at which granularity, up to where, and whether it has fallen behind."""

    granularity: Granularity
    sent: int
    behind: bool = False


class WriteServer:
    """See the head of the file."""

    def __init__(self) -> None:
        self.epoch = "e0"
        self.version = 0
        self.floor = 0
        self.records: dict[str, Record] = {}
        self.history: list[tuple[int, str, Record]] = []
        self.effects: list[tuple[int, str]] = []
        self.outcomes: dict[int, tuple[str, list[Message], int]] = {}
        self.last = 0
        self.secret: str | None = None  # what the client's id is bound to
        self.right = ""  # what the connection presented, or was given
        self.secrets = 0
        self.mood: list[ErrorCode] = []
        self.locked = False
        self.outgoing: list[Message] = []
        self.reader: Reader | None = None
        self.answers_first = False  # or the changes that come of a write, which is rare

    # What happens to it.

    def write(
        self,
        entity_id: str,
        data: dict[str, Any] | None,
        client: str = OTHER,
        names: Collection[str] = (),
    ) -> int:
        """Replace a record, or delete it; `names` are written even if they do not differ."""
        before = self.records.get(entity_id)
        if data is None and (before is None or before.data is None):
            return self.version
        self.version += 1
        old = (before.data or {}) if before else {}
        clocks = dict(before.clocks) if before else {}
        new = data or {}
        names = {*names, *(name for name in {**old, **new} if old.get(name) != new.get(name))}
        clocks.update(dict.fromkeys(names, (self.version, client)))
        record = Record(self.version, data, clocks)
        self.records[entity_id] = record
        self.history.append((self.version, entity_id, record))
        if self.reader is not None and not self.reader.behind:
            self._say(entity_id, sorted(names), client)
            self.reader.sent = self.version
        return self.version

    def operate(self, entity_id: str, name: str, value: FieldOperation) -> None:
        """Someone else applies an operation."""
        record = self.records.get(entity_id)
        data = dict((record.data or {}) if record else {})
        _operate(data, name, value.action, json.dumps(value.operand).encode())
        self.write(entity_id, data, names=[name])

    def collect(self) -> None:
        """Forget all deletions."""
        for entity_id, record in list(self.records.items()):
            if record.data is None:
                del self.records[entity_id]
                self.floor = max(self.floor, record.version)

    def restore(self, keep: int, epoch: str) -> None:
        """Go back to a backup of that version."""
        self.cut()
        self.epoch, self.version = epoch, max(0, min(keep, self.version))
        self.history = [each for each in self.history if each[0] <= self.version]
        self.records = {entity_id: record for _, entity_id, record in self.history}
        self.floor = 0
        self.effects = [each for each in self.effects if each[0] <= self.version]
        self.outcomes = {s: o for s, o in self.outcomes.items() if o[2] <= self.version}
        self.last = max(self.outcomes, default=0)
        self.outcomes = {s: o for s, o in self.outcomes.items() if s <= self.last}

    def steal(self) -> None:
        """Someone else uses up the client's next number."""
        self.last += 1
        self.outcomes[self.last] = ("someone else's", [], self.version)

    def fall_behind(self) -> None:
        """The reader no longer keeps up: nothing is sent until it does."""
        if self.reader is not None:
            self.reader.behind = True

    def catch_up(self) -> None:
        """The reader keeps up again: it gets the latest of everything."""
        if self.reader is not None and self.reader.behind:
            self._send_since(self.reader.sent, told=self.reader.sent)
            self.reader.behind = False

    def cut(self) -> None:
        """The connection is gone."""
        self.outgoing.clear()
        self.reader = None
        self.locked = False

    # What the client says.

    def receive(self, message: Message) -> None:
        _HANDLERS[type(message)](self, message)

    def _hello(self, message: Hello) -> None:
        if self.secret is not None and message.secret != self.secret:
            self.outgoing.append(Error("taken", ErrorCode.CLIENT_ID_TAKEN))
            return
        self.secrets += 1
        given = f"secret {self.secrets}" if message.secret is None else None
        self.right = message.secret or given or ""
        for seq in [s for s in self.outcomes if s <= (message.confirmed_seq or 0)]:
            del self.outcomes[seq]
        limits = Limits(message_bytes=65536, subscriptions=128, requests=64)
        welcome = Welcome("s", self.epoch, self.last, 20_000, limits, AT, secret=given)
        self.outgoing.append(welcome)

    def _subscribe(self, message: Subscribe | SubscribeFields) -> None:
        assert self.reader is None, "subscribed twice"
        granularity = Granularity.RECORDS if isinstance(message, Subscribe) else Granularity.FIELDS
        since = message.since[ENTITY]
        self.reader = Reader(granularity, since.version)
        known = since.epoch == self.epoch and since.version <= self.version
        self._send_since(since.version if known else -1, told=since.version)

    def _send_since(self, since: int, *, told: int) -> None:
        assert self.reader is not None
        reset = told > 0 and (since < 0 or since < self.floor)
        since = 0 if reset or since < 0 else since
        changed = sorted((r.version, i) for i, r in self.records.items() if r.version > since)
        for _, entity_id in changed:
            if since or self.records[entity_id].data is not None:
                clocks = self.records[entity_id].clocks
                self._say(entity_id, sorted(n for n, c in clocks.items() if c[0] > since), "")
        kind = (
            SyncComplete if self.reader.granularity is Granularity.RECORDS else SyncFieldsComplete
        )
        self.outgoing.append(kind(ENTITY, self.version, self.epoch, reset))
        self.reader.sent = self.version

    def _push(self, message: Push | PushFields) -> None:
        seq = message.seq or 0
        digest = _digest(message)
        if seq in self.outcomes or seq <= self.last:
            known = self.outcomes.get(seq)
            if known is None:  # confirmed long ago
                self._refuse(message, ErrorCode.OUT_OF_ORDER, {"last_seq": self.last})
            elif known[0] != digest:
                self._refuse(message, ErrorCode.SEQ_REUSED)
            else:
                self.outgoing.extend(known[1])
            return
        if seq > self.last + 1:
            self._refuse(message, ErrorCode.OUT_OF_ORDER, {"last_seq": self.last})
            return
        code = ErrorCode.UNAUTHENTICATED if self.locked else self._next_mood()
        if code in NOT_USED:
            assert code is not None
            self.locked = self.locked or code is ErrorCode.UNAUTHENTICATED
            self._refuse(message, code)
            return
        assert self.secret in (None, self.right), "numbered under an id that is another's"
        self.secret = self.right
        before = len(self.outgoing)
        if code is not None:
            self._refuse(message, code)
        elif isinstance(message, Push):
            self._push_record(message)
        else:
            self._push_fields(message)
        answers: list[Message] = [
            m for m in self.outgoing[before:] if not isinstance(m, Change | FieldChange)
        ]
        if self.answers_first:
            self.outgoing[before:] = [
                *answers,
                *(m for m in self.outgoing[before:] if isinstance(m, Change | FieldChange)),
            ]
        self.last = seq
        self.outcomes[seq] = (digest, answers, self.version)

    def _push_record(self, message: Push) -> None:
        current = self.records.get(message.entity_id)
        if message.base_version is not None:
            version = current.version if current is not None else 0
            if version > message.base_version:
                details = {"version": version, "data": current and current.data}
                self._refuse(message, ErrorCode.CONFLICT, details)
                return
        data = None if message.action is ChangeAction.DELETE else json.loads(message.data or b"{}")
        version = self.write(message.entity_id, data, ME)
        self.effects.append((version, message.request_id or ""))
        self.outgoing.append(
            PushAck(ENTITY, message.entity_id, version, seq=message.seq, epoch=self.epoch)
        )

    def _push_fields(self, message: PushFields) -> None:
        record = self.records.get(message.entity_id)
        data = dict((record.data or {}) if record else {})
        taken, lost = [], 0
        try:
            self._apply(message, data)
        except RhtmxError as error:
            self._refuse(message, error.code)
            return
        for update in message.fields:
            if update.action in OPERATIONS:
                taken.append(update.field)
                continue
            version, client = record.clocks.get(update.field, (0, "")) if record else (0, "")
            base = message.base_version
            if base is not None and version > base and client != ME:
                lost += 1
                self.outgoing.append(self._conflict(message, update.field, data))
                continue
            taken.append(update.field)
            if update.action is FieldAction.DELETE:
                data.pop(update.field, None)
            else:
                data[update.field] = json.loads(update.value or b"null")
        if lost < len(message.fields):
            self.write(message.entity_id, data, ME, taken)
        self.effects.append((self.version, message.request_id or ""))
        stored = self.records.get(message.entity_id)
        answer = FieldPushAck(ENTITY, message.entity_id, len(message.fields) - lost, lost)
        answer.version = stored.version if stored is not None else self.version
        answer.seq = message.seq
        self.outgoing.append(answer)

    def _apply(self, message: PushFields, data: dict[str, Any]) -> None:
        for update in message.fields:
            if update.action in OPERATIONS:
                _operate(data, update.field, update.action, update.value)

    def _conflict(self, message: PushFields, name: str, data: dict[str, Any]) -> FieldConflict:
        value = json.dumps(data[name]).encode() if name in data else None
        conflict = FieldConflict(ENTITY, message.entity_id, name, server_value=value)
        conflict.winner, conflict.seq, conflict.version = Winner.SERVER, message.seq, self.version
        return conflict

    def _next_mood(self) -> ErrorCode | None:
        return self.mood.pop(0) if self.mood else None

    def _refuse(self, message: Push | PushFields, code: ErrorCode, details: object = None) -> None:
        text = None if details is None else json.dumps(details).encode()
        self.outgoing.append(Error("no", code, message.request_id, message.seq, details=text))

    def _authenticate(self, message: Authenticate) -> None:
        self.locked = False
        self.outgoing.append(Authenticated(request_id=message.request_id))

    def _unsubscribe(self, message: object) -> None:
        self.reader = None

    # What it says.

    def _say(self, entity_id: str, names: list[str], client: str) -> None:
        assert self.reader is not None
        record = self.records[entity_id]
        if self.reader.granularity is Granularity.RECORDS:
            action = ChangeAction.DELETE if record.data is None else ChangeAction.UPDATE
            data = None if record.data is None else json.dumps(record.data).encode()
            self.outgoing.append(
                Change(ChangeLog(ENTITY, entity_id, action, data, record.version, client))
            )
            return
        for name in names:
            there = record.data is not None and name in record.data
            log = FieldChangeLog(ENTITY, entity_id, name, version=record.version)
            log.action = FieldAction.UPDATE if there else FieldAction.DELETE
            log.value = json.dumps((record.data or {}).get(name)).encode() if there else None
            log.more = name != names[-1] or None
            self.outgoing.append(FieldChange(log))


def _operate(data: dict[str, Any], name: str, action: FieldAction, operand: bytes | None) -> None:
    held = json.dumps(data[name]).encode() if name in data else None
    after = apply(action, held, operand, name)
    if after is not None:
        data[name] = json.loads(after)


def _digest(message: Push | PushFields) -> str:
    said = [message.entity_id, message.base_version]
    if isinstance(message, Push):
        return repr([*said, message.action, message.data])
    return repr([*said, [(f.field, f.value, f.action) for f in message.fields]])


_HANDLERS: dict[type[Message], Callable[[WriteServer, Any], None]] = {
    Hello: WriteServer._hello,
    Subscribe: WriteServer._subscribe,
    SubscribeFields: WriteServer._subscribe,
    Unsubscribe: WriteServer._unsubscribe,
    UnsubscribeFields: WriteServer._unsubscribe,
    Push: WriteServer._push,
    PushFields: WriteServer._push,
    Authenticate: WriteServer._authenticate,
    Ping: lambda server, _: server.outgoing.append(Pong()),
    Pong: lambda server, _: None,
}
