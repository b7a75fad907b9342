"""Two writes stood against each other: what was decided, and how to decide otherwise. Pure.

Knows what an answer writes. Must not know how it gets to the server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from rhtmx.core.storage_ops import Mutation, StoredRejection
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    FieldUpdate,
    Push,
    PushFields,
)
from rhtmx.messages.tables import MERGE_STRATEGY_SPELLINGS, WINNER_SPELLINGS
from rhtmx.unknown_enum_values import spelled
from rhtmx.values.json_value import Json, from_json, to_json

__all__ = ["DELETED", "ConflictSides", "Side", "answer", "merged", "of_field", "of_record"]


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two wrote: a value, as JSON text, or a deletion."""

    text: bytes | None
    deleted: bool = False

    @property
    def value(self) -> Json:
        """The value; `None` for a deletion."""
        return None if self.deleted else from_json(self.text)


DELETED = Side(None, deleted=True)


@dataclass(frozen=True, slots=True, eq=False)
class ConflictSides:
    """One conflict.

    Attributes:
        entity: the collection.
        entity_id: the record.
        field: the top-level key; `None`: it is about the whole record.
        mine: what this client wrote.
        theirs: what stood against it.
        winner: whose value it has now, `server` or `client`; another word of a newer
            server: neither's, perhaps.
        version: that of the record now.
        strategy: the rule that decided; `None` for a whole record.
        rejected: the write that was rejected for it, if that is kept.
        epoch: that of the version.
    """

    entity: str
    entity_id: str
    field: str | None
    mine: Side
    theirs: Side
    winner: str
    version: int | None
    strategy: str | None = None
    rejected: str | None = None
    epoch: str | None = None


def of_field(
    message: FieldConflict, mine: PushFields, version: int | None, epoch: str | None = None
) -> ConflictSides:
    """The conflict of a field.

    Args:
        message: what the server says of it.
        mine: the write that it is about.
        version: that of the acknowledgement.
        epoch: of that version.
    """
    winner, strategy = message.winner, message.strategy
    deletes = {each.field for each in mine.fields if each.action is FieldAction.DELETE}
    return ConflictSides(
        message.entity,
        message.entity_id,
        message.field,
        DELETED if message.field in deletes else Side(message.client_value),
        # The message has no word for it: a stored null looks like a deletion.
        Side(message.server_value, deleted=message.server_value is None),
        "server" if winner is None else spelled(WINNER_SPELLINGS, winner),
        message.version if message.version is not None else version,
        None if strategy is None else spelled(MERGE_STRATEGY_SPELLINGS, strategy),
        epoch=epoch,
    )


def of_record(rejected: StoredRejection) -> ConflictSides:
    """The conflict of a record that had moved on; the error's details hold it as it is now."""
    details = from_json(rejected.details)
    current = details if isinstance(details, dict) else {}
    gone = "data" not in current or current.get("action") == "delete"
    data = None if gone else json.dumps(current["data"], ensure_ascii=False).encode()
    version = current.get("version")
    push = rejected.message
    assert isinstance(push, Push)
    return ConflictSides(
        push.entity,
        push.entity_id,
        None,
        DELETED if push.action is ChangeAction.DELETE else Side(push.data),
        Side(data, deleted=gone),
        "server",
        version if isinstance(version, int) else None,
        rejected=rejected.id,
        epoch=rejected.epoch,
    )


def merged(value: Json) -> Side:
    """A value that is neither of the two.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be JSON.
    """
    return Side(to_json(value, "merge.value"))


def answer(conflict: ConflictSides, side: Side, at: datetime) -> Mutation | None:
    """The write that makes it so; `None` if it is so already.

    Args:
        conflict: the conflict.
        side: what is to stand.
        at: now.
    """
    standing = {"client": conflict.mine, "server": conflict.theirs}.get(conflict.winner)
    if standing is not None and _same(side, standing):
        return None
    if conflict.field is None:
        return Push(
            entity=conflict.entity,
            entity_id=conflict.entity_id,
            action=ChangeAction.DELETE if side.deleted else ChangeAction.UPDATE,
            data=side.text,
            base_version=conflict.version,
        )
    action = FieldAction.DELETE if side.deleted else FieldAction.UPDATE
    update = FieldUpdate(field=conflict.field, value=side.text, action=action, timestamp=at)
    return PushFields(
        entity=conflict.entity,
        entity_id=conflict.entity_id,
        fields=[update],
        base_version=conflict.version,
    )


def _same(one: Side, other: Side) -> bool:
    """Whether two say the same, however it is spelled; to `==`, 1 and True are equal."""
    texts = [json.dumps(each.value, sort_keys=True) for each in (one, other)]
    return one.deleted == other.deleted and texts[0] == texts[1]
