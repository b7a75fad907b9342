"""A good client of one entity: builds a replica, and holds what it may resume from.

It checks what it is sent: in version order, nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
)
from rhtmx.wire import Message
from rhtmx_server.model import Granularity, Record
from tests.unit.rhtmx_server.fakes import FIELDS, RECORDS

NONE = Granularity(0)

Fields: TypeAlias = dict[str, bytes]


@dataclass
class Asked:
    """A place in the stream: here the client asked for everything after `since`."""

    granularity: Granularity
    since: int
    seen: set[str] = field(default_factory=set)
    behind: bool = False


Event: TypeAlias = Message | Asked


class Replica:
    """What a client makes of a stream.

    Attributes:
        records: the fields of each record.
        start: every change after this version has arrived; `None` for unknown.
        whole: the position of a client that reads whole records.
        solid: the position of one that reads fields: no field before it is missing.
    """

    def __init__(self, start: int | None = None) -> None:
        self.records: dict[str, Fields] = {}
        self.start = start
        self.whole: int | None = None
        self.solid: int | None = None
        self._asked: list[Asked] = []
        self._last = -1
        self._fields_of_last: set[tuple[str, str]] = set()

    @property
    def asking(self) -> list[Asked]:
        return self._asked

    def left(self, granularity: Granularity) -> None:
        """Its subscription has ended: nobody tells it any more that it has caught up."""
        self._asked = [e for e in self._asked if not (e.behind and e.granularity & granularity)]

    def apply(self, event: Event) -> None:
        if isinstance(event, Asked):
            self._asked.append(event)
            self._last = -1
        elif isinstance(event, Change):
            self._change(event)
        elif isinstance(event, FieldChange):
            assert event.change is not None
            self._field(event.change)
        elif isinstance(event, SyncBegin) and event.since is not None:
            # It was too slow: what follows has been, from here on.
            granularity = FIELDS if event.fields else RECORDS
            self._asked.append(Asked(granularity, event.since, behind=True))
        elif isinstance(event, SyncComplete):
            self._complete(RECORDS, event.version, event.reset)
        elif isinstance(event, SyncFieldsComplete):
            self._complete(FIELDS, event.version, event.reset)

    def _change(self, event: Change) -> None:
        change = event.change
        assert change is not None
        assert change.version > self._last, f"{change.version} after {self._last}"
        self._last, self._fields_of_last = change.version, set()
        if change.action is ChangeAction.DELETE:
            self.records.pop(change.entity_id, None)
        else:
            self.records[change.entity_id] = fields_of(change.data)
        self.whole = max(self.whole or 0, change.version)
        self._note(change.entity_id)

    def _field(self, change: FieldChangeLog) -> None:
        name = (change.entity_id, change.field)
        assert change.version >= self._last, f"{change.version} after {self._last}"
        if change.version > self._last:
            self._last, self._fields_of_last = change.version, set()
        else:
            assert self._fields_of_last, f"{name} after the whole record of {change.version}"
        assert name not in self._fields_of_last, f"{name} of {change.version} twice"
        self._fields_of_last.add(name)
        record = self.records.setdefault(change.entity_id, {})
        if change.action is FieldAction.DELETE:
            record.pop(change.field, None)
        else:
            record[change.field] = b"null" if change.value is None else change.value
        if not change.more:
            self.whole = max(self.whole or 0, change.version)
            self.solid = max(self.solid or 0, change.version)
        self._note(change.entity_id)

    def _note(self, entity_id: str) -> None:
        for asked in self._asked:
            asked.seen.add(entity_id)

    def _complete(self, granularity: Granularity, version: int, reset: bool) -> None:
        asked = next((each for each in self._asked if each.granularity is granularity), None)
        assert asked is not None, "an answer that nobody asked for"
        self._asked.remove(asked)
        self.start = asked.since if self.start is None else min(self.start, asked.since)
        if reset:
            self.start = 0
            for gone in self.records.keys() - asked.seen:
                del self.records[gone]
        self.whole = max(self.whole or 0, version)
        self.solid = max(self.solid or 0, version)

    def check(self, state: list[Record]) -> None:
        """Make sure that the replica has what the store has, from `start` on."""
        if self.start is None:
            return
        for record in state:
            stored = fields_of(record.data) if record.live else {}
            mine = self.records.get(record.entity_id, {})
            for name, clock in record.clocks.items():
                if clock.version > self.start:
                    assert mine.get(name) == stored.get(name), (record, mine, self.start)
        if self.start == 0:
            full = {r.entity_id: fields_of(r.data) for r in state if r.live}
            assert _without_empty(self.records) == _without_empty(full)


def fields_of(data: bytes | None) -> Fields:
    """The fields of an object."""
    parsed = msgspec.json.decode(data or b"{}", type=dict[str, msgspec.Raw])
    return {name: bytes(value) for name, value in parsed.items()}


def _without_empty(records: dict[str, Fields]) -> dict[str, Fields]:
    # A reader of fields cannot tell a record without fields from none.
    return {entity_id: fields for entity_id, fields in records.items() if fields}
