"""A record with own writes on top of it. Pure.

Knows how a write looks before the server has taken it. Must not know what is shown of it, nor
how either side comes about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rhtmx.core.granularity import Granularity
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.record_writes import RecordWrites
from rhtmx.core.storage_ops import HeldRecord, Settled, Write
from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, Push, PushFields
from rhtmx.values.json_value import from_json, to_json
from rhtmx.values.operations import OPERATIONS, apply
from rhtmx.values.results import filled_in

__all__ = ["Folds", "fold", "fold_rows"]

FEW = 8
"""So many writes of one record are put together anew each time."""


def fold(
    held: HeldRecord | None,
    writes: Iterable[tuple[Write, Settled | None]],
    granularity: Granularity,
) -> tuple[bool, Any]:
    """A record with writes on top, each with its answer: whether there is one, and its value."""
    there, value = held is not None, None if held is None else from_json(held.data)
    for message, settled in writes:
        if isinstance(message, PushFields):
            fields = dict(value) if there and isinstance(value, dict) else {}
            value = _merge(fields, message, {} if settled is None else settled.lost)
            there = bool(value) or granularity is Granularity.RECORDS
        else:
            there = message.action is not ChangeAction.DELETE
            value = from_json(message.data) if there else None
        if settled is not None and settled.prepared is not None and isinstance(value, dict):
            value = {**value, **filled_in(settled.prepared)}
    return there, value if there else None


def fold_rows(
    held: HeldRecord | None,
    rows: Sequence[QueuedWrite],
    record: tuple[str, str],
    granularity: Granularity,
) -> tuple[bool, Any]:
    """A record, by entity and id, with what these rows of the queue write of it on top."""
    # What is beneath a write of the whole record does not count.
    writes: list[tuple[Write, Settled | None]] = []
    for row in reversed(rows):
        for each in reversed(row.writes):
            if (each.entity, each.entity_id) == record:
                writes.append((each, row.settled))
        if writes and isinstance(writes[-1][0], Push):
            break
    return fold(held, reversed(writes), granularity)


@dataclass(frozen=True, slots=True)
class _Folded:
    """A record with its first writes on top, for when another one comes at the end.

    Attributes:
        held: what was beneath.
        rows: the writes of the record.
        revision: of these.
        count: so many of them are in it.
        result: it, as if it were held; `None`: there is none. As text: whoever was shown the
            value may have changed it.
    """

    held: HeldRecord | None
    rows: RecordWrites
    revision: int
    count: int
    result: HeldRecord | None

    def is_beneath(self, held: HeldRecord | None, rows: RecordWrites) -> bool:
        """Whether nothing has changed but that more writes have come at the end."""
        same = self.rows is rows and self.revision == rows.revision
        return same and self.held is held and self.count <= len(rows)


class Folds:
    """Records of one entity with own writes on top.

    Where many writes of one record wait, and one more comes at the end, only that one is put on
    top of what is known.

    Args:
        entity: the collection.
        granularity: whether it is read as records or field by field.
    """

    def __init__(self, entity: str, granularity: Granularity) -> None:
        self._entity = entity
        self._granularity = granularity
        self._folded: dict[str, _Folded] = {}

    def of(self, entity_id: str, held: HeldRecord | None, rows: RecordWrites) -> tuple[bool, Any]:
        """Whether there is such a record, and its value.

        Args:
            entity_id: the record.
            held: it, as the server has it.
            rows: its writes.
        """
        record = (self._entity, entity_id)
        if len(rows) <= FEW:
            self.forget(entity_id)
            return fold_rows(held, rows, record, self._granularity)
        known = self._folded.get(entity_id)
        if known is None or not known.is_beneath(held, rows):
            there, value = fold_rows(held, rows, record, self._granularity)
        elif known.count < len(rows):
            there, value = fold_rows(known.result, rows[known.count :], record, self._granularity)
        else:
            return fold(known.result, (), self._granularity)
        result = HeldRecord(0, msgspec.json.encode(value)) if there else None
        self._folded[entity_id] = _Folded(held, rows, rows.revision, len(rows), result)
        return there, value

    def forget(self, entity_id: str) -> None:
        """Nothing is on top of a record any more."""
        self._folded.pop(entity_id, None)


def _merge(
    fields: dict[str, Any], message: PushFields, lost: Mapping[str, bytes | None]
) -> dict[str, Any]:
    for update in message.fields:
        name = update.field
        if name in lost:
            gone, value = lost[name] is None, lost[name]
        elif update.action in OPERATIONS:
            _operate(fields, update)
            continue
        else:
            gone, value = update.action is FieldAction.DELETE, update.value
        if gone:
            fields.pop(name, None)
        else:
            fields[name] = from_json(value)
    return fields


def _operate(fields: dict[str, Any], update: FieldUpdate) -> None:
    name = update.field
    try:
        held = to_json(fields.get(name), name)
        after = apply(update.action, held, update.value, name)
    except RhtmxError:
        return
    if after is not None:
        fields[name] = from_json(after)
