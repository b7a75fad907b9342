"""What has become of a record, and who wrote it, as plain frozen values.

Knows the messages that they are made from. Must not know who asks, sessions or the loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal

from rhtmx import messages
from rhtmx.messages.tables import CHANGE_ACTION_SPELLINGS
from rhtmx.values.json_value import Data, from_json

__all__ = ["FieldAuthor", "History", "HistoryCommit"]


@dataclass(frozen=True, slots=True)
class HistoryCommit(Generic[Data]):
    """One commit of a record: what it left there, and who made it.

    Attributes:
        entity: the collection.
        entity_id: the record.
        action: what it did.
        data: the whole record after it; `None` after a delete.
        version: place in the entity's log.
        changed: the fields that it set or removed; none if the record is no object, or what
            it was before is not kept any more.
        client_id: the client that made it, if known.
        subject: the user who made it, if known.
        created_at: when it was committed, by the server's clock.
        left: it took the record out of what this client may read; `action` is `delete` then.
    """

    entity: str
    entity_id: str
    action: Literal["create", "update", "delete"]
    data: Data
    version: int
    changed: tuple[str, ...]
    client_id: str | None
    subject: str | None
    created_at: datetime
    left: bool = False

    @classmethod
    def of(cls, commit: messages.HistoryCommit) -> HistoryCommit[Data]:
        """Make it from the message."""
        log = commit.change
        assert log is not None
        assert log.created_at is not None
        action: Any = CHANGE_ACTION_SPELLINGS[log.action]
        return cls(
            log.entity,
            log.entity_id,
            action,
            from_json(log.data),
            log.version,
            tuple(commit.changed),
            log.client_id,
            commit.subject,
            log.created_at,
            bool(log.left),
        )


@dataclass(frozen=True, slots=True)
class History(Generic[Data]):
    """The commits of a record, the newest first.

    Attributes:
        commits: these.
        before: there may be more: ask for those before this version. `None` if no more
            are kept.
        complete: the last one of the commits is the first of the record, or nothing of
            before may be read. Otherwise, and if `before` is `None`, what was before is
            not kept any more.

    Example:
        >>> history = await tasks.history("1")
        >>> [(each.version, each.action, each.data["title"]) for each in history]
        [(1, 'create', 'Write it down')]
        >>> history.complete
        True
    """

    commits: tuple[HistoryCommit[Data], ...]
    before: int | None
    complete: bool

    @classmethod
    def of(cls, message: messages.HistoryResult) -> History[Data]:
        """Make it from the message."""
        commits = tuple(HistoryCommit[Data].of(each) for each in message.commits)
        return cls(commits, message.before, message.complete)

    def __iter__(self) -> Iterator[HistoryCommit[Data]]:
        return iter(self.commits)

    def __len__(self) -> int:
        return len(self.commits)


@dataclass(frozen=True, slots=True)
class FieldAuthor:
    """The last write of a field, by whom and when.

    Attributes:
        field: the top-level key.
        version: the commit that wrote it.
        timestamp: when it was written, as merged.
        client_id: the client that wrote it, if known.
        subject: the user who wrote it, if known.
    """

    field: str
    version: int
    timestamp: datetime
    client_id: str | None
    subject: str | None

    @classmethod
    def of(cls, message: messages.FieldAuthor) -> FieldAuthor:
        """Make it from the message."""
        assert message.timestamp is not None
        return cls(
            message.field, message.version, message.timestamp, message.client_id, message.subject
        )
