"""Whole records: what becomes of a `push`, and the face of that in Python.

Knows the rules for writing and deleting a record. Must not know the store's
inside, the wire, or who listens.

The log says what happened, not what was claimed: `create` if there was no live
record, else `update`; deleting what is not there is acknowledged and logs
nothing. A push replaces the record; for those who read fields it is a write of
every top-level key that really differs, and a delete of every one that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from rhtmx import messages
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Push, PushAck, PushFields
from rhtmx.values.changes import Change
from rhtmx.values.history import History
from rhtmx.values.results import PushResult
from rhtmx_server.model import DELETED, Clock, Commit, Context, Decision, Granularity, Record
from rhtmx_server.ports import Decide, HistoryReader, Store
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.calls import (
    CheckJson,
    Submit,
    call,
    delete_message,
    push_message,
)
from rhtmx_server.trackers.hidden import whole
from rhtmx_server.trackers.merge import follow
from rhtmx_server.trackers.policy import PolicyOf
from rhtmx_server.trackers.state import clocks_of, fields_of, live
from rhtmx_server.trackers.values import change_of
from rhtmx_server.trackers.views import record_json, title

__all__ = ["ChangeTracker", "changes_decider", "decide_push"]


def decide_push(
    push: Push, current: Record | None, context: Context, *, fields: bool = True
) -> Decision:
    """Decide what becomes of a push.

    Args:
        push: the mutation.
        current: the record as it is, a tombstone, or `None`.
        context: version, time and author.
        fields: the entity's fields are kept track of.

    Raises:
        RhtmxError: `CONFLICT`, the record is not the one that `base_version`
            names; the details hold it as it is.
    """
    if push.base_version is not None:
        _check_base(push, push.base_version, current)
    deletes = push.action is ChangeAction.DELETE
    existing = live(current)
    if deletes and existing is None:
        # Acknowledged at the version that there is: nothing was written, so nothing is told.
        return Decision(reply=[_ack(push, context, context.version - 1)])
    record = Record(
        entity=push.entity,
        entity_id=push.entity_id,
        version=context.version,
        action=_action(deletes, existing),
        data=None if deletes else push.data,
        client_id=context.client_id,
        time=context.now,
    )
    changed: list[str] = []
    if fields:
        record.clocks, changed = _stamp(current, record)
    return Decision(
        reply=[_ack(push, context, context.version)],
        commit=Commit(record, Granularity.RECORDS, changed),
    )


def _action(deletes: bool, existing: Record | None) -> ChangeAction:
    if deletes:
        return ChangeAction.DELETE
    return ChangeAction.CREATE if existing is None else ChangeAction.UPDATE


def _check_base(push: Push, base_version: int, current: Record | None) -> None:
    existing = live(current)
    version = 0 if current is None else current.version
    # 0 says "there must be none": a tombstone, whatever its version, is none.
    if base_version == version or (base_version == 0 and existing is None):
        return
    name = title(push.entity, push.entity_id)
    if base_version == 0:
        words = f"{name} exists already, in version {version}"
    elif current is None:
        words = f"{name} does not exist, version {base_version} was expected"
    elif existing is None:
        words = f"{name} was deleted in version {version}, version {base_version} was expected"
    else:
        words = f"{name} has moved on to version {version}, version {base_version} was expected"
    raise RhtmxError(
        ErrorCode.CONFLICT,
        f"push.base_version: {words}; nothing was written",
        details=None if current is None else record_json(current),
    )


def _stamp(before: Record | None, after: Record) -> tuple[dict[str, Clock], list[str]]:
    """Return the clocks of a record that was replaced, and which fields changed.

    A delete stamps also the fields that were gone before it: a write that is
    older than the delete must lose against it in every field.
    """
    old, new = fields_of(before), fields_of(after)
    clocks = clocks_of(before, old)
    stamp = Clock(after.version, after.time, after.client_id)
    changed = []
    for name, text in new.items():
        former = old.get(name)
        # Bytes first: most fields of a record that is pushed again are the same to the byte.
        if former is None or (former != text and not jsontext.same(former, text)):
            # Later than what it replaces, also where the server's clock was set back.
            clocks[name] = follow(stamp, clocks.get(name))
            changed.append(name)
    if after.action is ChangeAction.DELETE:
        _bury(clocks, {DELETED, *clocks}, stamp)
        changed += old
    elif not old.keys() <= new.keys():
        gone = old.keys() - new.keys()
        _bury(clocks, gone, stamp)
        changed += gone
    changed.sort()
    return clocks, changed


def _bury(clocks: dict[str, Clock], names: Iterable[str], stamp: Clock) -> None:
    tombstone = msgspec.structs.replace(stamp, deleted=True)
    for name in names:
        clocks[name] = follow(tombstone, clocks.get(name))


def _ack(push: Push, context: Context, version: int) -> PushAck:
    return PushAck(
        entity=push.entity,
        entity_id=push.entity_id,
        version=version,
        request_id=push.request_id,
        seq=push.seq,
        epoch=context.epoch,
        server_time=to_datetime(context.now),
    )


def changes_decider(policy_of: PolicyOf) -> Decide:
    """Return the rule for `Push`, for the committer's table.

    Args:
        policy_of: tells which entities are kept without fields: their pushes
            need no look into the data.
    """

    def decide(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        assert isinstance(message, Push)
        policy = policy_of(message.entity)
        fields = policy is not None and not policy.forgets
        return decide_push(message, current, context, fields=fields)

    return decide


class ChangeTracker:
    """Whole records, for Python code beside the server: `app.changes`.

    A push from here takes the same road as one from a socket.

    Args:
        submit: puts a mutation in line.
        store: where records are read.
        check: the wire's check of JSON texts.
        past: reads what has become of records.
    """

    def __init__(self, submit: Submit, store: Store, check: CheckJson, past: HistoryReader) -> None:
        self._submit = submit
        self._store = store
        self._check = check
        self._past = past

    async def push(
        self,
        entity: str,
        entity_id: str,
        data: object,
        *,
        base_version: int | None = None,
        client_id: str | None = None,
        seq: int | None = None,
    ) -> PushResult:
        """Write a record and wait until it is durable.

        Args:
            entity: the collection.
            entity_id: the record.
            data: the whole record: any value that can be written as JSON, or
                `bytes` that are JSON already.
            base_version: the version that the caller saw, 0 for none.
            client_id: in whose name: any, unless there is a `seq`.
            seq: the number of this mutation, for a caller that numbers them
                under a `client_id` of its own.

        Raises:
            RhtmxError: it was rejected: `CONFLICT`, `BAD_MESSAGE` for data that
                is not JSON, and what the store may raise.

        Example:
            >>> result = await app.changes.push("users", "1", {"name": "Eve"})
            >>> result.version
            2
        """
        message = push_message(entity, entity_id, data, self._check, base_version, seq)
        return await self._submitted(message, client_id)

    async def delete(
        self,
        entity: str,
        entity_id: str,
        *,
        base_version: int | None = None,
        client_id: str | None = None,
        seq: int | None = None,
    ) -> PushResult:
        """Delete a record and wait until that is durable. See `push`."""
        message = delete_message(entity, entity_id, base_version, seq)
        return await self._submitted(message, client_id)

    async def get(self, entity: str, entity_id: str) -> Change | None:
        """Read the record, as its latest change; `None` if there is none.

        With the fields that never leave the server.
        """
        record = live(await self._store.record(entity, entity_id))
        return None if record is None else change_of(whole(record))

    async def history(
        self,
        entity: str,
        entity_id: str,
        *,
        before: int | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> History[Any]:
        """Read the commits of a record that are still kept, the newest first.

        Those of all records, and the writes that lost, are in `App.history`.

        Args:
            entity: the collection.
            entity_id: the record; it may be deleted.
            before: only commits before this version: that of the `History` before.
            until: only commits up to this time: with a `limit` of 1, the record as it was.
            limit: at most so many, 1 to 1000; 100 by default.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record; `BAD_MESSAGE`, no such limit.

        Example:
            >>> history = await app.changes.history("users", "1")
            >>> [(each.version, each.action, each.changed) for each in history]
            [(1, 'create', ('name',))]
        """
        asked = messages.History(entity, entity_id, before, until, limit)
        return History.of(await self._past.commits(asked))

    async def _submitted(self, message: Push, client_id: str | None) -> PushResult:
        acknowledgement = (await call(self._submit, message, client_id))[-1]
        assert isinstance(acknowledgement, PushAck)
        return PushResult.of(acknowledgement)
