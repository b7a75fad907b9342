"""What a subscription yields, as plain frozen values.

Knows the messages that they are made from. Must not know sessions, sockets or
the loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal

from rhtmx.messages import ChangeLog, FieldChangeLog
from rhtmx.messages.tables import CHANGE_ACTION_SPELLINGS, FIELD_ACTION_SPELLINGS
from rhtmx.values.json_value import Data, Json, from_json

__all__ = ["Change", "FieldChange"]


@dataclass(frozen=True, slots=True)
class Change(Generic[Data]):
    """A record changed.

    Attributes:
        entity: the collection.
        entity_id: the record.
        action: what happened.
        data: the whole record after it; `None` after a delete.
        version: place in the entity's log.
        client_id: who wrote it, if known.
        created_at: when it was committed, by the server's clock.
        left: it is still there for others, and is no longer in what this client reads;
            `action` is `delete` then.
    """

    entity: str
    entity_id: str
    action: Literal["create", "update", "delete"]
    data: Data
    version: int
    client_id: str | None
    created_at: datetime
    left: bool = False

    @classmethod
    def of(cls, log: ChangeLog) -> Change[Data]:
        """Make it from the message."""
        assert log.created_at is not None
        action: Any = CHANGE_ACTION_SPELLINGS[log.action]
        return cls(
            log.entity,
            log.entity_id,
            action,
            from_json(log.data),
            log.version,
            log.client_id,
            log.created_at,
            bool(log.left),
        )


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a record changed.

    Attributes:
        entity: the collection.
        entity_id: the record.
        field: the top-level key.
        action: what happened.
        value: its value after it; `None` after a delete.
        version: place in the entity's log.
        client_id: who wrote it, if known.
        timestamp: when it was written, as merged.
        more: more follows before everything up to this version is here.
        left: the record is still there for others, and is no longer in what this client
            reads; `action` is `delete` and `field` is empty then.
    """

    entity: str
    entity_id: str
    field: str
    action: Literal["update", "delete"]
    value: Json
    version: int
    client_id: str | None
    timestamp: datetime
    more: bool
    left: bool = False

    @classmethod
    def of(cls, log: FieldChangeLog) -> FieldChange:
        """Make it from the message."""
        assert log.timestamp is not None
        action: Any = FIELD_ACTION_SPELLINGS[log.action]
        return cls(
            log.entity,
            log.entity_id,
            log.field,
            action,
            from_json(log.value),
            log.version,
            log.client_id,
            log.timestamp,
            bool(log.more),
            bool(log.left),
        )
