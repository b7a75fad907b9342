"""A good client of several parts of one entity: what it makes of what it is sent.

Its rules are those that the protocol asks of a client: a departure counts only if it is
newer than what is held; while anything catches up no change moves a position; an answer
moves those of everything that is live; a snapshot drops what matches its part and was
neither in it nor sent since it was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldAction,
    FieldChange,
    Position,
    SyncComplete,
    SyncFieldsComplete,
)

Where: TypeAlias = bytes | None


def matches(where: Where, fields: dict[str, Any]) -> bool:
    """Whether a record is in the part that was asked for."""
    wanted = {} if where is None else json.loads(where)
    return all(
        name in fields and fields[name] in (value if isinstance(value, list) else [value])
        for name, value in wanted.items()
    )


@dataclass
class Held:
    """A record as the client has it."""

    version: int
    fields: dict[str, Any]


@dataclass
class Stream:
    """One part that the client reads."""

    position: Position | None = None
    since: int = 0
    catching: bool = False
    heard: bool = False
    seen: set[str] = field(default_factory=set)


@dataclass
class Asked:
    """A place in the stream: here the client asked for everything after a position."""

    stream: Stream


class ScopedClient:
    """The client; `subscribe` sends its questions."""

    def __init__(self, subscribe: Callable[[Where, Position], None]) -> None:
        self._subscribe = subscribe
        self.records: dict[str, Held] = {}
        self.streams: dict[Where, Stream] = {}
        self.delivered: list[tuple[str, int, bool]] = []
        self._fields: list[Any] = []

    def open(self, where: Where) -> None:
        """Read a part, from where it was read last."""
        stream = self.streams.setdefault(where, Stream())
        self.ask(where, stream.position or Position(epoch="", version=0))

    def ask(self, where: Where, since: Position) -> None:
        position = self.streams[where].position
        self.streams[where] = Stream(position, since.version, catching=True)
        self._subscribe(where, since)

    def close(self, where: Where) -> None:
        """Read a part no more."""
        self.streams.pop(where, None)
        self._drop(lambda held: matches(where, held.fields) and not self._held_elsewhere(held))

    def cut(self) -> None:
        """The connection is gone, with all that was on its way."""
        self._fields.clear()
        for where in list(self.streams):
            self.open(where)

    def view(self) -> dict[str, dict[str, Any]]:
        """What the client shows: the records of the parts that it reads."""
        return {
            entity_id: held.fields
            for entity_id, held in self.records.items()
            if any(matches(where, held.fields) for where in self.streams)
        }

    def take(self, event: Any) -> None:
        if isinstance(event, Asked):
            self._flush()
            event.stream.heard = True
        elif isinstance(event, Change):
            self._change(event.change)
        elif isinstance(event, FieldChange):
            self._field_change(event.change)
        elif isinstance(event, SyncComplete | SyncFieldsComplete):
            self._flush()
            self._complete(event)

    # Changes.

    def _change(self, change: Any) -> None:
        held = self.records.get(change.entity_id)
        self.delivered.append((change.entity_id, change.version, bool(change.left)))
        if change.left and held is not None and held.version >= change.version:
            pass  # it is held for another part, which it is in
        elif change.action is ChangeAction.DELETE:
            self.records.pop(change.entity_id, None)
        else:
            assert held is None or held.version <= change.version, "an older state came after it"
            self.records[change.entity_id] = Held(change.version, json.loads(change.data))
            self._saw(change.entity_id)
        self._move(change.version)

    def _field_change(self, change: Any) -> None:
        if self._fields and self._fields[0].version != change.version:
            self._flush()
        self._fields.append(change)
        if not change.more:
            self._flush()
            self._move(change.version)

    def _flush(self) -> None:
        """What was written at one time shows at one time."""
        fields, self._fields = self._fields, []
        for change in fields:
            held = self.records.get(change.entity_id)
            if change.left:
                self.delivered.append((change.entity_id, change.version, True))
                if held is None or held.version < change.version:
                    self.records.pop(change.entity_id, None)
                continue
            if (change.entity_id, change.version, False) not in self.delivered[-1:]:
                self.delivered.append((change.entity_id, change.version, False))
            if held is None:
                held = self.records[change.entity_id] = Held(0, {})
            assert held.version <= change.version, "an older state came after it"
            held.version = change.version
            if change.action is FieldAction.DELETE:
                held.fields.pop(change.field, None)
            else:
                held.fields[change.field] = json.loads(change.value or b"null")
            self._saw(change.entity_id)
        self._drop(lambda held: not held.fields)

    def _saw(self, entity_id: str) -> None:
        for stream in self.streams.values():
            if stream.catching and stream.heard:
                stream.seen.add(entity_id)

    def _move(self, version: int) -> None:
        if any(stream.catching for stream in self.streams.values()):
            return
        for stream in self.streams.values():
            self._reached(stream, version)

    def _reached(self, stream: Stream, version: int) -> None:
        position = stream.position
        if position is not None and position.version < version:
            stream.position = Position(epoch=position.epoch, version=version, scope=position.scope)

    # Answers.

    def _complete(self, answer: SyncComplete | SyncFieldsComplete) -> None:
        stream = self.streams.get(answer.where)
        if stream is None or (stream.catching and not stream.heard):
            return  # of what was read before
        if answer.reset and (stream.since or not stream.catching):
            # It was a snapshot, and nothing told so before its end: read as what it is.
            self.ask(answer.where, Position(epoch=answer.epoch, version=0, scope=answer.scope))
            return
        if stream.catching and not stream.since:
            self._drop_unseen(answer.where, stream)
        stream.catching = False
        stream.since = answer.version
        stream.position = Position(epoch=answer.epoch, version=answer.version, scope=answer.scope)
        for other in self.streams.values():
            if not other.catching:
                self._reached(other, answer.version)

    def _drop_unseen(self, where: Where, stream: Stream) -> None:
        for entity_id, held in list(self.records.items()):
            # Of another part, too: what may be read of that and matches here was in the snapshot.
            if matches(where, held.fields) and entity_id not in stream.seen:
                del self.records[entity_id]

    def _held_elsewhere(self, held: Held) -> bool:
        return any(matches(where, held.fields) for where in self.streams)

    def _drop(self, gone: Callable[[Held], bool]) -> None:
        for entity_id in [each for each, held in self.records.items() if gone(held)]:
            del self.records[entity_id]
