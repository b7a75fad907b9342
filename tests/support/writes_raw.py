"""Those who do what the messages say, and no more: raw clients, and old ones.

Knows the messages. They send what they wrote again and again, whether it was answered or not.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.messages import (
    Change,
    ChangeAction,
    Error,
    FieldAction,
    FieldChange,
    FieldConflict,
    FieldPushAck,
    Hello,
    Position,
    Push,
    PushAck,
    PushFields,
    Subscribe,
    SubscribeFields,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    Transaction,
    TransactionAck,
    Welcome,
)
from rhtmx.messages.tables import SCHEMA_HASH
from rhtmx.wire import Message
from tests.support.writes_clients import Client
from tests.support.writes_server import WritesServer

__all__ = ["RawClient"]

_RECORDS, _FIELDS = Granularity.RECORDS, Granularity.FIELDS


class RawClient(Client):
    """Does what the messages say, and no more, and sends what it wrote again and again.

    Args:
        old: it knows no operations and no transactions, and is known as such.
    """

    def __init__(
        self, server: WritesServer, name: str, random: Random, *, old: bool = False
    ) -> None:
        super().__init__(server, name, random)
        self.old = old
        self.written: list[Push | PushFields | Transaction] = []
        self.answers: dict[int, tuple[int, Message]] = {}
        self._places: dict[str, _Place] = {}
        self._forget()
        self._conflicts: list[Message] = []

    def _forget(self) -> None:
        for entity, granularity in self.granularities.items():
            self._places[entity] = _Place(granularity, old=self.old)

    def begin(self) -> None:
        self.up.append(Hello(client_id=self.name, schema="" if self.old else SCHEMA_HASH))
        self._conflicts.clear()
        for entity, place in self._places.items():
            place.begin()
            kind = Subscribe if place.granularity is _RECORDS else SubscribeFields
            self.up.append(kind(entities=[entity], since={entity: place.position}))

    def restart(self, *, stores: bool) -> None:
        """It begins to read anew; what it wrote it has in any case."""
        self.lose()
        self._forget()

    def put(self, message: Push | PushFields | Transaction) -> str:
        message.seq = len(self.written) + 1
        message.request_id = f"{self.name}-{message.seq}"
        self.written.append(message)
        self._send(message)
        return message.request_id

    def _send(self, message: Push | PushFields | Transaction) -> None:
        if self.connected:
            self.up.append(message)

    def seen(self, entity: str, entity_id: str) -> int | None:
        place = self._places[entity]
        if self.random.random() < 0.5 or place.position.epoch != self.home.store.epoch:
            return None
        return place.position.version

    def say(self) -> None:
        # All of it, from anywhere on.
        if self.written and not self.calm and self.random.random() < 0.3:
            for each in self.written[self.random.randrange(len(self.written)) :]:
                self._send(each)

    def receive(self, message: Message) -> None:
        if isinstance(message, Welcome):
            first = next(n for n in range(len(self.written) + 1) if n + 1 not in self.answers)
            for each in self.written[min(first, message.last_seq) :]:
                self._send(each)
        elif isinstance(message, FieldConflict):
            self._conflicts.append(message)
        elif isinstance(message, PushAck | FieldPushAck | TransactionAck | Error):
            self._answered(message)
        elif isinstance(message, Change | FieldChange) and message.change is not None:
            self._places[message.change.entity].change(message)
        elif isinstance(message, SyncBegin) and message.since is None and not self.old:
            self._places[message.entity].begin_anew(message)
        elif isinstance(message, SyncComplete | SyncFieldsComplete):
            self._complete(message)

    def _complete(self, message: SyncComplete | SyncFieldsComplete) -> None:
        if not self._places[message.entity].complete(message):
            self.lose()

    def _answered(self, message: PushAck | FieldPushAck | TransactionAck | Error) -> None:
        if isinstance(message, Error):
            assert message.code is not None, message
            if message.code.name == "OUT_OF_ORDER":
                return  # what is missing was sent on another connection, and comes again
            told = message.code.name.lower()
        else:
            told, message.duplicate = "done", None
        assert message.seq is not None, message
        said: Any = (self._conflicts[:], message)
        self._conflicts.clear()
        before = self.answers.get(message.seq)
        if before is not None and before[0] == self.home.restored:
            assert before[1] == said, f"{said} is told, and {before[1]} was told before"
        self.answers[message.seq] = self.home.restored, said
        self.tell(message.request_id or "", told)

    def quiet(self) -> bool:
        return self.home.oracle.last[self.name] == len(self.written) == len(self.answers)

    def held(self) -> dict[str, dict[str, Any]]:
        return {entity: place.records for entity, place in self._places.items()}


class _Place:
    """What is read of one entity, as the messages say it; an old reader is not told all of it."""

    def __init__(self, granularity: Granularity, *, old: bool) -> None:
        self.granularity = granularity
        self._old = old
        self.records: dict[str, Any] = {}
        self.position = Position(epoch="", version=0)
        self._seen: set[tuple[str, str]] = set()
        self._synced = False

    def begin(self) -> None:
        """There is a connection."""
        self._synced = False
        self._seen = set()

    def begin_anew(self, message: SyncBegin) -> None:
        """All of it comes anew."""
        self.begin()
        self.position = Position(epoch=message.epoch, version=0)

    def change(self, message: Change | FieldChange) -> None:
        """Something has changed."""
        log: Any = message.change
        if isinstance(message, Change):
            self._seen.add((log.entity_id, ""))
            if log.action is ChangeAction.DELETE:
                self.records.pop(log.entity_id, None)
            else:
                self.records[log.entity_id] = json.loads(log.data or b"null")
            self._move(log.version)
            return
        self._seen |= {(log.entity_id, ""), (log.entity_id, log.field)}
        record = self.records.setdefault(log.entity_id, {})
        if log.action is FieldAction.DELETE:
            record.pop(log.field, None)
        else:
            record[log.field] = json.loads(log.value or b"null")
        if not log.more:
            self._move(log.version)

    def complete(self, message: SyncComplete | SyncFieldsComplete) -> bool:
        """It has caught up; returns whether it knows what is there."""
        if message.reset and (self._synced or self.position.version):
            # What of all that came is new it cannot tell, so it begins anew.
            self.position = Position(epoch="", version=0)
            return False
        if message.reset or (not self._synced and not self.position.version):
            self._drop_unseen()
        self._synced = True
        self.position = Position(epoch=message.epoch or "", version=message.version)
        return True

    def _move(self, version: int) -> None:
        if self._synced:
            assert self._old or version > self.position.version, "a change came late, or twice"
            self.position = Position(epoch=self.position.epoch, version=version)

    def _drop_unseen(self) -> None:
        for entity_id, data in list(self.records.items()):
            if (entity_id, "") not in self._seen:
                del self.records[entity_id]
            elif self.granularity is _FIELDS:
                seen = {name for each, name in self._seen if each == entity_id}
                self.records[entity_id] = {name: data[name] for name in data.keys() & seen}
