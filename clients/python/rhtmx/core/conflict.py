"""Two writes stood against each other: what was decided, and how to decide otherwise. Pure.

Knows what an answer writes. Must not know how it gets to the server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rhtmx.core.conflict_log import removal
from rhtmx.core.storage_ops import Mutation, StoredRejection, Write
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    FieldUpdate,
    Push,
    PushFields,
)
from rhtmx.messages.tables import (
    FIELD_ACTION_VALUES,
    MERGE_STRATEGY_SPELLINGS,
    WINNER_SPELLINGS,
)
from rhtmx.unknown_enum_values import is_known, spelled, unknown
from rhtmx.values.conflict_side import DELETED, ConflictSide
from rhtmx.values.json_value import Json, from_json
from rhtmx.values.operations import OPERATIONS
from rhtmx.values.transaction_writes import transaction_of
from rhtmx.wire.times import from_text

__all__ = ["ConflictSides", "answer", "of_field", "of_log", "of_record", "standing_text"]

_NUMBERED = re.compile(r"\$(0|[1-9][0-9]{0,15})", re.ASCII)

_OF_KEY = {
    FieldAction.SET_KEY: FieldAction.UPDATE,
    FieldAction.DELETE_KEY: FieldAction.DELETE,
}
"""What is done to a key, as it is said of a field."""


@dataclass(frozen=True, slots=True)
class ConflictSides:
    """One conflict.

    Attributes:
        entity: the collection.
        entity_id: the record.
        field: the top-level key; `None`: it is about the whole record.
        stored: what was there.
        pushed: what arrived.
        winner: whose value it had after it, `server` or `client`; another word of a newer
            server: neither's, perhaps.
        version: that of the record after it.
        strategy: the rule that decided; `None` for a whole record.
        rejected: the write that was rejected for it, if that is kept.
        epoch: that of the versions.
        key: the key in the field, if it is about one: both wrote that key.
        number: the one under which it is open until somebody answers it, if it is.
        base_version: the version that the one who pushed had seen, if it said one.
        pushed_here: what was pushed is this client's. Where that is not one of both, what
            lost counts as its own.
    """

    entity: str
    entity_id: str
    field: str | None
    stored: ConflictSide
    pushed: ConflictSide
    winner: str
    version: int | None
    strategy: str | None = None
    rejected: str | None = None
    epoch: str | None = None
    key: str | None = None
    number: int | None = None
    base_version: int | None = None
    pushed_here: bool = True

    @property
    def standing(self) -> ConflictSide:
        """What the record had after it."""
        return self.pushed if self.winner == "client" else self.stored

    @property
    def lost(self) -> ConflictSide:
        """The other one."""
        return self.stored if self.winner == "client" else self.pushed

    @property
    def mine(self) -> ConflictSide:
        """What this client wrote."""
        return self.pushed if self.pushed_here else self.stored

    @property
    def theirs(self) -> ConflictSide:
        """What stood against it."""
        return self.stored if self.pushed_here else self.pushed

    def is_same(self, other: ConflictSides) -> bool:
        """Whether both are about the one conflict, wherever each was heard of."""
        if self is other:
            return True
        places = [(each.entity, each.number, each.epoch) for each in (self, other)]
        return self.number is not None and places[0] == places[1]


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
    return ConflictSides(
        message.entity,
        message.entity_id,
        message.field,
        ConflictSide(
            message.server_value,
            FieldAction.DELETE if _is_deleted(message) else FieldAction.UPDATE,
            message.server_client_id,
            at=message.server_timestamp,
        ),
        _pushed(message, mine),
        "server" if winner is None else spelled(WINNER_SPELLINGS, winner),
        message.version if message.version is not None else version,
        None if strategy is None else spelled(MERGE_STRATEGY_SPELLINGS, strategy),
        epoch=epoch,
        key=message.key,
        number=message.conflict,
        base_version=mine.base_version,
    )


def standing_text(message: FieldConflict) -> bytes | None:
    """The value that has won, where that was the stored one; `None`: it is a deletion."""
    return None if _is_deleted(message) else message.server_value or b"null"


def _is_deleted(message: FieldConflict) -> bool:
    """Whether what was stored is a deletion. To a server that cannot tell, null looks like one."""
    if message.server_deleted is not None:
        return message.server_deleted
    return message.conflict is None and message.server_value is None


def _pushed(message: FieldConflict, push: PushFields) -> ConflictSide:
    """What this client wrote of the field, or of the key, that a conflict is about."""
    update = next((each for each in push.fields if each.field == message.field), None)
    text, action = message.client_value, FieldAction.UPDATE
    if message.client_deleted:
        action = FieldAction.DELETE
    elif update is not None and message.key is None:
        action = update.action
        text = update.value if action in OPERATIONS else text
    return ConflictSide(text, action, at=message.client_timestamp)


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
        DELETED if gone else ConflictSide(data),
        DELETED if push.action is ChangeAction.DELETE else ConflictSide(push.data),
        "server",
        version if isinstance(version, int) else None,
        rejected=rejected.id,
        epoch=rejected.epoch,
        base_version=push.base_version,
    )


def of_log(
    entity: str, entity_id: str, record: Json, client_id: str, epoch: str | None = None
) -> list[ConflictSides]:
    """The open conflicts of a record, the oldest first, as the conflict log has them.

    Args:
        entity: the collection that they are about.
        entity_id: the record.
        record: what the log has of it.
        client_id: that of this client.
        epoch: that of the log.
    """
    fields = record if isinstance(record, dict) else {}
    numbers = sorted(int(name[1:]) for name in fields if _NUMBERED.fullmatch(name))
    opened = ((number, fields[f"${number}"]) for number in numbers)
    return [
        _opened(said, entity, entity_id, number, client_id, epoch)
        for number, said in opened
        if isinstance(said, dict) and "field" in said
    ]


def _opened(
    said: Mapping[str, Any],
    entity: str,
    entity_id: str,
    number: int,
    client_id: str,
    epoch: str | None,
) -> ConflictSides:
    key, winner = said.get("key"), said.get("winner", "server")
    stored, pushed = (_side(said.get(name), key) for name in ("stored", "pushed"))
    here = [side.client_id == client_id for side in (stored, pushed)]
    return ConflictSides(
        entity,
        entity_id,
        said["field"],
        stored,
        pushed,
        winner,
        said.get("version"),
        said.get("strategy"),
        epoch=epoch,
        key=key,
        number=number,
        base_version=said.get("base_version"),
        pushed_here=here[1] if here[0] != here[1] else winner != "client",
    )


def _side(told: Json, key: str | None) -> ConflictSide:
    """One side; a word that this client does not know stays what it is."""
    said: Mapping[str, Any] = told if isinstance(told, dict) else {}
    word = str(said.get("action", "update"))
    action = FIELD_ACTION_VALUES.get(word) or unknown(FieldAction, word)
    return ConflictSide(
        json.dumps(said.get("value"), ensure_ascii=False).encode(),
        _OF_KEY.get(action, action) if key is not None else action,
        said.get("client_id"),
        said.get("subject"),
        _time(said.get("timestamp")),
    )


def _time(told: Json) -> datetime | None:
    try:
        return from_text(told) if isinstance(told, str) else None
    except ValueError:
        return None


def answer(conflict: ConflictSides, side: ConflictSide, at: datetime) -> Mutation | None:
    """The write that makes it so, and with it the conflict answered; `None` if it is so already.

    Args:
        conflict: the conflict.
        side: what is to stand.
        at: now.

    Raises:
        RhtmxError: `NOT_SUPPORTED`, that is an operation which only a newer client knows.
    """
    writes = [] if _stands(conflict, side) else [_write(conflict, side, at)]
    if conflict.number is not None:
        writes.append(removal(conflict.entity, conflict.entity_id, conflict.number, at))
    if not writes:
        return None
    return writes[0] if len(writes) == 1 else transaction_of(writes)


def _stands(conflict: ConflictSides, side: ConflictSide) -> bool:
    """Whether a side stands already: then it is not written.

    An open conflict may be old: of what stood then only the side itself means what stands now.
    """
    if conflict.winner not in WINNER_SPELLINGS.values():
        return False
    standing = conflict.standing
    return side is standing or (conflict.number is None and _same(side, standing))


def _write(conflict: ConflictSides, side: ConflictSide, at: datetime) -> Write:
    """What makes it so."""
    if conflict.field is None:
        return Push(
            entity=conflict.entity,
            entity_id=conflict.entity_id,
            action=ChangeAction.DELETE if side.deleted else ChangeAction.UPDATE,
            data=side.text,
            base_version=conflict.version,
        )
    action, text = _said(side, conflict.key)
    update = FieldUpdate(field=conflict.field, value=text, action=action, timestamp=at)
    return PushFields(
        entity=conflict.entity,
        entity_id=conflict.entity_id,
        fields=[update],
        base_version=conflict.version,
    )


def _said(side: ConflictSide, key: str | None) -> tuple[FieldAction, bytes | None]:
    """What makes a field, or one key of it, what a side says."""
    if not is_known(side.action):
        words = f"this client is too old to write '{side.operation}': give a value instead"
        raise RhtmxError(ErrorCode.NOT_SUPPORTED, words)
    if key is None or side.operation is not None:
        return side.action, side.text
    name = json.dumps(key, ensure_ascii=False).encode()
    if side.deleted:
        return FieldAction.DELETE_KEY, b"[" + name + b"]"
    return FieldAction.SET_KEY, b"{" + name + b":" + (side.text or b"null") + b"}"


def _same(one: ConflictSide, other: ConflictSide) -> bool:
    """Whether two say the same, however it is spelled; to `==`, 1 and True are equal."""
    texts = [json.dumps(from_json(each.text), sort_keys=True) for each in (one, other)]
    return one.action is other.action and texts[0] == texts[1]
