"""Fields: what becomes of a `push_fields`, and the face of that in Python.

Knows how the fields of one push become one new version of a record, and what
its author is told. Must not know how two writes of one field are decided (that
is `merge`), the store's inside, the wire, or who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    FieldConflict,
    FieldPushAck,
    Push,
    PushFields,
    Winner,
)
from rhtmx.values.changes import FieldChange
from rhtmx.values.history import FieldAuthor
from rhtmx.values.results import FieldPushResult
from rhtmx_server.model import Commit, Context, Decision, Granularity, Record
from rhtmx_server.ports import Decide, HistoryReader, Store
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.calls import CheckJson, Submit, call, push_fields_message
from rhtmx_server.trackers.draft import MergeConflict, RecordDraft
from rhtmx_server.trackers.hidden import whole
from rhtmx_server.trackers.merge import FieldWrite, MergeOutcome
from rhtmx_server.trackers.policy import Policy, PolicyOf
from rhtmx_server.trackers.state import fields_of, live
from rhtmx_server.trackers.values import field_changes_of
from rhtmx_server.trackers.views import record_json, title

__all__ = ["MAX_DEPTH", "MAX_RECORD", "FieldTracker", "decide_push_fields", "fields_decider"]

MAX_RECORD = 65_536
"""Bytes that a record may grow to by fields: no more than one push can write."""

MAX_DEPTH = 32
"""Levels of a record's data. The wire's limit for one JSON value: a record that
field pushes made deeper could not be read by anybody."""


def decide_push_fields(
    push: PushFields,
    current: Record | None,
    context: Context,
    policy: Policy | None,
    *,
    max_record: int = MAX_RECORD,
) -> Decision:
    """Decide what becomes of a field push: all its winners in one version.

    Args:
        push: the mutation.
        current: the record as it is, a tombstone, or `None`.
        context: version, time and author.
        policy: how the entity merges; `None` if it is kept without fields.
        max_record: bytes that the record may grow to.

    Raises:
        RhtmxError: `NOT_SUPPORTED`, the entity is kept without fields;
            `BAD_MESSAGE`, a field is named twice; `INVALID_DATA`, the record's
            data is no object, or would become too large or too deep; `CONFLICT`,
            `if_unchanged` was asked for and is not so: the details hold the record
            as it is, and the names of the `fields` that were written.
    """
    if policy is None:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"'{push.entity[:40]}' is kept without fields: push whole records",
        )
    _check(push, current)
    draft = RecordDraft(current, context, policy, push.base_version)
    if push.if_unchanged:
        _check_unchanged(push, draft, current)
        if policy.forgets:
            _check_there(push, current)
    for update in push.fields:
        draft.write(update)
    commit = None
    if draft.written:
        record = draft.record(push.entity, push.entity_id)
        if policy.forgets:
            _forget(record)
        _check_size(record, current, max_record)
        commit = Commit(record, Granularity.FIELDS, sorted(draft.written))
        current = record
    version = None if current is None else current.version
    conflicts = [_conflict(push, conflict, version) for conflict in draft.conflicts]
    return Decision(
        reply=[*conflicts, _ack(push, context, draft, version)], commit=commit, lost=draft.lost
    )


def _check(push: PushFields, current: Record | None) -> None:
    existing = live(current)
    if existing is not None and not jsontext.is_object(existing.data):
        raise RhtmxError(
            ErrorCode.INVALID_DATA,
            f"{title(push.entity, push.entity_id)} holds no JSON object and so has no fields: "
            "push it as a whole",
        )
    seen: set[str] = set()
    for index, update in enumerate(push.fields):
        if update.field in seen:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"push_fields.fields: '{update.field[:40]}' is named twice; name each field once",
            )
        seen.add(update.field)
        if jsontext.deeper_than(update.value, MAX_DEPTH - 1):
            raise RhtmxError(
                ErrorCode.INVALID_DATA,
                f"push_fields.fields[{index}].value: {MAX_DEPTH - 1} levels at most, "
                f"so that the record around it has no more than {MAX_DEPTH}",
            )


def _check_unchanged(push: PushFields, draft: RecordDraft, current: Record | None) -> None:
    written = draft.unseen(update.field for update in push.fields)
    if not written:
        return
    assert current is not None  # what never was has no field that was written
    base = push.base_version
    expected = "no write of it" if base is None else f"none after version {base}"
    name, version = next(iter(written.items()))
    more = f"; {len(written) - 1} more fields were written, too" if len(written) > 1 else ""
    raise RhtmxError(
        ErrorCode.CONFLICT,
        f"push_fields.if_unchanged: '{name[:40]}' of {title(push.entity, push.entity_id)} was "
        f"written in version {version}, {expected} was expected{more}; nothing was written",
        details=record_json(current, fields=list(written)),
    )


def _check_there(push: PushFields, current: Record | None) -> None:
    """Refuse what is about a field that is gone, where nothing is kept of such."""
    fields = fields_of(current)
    gone = [update.field for update in push.fields if update.field not in fields]
    if gone:
        raise RhtmxError(
            ErrorCode.CONFLICT,
            f"push_fields.if_unchanged: '{gone[0][:40]}' of {title(push.entity, push.entity_id)} "
            "is not there any more; nothing was written",
            details=None if current is None else record_json(current, fields=gone),
        )


def _forget(record: Record) -> None:
    clocks = record.clocks.items()
    record.clocks = {name: clock for name, clock in clocks if not clock.deleted}


def _check_size(record: Record, before: Record | None, most: int) -> None:
    size = len(record.data or b"")
    # A record that is too large already (by an older limit) may still shrink.
    if size > most and (before is None or size > len(before.data or b"")):
        raise RhtmxError(
            ErrorCode.INVALID_DATA,
            f"{title(record.entity, record.entity_id)} would grow to {size} bytes, "
            f"at most {most} are allowed: remove some fields first",
        )


def _conflict(push: PushFields, conflict: MergeConflict, version: int | None) -> FieldConflict:
    return FieldConflict(
        entity=push.entity,
        entity_id=push.entity_id,
        field=conflict.field,
        server_value=conflict.stored.value,
        server_timestamp=to_datetime(conflict.stored.clock.timestamp),
        client_value=conflict.pushed.value,
        client_timestamp=to_datetime(conflict.pushed.clock.timestamp),
        version=version,
        winner=Winner.CLIENT if conflict.verdict is MergeOutcome.WON else Winner.SERVER,
        strategy=conflict.strategy,
        seq=push.seq,
        key=conflict.key,
        server_deleted=_deleted(conflict.stored),
        client_deleted=_deleted(conflict.pushed),
        server_client_id=conflict.stored.clock.client_id,
    )


def _deleted(write: FieldWrite) -> bool | None:
    """Whether a write was a delete: a value alone says that it was none."""
    return write.clock.deleted if write.value is None else None


def _ack(
    push: PushFields, context: Context, draft: RecordDraft, version: int | None
) -> FieldPushAck:
    return FieldPushAck(
        entity=push.entity,
        entity_id=push.entity_id,
        applied=draft.applied,
        conflicts=len(draft.conflicts),
        version=version,
        request_id=push.request_id,
        seq=push.seq,
        epoch=context.epoch,
        server_time=to_datetime(context.now),
        clamped=draft.clamped or None,
    )


def fields_decider(policy_of: PolicyOf, *, max_record: int = MAX_RECORD) -> Decide:
    """Return the rule for `PushFields`, for the committer's table.

    Args:
        policy_of: how each entity merges.
        max_record: bytes that a record may grow to.
    """

    def decide(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        assert isinstance(message, PushFields)
        policy = policy_of(message.entity)
        return decide_push_fields(message, current, context, policy, max_record=max_record)

    return decide


class FieldTracker:
    """Fields of records, for Python code beside the server: `app.fields`.

    A push from here takes the same road as one from a socket.

    Args:
        submit: puts a mutation in line.
        store: where records are read.
        check: the wire's check of JSON texts.
        clock: the time; microseconds since 1970.
        past: reads who wrote what.
    """

    def __init__(
        self,
        submit: Submit,
        store: Store,
        check: CheckJson,
        clock: Callable[[], int],
        past: HistoryReader,
    ) -> None:
        self._submit = submit
        self._store = store
        self._check = check
        self._clock = clock
        self._past = past

    async def push(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, object],
        *,
        delete: Iterable[str] = (),
        timestamp: datetime | None = None,
        base_version: int | None = None,
        if_unchanged: bool = False,
        client_id: str | None = None,
        seq: int | None = None,
    ) -> FieldPushResult:
        """Write some fields of a record and wait until they are durable.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: the new values by name, each as in `ChangeTracker.push`; or operations,
                such as `rhtmx.Increment(1)`.
            delete: the fields to remove.
            timestamp: when this was written, if not now.
            base_version: the version of the record that the caller saw.
            if_unchanged: write only if none of these fields was written after
                `base_version` (without one: ever), by whomever.
            client_id: in whose name.
            seq: the number of this mutation, for a caller that numbers them.

        Raises:
            RhtmxError: it was rejected as a whole: `NOT_SUPPORTED`,
                `INVALID_DATA`, `BAD_MESSAGE`, `CONFLICT` (only with
                `if_unchanged`), and what the store may raise.

        Example:
            >>> result = await app.fields.push("tasks", "1", {"done": True}, delete=["due"])
            >>> result.version
            2
            >>> from rhtmx import Increment
            >>> result = await app.fields.push("tasks", "1", {"votes": Increment(1)})
        """
        written = to_datetime(self._clock()) if timestamp is None else timestamp
        message = push_fields_message(
            entity, entity_id, fields, delete, written, self._check, base_version, seq
        )
        message.if_unchanged = if_unchanged or None
        *reported, acknowledgement = await call(self._submit, message, client_id)
        assert isinstance(acknowledgement, FieldPushAck)
        conflicts = [each for each in reported if isinstance(each, FieldConflict)]
        return FieldPushResult.of(acknowledgement, conflicts)

    async def get(self, entity: str, entity_id: str) -> dict[str, FieldChange] | None:
        """Read the fields of a record, by name, each as it was last written.

        `None` if there is no such record; none at all if its data is no object. Of the fields
        that never leave the server it is not kept who wrote them: they are said to be of the
        record's last commit.
        """
        record = live(await self._store.record(entity, entity_id))
        return None if record is None else field_changes_of(whole(record))

    async def blame(self, entity: str, entity_id: str) -> dict[str, FieldAuthor]:
        """Read who wrote which field of a record, by name, and when.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record.

        Example:
            >>> authors = await app.fields.blame("users", "1")
            >>> authors["name"].version
            1
        """
        answer = await self._past.blame(Blame(entity, entity_id))
        return {each.field: FieldAuthor.of(each) for each in answer.fields}
