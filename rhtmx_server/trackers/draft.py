"""A record while the fields of one push are merged into it.

Knows one record and the writes that come to it, one field after the other. Must
not know the reply that is made of it, nor change the record that it began with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, MergeStrategy
from rhtmx.values.operations import OPERATIONS
from rhtmx_server.model import DELETED, Clock, Context, LostWrite, Record
from rhtmx_server.times import to_micros
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.merge import FieldWrite, MergeOutcome, clamp, merge, move
from rhtmx_server.trackers.operations import operate
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.trackers.state import clocks_of, fields_of, live, stored_write

__all__ = ["MergeConflict", "RecordDraft"]


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A pushed write that was in conflict.

    Args:
        field: the top-level key.
        stored: the write that it met.
        pushed: itself.
        verdict: `WON` or `LOST`.
        strategy: the rule that decided.
        key: in the field, if it is about one of those.
    """

    field: str
    stored: FieldWrite
    pushed: FieldWrite
    verdict: MergeOutcome
    strategy: MergeStrategy
    key: str | None = None


class RecordDraft:
    """The fields of a record with the writes merged so far.

    Args:
        current: the record as it is, a tombstone, or `None`.
        context: version, time and author of what is merged.
        policy: the strategy of each field.
        base_version: what the author had seen.

    Attributes:
        written: the fields that got a new value or were deleted.
        applied: how many writes the fields agree with now.
        conflicts: the writes that were in conflict.
        clamped: how many timestamps were brought back to the present.
    """

    def __init__(
        self, current: Record | None, context: Context, policy: Policy, base_version: int | None
    ) -> None:
        self.written: list[str] = []
        self.applied = 0
        self.conflicts: list[MergeConflict] = []
        self.clamped = 0
        self._current = current
        self._context = context
        self._policy = policy
        self._base_version = base_version
        self._fields = fields_of(current)
        self._clocks = clocks_of(current, self._fields)

    def unseen(self, names: Iterable[str]) -> dict[str, int]:
        """Those fields whose last write the author had not seen, whoever it is by; its version.

        Without a base version the author had seen none. A deletion is a write; that of the
        whole record is one of every field.
        """
        seen = 0 if self._base_version is None else self._base_version
        stored = ((name, stored_write(name, self._fields, self._clocks)) for name in names)
        return {
            name: write.clock.version
            for name, write in stored
            if write is not None and write.clock.version > seen
        }

    def write(self, update: FieldUpdate) -> None:
        """Merge one field into what the push has made of the record so far.

        Raises:
            RhtmxError: `BAD_MESSAGE`, `INVALID_DATA`: an operation cannot be applied.
        """
        pushed = self._pushed(update)
        stored = stored_write(update.field, self._fields, self._clocks)
        strategy = self._strategy(update.field, stored)
        if update.action in OPERATIONS:
            self._policy.check_operation(update)
            result = operate(update.action, stored, pushed, self._base_version, update.field)
            verdict, value, clock = result.outcome, result.value, result.clock
            for each in result.replaced:
                self._report(update.field, each.stored, each.pushed, strategy, each.key)
        else:
            verdict, clock = merge(stored, pushed, strategy, self._base_version)
            value = pushed.value
        if verdict.writes:
            self._put(update.field, value, clock)
        if verdict is not MergeOutcome.LOST:
            self.applied += 1
        if verdict.conflict:
            assert stored is not None  # nothing stands against a first write
            self.conflicts.append(MergeConflict(update.field, stored, pushed, verdict, strategy))

    def _report(
        self, field: str, stored: FieldWrite, pushed: FieldWrite, strategy: MergeStrategy, key: str
    ) -> None:
        won = MergeOutcome.WON
        self.conflicts.append(MergeConflict(field, stored, pushed, won, strategy, key))

    def _pushed(self, update: FieldUpdate) -> FieldWrite:
        if update.timestamp is None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, f"push_fields: field '{update.field[:40]}' has no timestamp"
            )
        claimed = to_micros(update.timestamp)
        # Counted as well: its author is told that the clock is wrong.
        timestamp = clamp(claimed, self._context.now)
        self.clamped += timestamp != claimed
        deletes = update.action is FieldAction.DELETE
        clock = Clock(self._context.version, claimed, self._context.client_id, deletes)
        return FieldWrite(None if deletes else update.value, move(clock, timestamp))

    def _strategy(self, field: str, stored: FieldWrite | None) -> MergeStrategy:
        """Choose the field's strategy; over the delete of its record, time comes first.

        `client_wins` must not let a write that is older than the delete bring
        the record back with one lonely field in it.
        """
        strategy = self._policy.strategy(field)
        if strategy is not MergeStrategy.CLIENT_WINS or stored is None:
            return strategy
        delete = self._clocks.get(DELETED)
        # The field was last written by the delete of the whole record, not by one of its own.
        gone = delete is not None and stored.clock.version == delete.version
        return MergeStrategy.LAST_WRITE_WINS if gone else strategy

    def _put(self, field: str, value: bytes | None, clock: Clock) -> None:
        self.written.append(field)
        self._clocks[field] = clock
        if clock.deleted:
            self._fields.pop(field, None)
        else:
            self._fields[field] = jsontext.raw(value)

    @property
    def lost(self) -> list[LostWrite]:
        """The writes that lost, for the history."""
        return [
            LostWrite(
                conflict.field,
                conflict.pushed.value,
                conflict.pushed.clock.timestamp,
                conflict.pushed.clock.deleted,
            )
            for conflict in self.conflicts
            if conflict.verdict is MergeOutcome.LOST
        ]

    def record(self, entity: str, entity_id: str) -> Record:
        """Return the record with everything merged."""
        exists = live(self._current) is not None
        return Record(
            entity=entity,
            entity_id=entity_id,
            version=self._context.version,
            action=ChangeAction.UPDATE if exists else ChangeAction.CREATE,
            data=jsontext.join(self._fields),
            client_id=self._context.client_id,
            time=self._context.now,
            clocks=self._clocks,
        )
