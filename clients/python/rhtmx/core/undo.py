"""The write that takes a commit back, if nothing came after it. Pure.

Knows what a commit replaced, from the history of its record. Must not know who asks for it,
nor how the write gets to the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from rhtmx.core.storage_ops import Write
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldUpdate,
    HistoryCommit,
    HistoryResult,
    Push,
    PushFields,
)

__all__ = ["undoing"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def undoing(entity: str, entity_id: str, version: int, told: HistoryResult, at: datetime) -> Write:
    """The write that takes back what a commit did.

    Fields are set back one by one, so that what others wrote into other fields since stays.
    What a commit created is deleted, what it deleted is created again, and a record that is
    no object is written as a whole; each only if the record is still at that version.

    Args:
        entity: the collection.
        entity_id: the record.
        version: the commit.
        told: the history of the record from that commit back, two commits of it.
        at: now.

    Raises:
        RhtmxError: `NOT_FOUND`, there is no such commit, or what was before is not kept or may
            not be read; `INVALID_DATA`, it changed nothing.
    """
    about = f"'{entity}/{entity_id}'"
    commits = [(each, each.change) for each in told.commits if each.change is not None]
    if not commits or commits[0][1].version != version:
        raise RhtmxError(
            ErrorCode.NOT_FOUND,
            f"{about} has no commit of version {version}, or it is not kept any more",
        )
    commit, change = commits[0]
    if change.action is ChangeAction.CREATE:
        return Push(entity, entity_id, ChangeAction.DELETE, base_version=version)
    before = commits[1][1] if len(commits) > 1 else None
    # What was not created here and yet was not there before, came from where it may not be read:
    # to delete it would take it away from those whose it was.
    came = before is not None and before.action is ChangeAction.DELETE
    if before is None or came:
        reason = "may not be read" if came or told.complete else "is not kept any more"
        raise RhtmxError(ErrorCode.NOT_FOUND, f"what {about} was before version {version} {reason}")
    then, now = _fields(before), _fields(change)
    if then is None or now is None:
        return Push(entity, entity_id, ChangeAction.UPDATE, before.data, base_version=version)
    return PushFields(
        entity,
        entity_id,
        _set_back(commit, then, about, at),
        base_version=version,
        if_unchanged=True,
    )


def _fields(change: ChangeLog) -> Mapping[str, msgspec.Raw] | None:
    """The fields of a record after a commit; `None` if it was no object, or deleted."""
    if change.action is ChangeAction.DELETE or not (change.data or b"").lstrip().startswith(b"{"):
        return None
    return _members(change.data or b"")


def _set_back(
    commit: HistoryCommit, then: Mapping[str, msgspec.Raw], about: str, at: datetime
) -> list[FieldUpdate]:
    """What has the fields that a commit changed as they were, to the digit."""
    if not commit.changed:
        raise RhtmxError(
            ErrorCode.INVALID_DATA, f"there is nothing to undo: {about} stayed as it was"
        )
    return [
        FieldUpdate(field, bytes(then[field]), FieldAction.UPDATE, at)
        if field in then
        else FieldUpdate(field, action=FieldAction.DELETE, timestamp=at)
        for field in commit.changed
    ]
