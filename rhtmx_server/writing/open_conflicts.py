"""Open conflicts as they are kept: the fields of one record of a conflict log. Pure.

Knows how a conflict is written down, and for how many there is room. Must not know who
may read it, nor how it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from rhtmx.messages import FieldAction, FieldConflict, PushFields, Winner
from rhtmx.messages.tables import (
    FIELD_ACTION_SPELLINGS,
    MERGE_STRATEGY_SPELLINGS,
    WINNER_SPELLINGS,
)
from rhtmx_server.conflict_log import is_conflict, number_of
from rhtmx_server.model import ClientRow, Mutation
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.fields import MAX_DEPTH
from rhtmx_server.trackers.json_text import Fields

__all__ = ["MOST_OPEN", "concerns", "conflict_json", "crowded_out", "outgrown"]

MOST_OPEN = 64
"""Open conflicts of one record, at most."""

_LEVELS = MAX_DEPTH - 3
"""Levels of a value that is in a conflict: around it are the record, the conflict and its side."""

_BESIDE = 4
"""Bytes of a field besides its name and value: two quotes, a colon and a comma."""

_encode = msgspec.json.Encoder().encode


class _Side(msgspec.Struct):
    client_id: str | None = None


class _Kept(msgspec.Struct):
    """What has to be known of a conflict that is open."""

    field: str
    stored: _Side
    pushed: _Side
    winner: str
    key: str | None = None

    @property
    def loser(self) -> _Side:
        """Whose write lost."""
        won = self.winner == WINNER_SPELLINGS[Winner.CLIENT]
        return self.stored if won else self.pushed

    def replaces(self, other: _Kept | None) -> bool:
        """Whether nobody has to be asked about another one any more."""
        if other is None:
            return False
        loser = self.loser.client_id
        mine = (loser, self.field, self.key)
        return loser is not None and mine == (other.loser.client_id, other.field, other.key)


_decode = msgspec.json.Decoder(_Kept).decode


def _kept(text: bytes | msgspec.Raw) -> _Kept | None:
    """What is known of an open conflict; `None` for what the program has put there itself."""
    try:
        return _decode(text)
    except msgspec.ValidationError:
        return None  # it has its place like others; no write of anybody fails for it


def concerns(text: bytes | msgspec.Raw) -> str:
    """The field that an open conflict is about."""
    kept = _kept(text)
    return "" if kept is None else kept.field


def conflict_json(
    author: Mutation, conflict: FieldConflict, clients: Mapping[str, ClientRow]
) -> bytes | None:
    """A conflict as it is kept: the JSON form of a `Conflict`.

    Args:
        author: the field push that was in conflict.
        conflict: as its author is told.
        clients: what is known of clients.

    Returns:
        `None` if one of its values is too deep to be in a record of a log.
    """
    values = conflict.server_value, conflict.client_value
    if any(jsontext.deeper_than(each, _LEVELS) for each in values):
        return None

    def side(
        value: bytes | None, action: FieldAction, at: datetime | None, client_id: str | None
    ) -> dict[str, object]:
        row = None if client_id is None else clients.get(client_id)
        told = {"value": jsontext.raw(value), "action": FIELD_ACTION_SPELLINGS[action]}
        return told | _present(
            timestamp=at, client_id=client_id, subject=(row and row.subject) or None
        )

    push = author.write
    assert isinstance(push, PushFields)
    action = next(each.action for each in push.fields if each.field == conflict.field)
    former = FieldAction.DELETE if conflict.server_deleted else FieldAction.UPDATE
    stored = side(values[0], former, conflict.server_timestamp, conflict.server_client_id)
    pushed = side(values[1], action, conflict.client_timestamp, author.client_id)
    if author.subject:  # its client may be new
        pushed["subject"] = author.subject
    assert conflict.winner is not None
    assert conflict.strategy is not None
    told = _present(
        field=conflict.field,
        key=conflict.key,
        winner=WINNER_SPELLINGS[conflict.winner],
        stored=stored,
        pushed=pushed,
        base_version=push.base_version,
        version=conflict.version,
        strategy=MERGE_STRATEGY_SPELLINGS[conflict.strategy],
    )
    return _encode(told)


def _present(**told: object) -> dict[str, object]:
    return {name: each for name, each in told.items() if each is not None}


def crowded_out(fields: Fields, name: str, text: bytes, most_bytes: int) -> list[str] | None:
    """The open conflicts that have to go for another one.

    Args:
        fields: of the record of a log as it is.
        name: the field of the new one.
        text: the new one.
        most_bytes: that the record may have with it.

    Returns:
        Their fields; `None`: there is no room for it, whatever goes.
    """
    new = _decode(text)
    opened = _oldest_first(fields)
    gone = {each for each in opened if new.replaces(_kept(fields[each]))}
    size = _size(fields) + len(name) + len(text) + _BESIDE
    size -= sum(_weight(fields, each) for each in gone)
    for each in opened:
        if len(opened) - len(gone) < MOST_OPEN and size <= most_bytes:
            break
        if each not in gone:
            gone.add(each)
            size -= _weight(fields, each)
    return sorted(gone, key=number_of) if size <= most_bytes else None


def outgrown(fields: Fields, most_bytes: int) -> list[str]:
    """The open conflicts that have to go because the record of their log has moved.

    Args:
        fields: of that record as it would be, with the values that place it now.
        most_bytes: that it may have.
    """
    size, gone = _size(fields), list[str]()
    for each in _oldest_first(fields):
        if size <= most_bytes:
            break
        gone.append(each)
        size -= _weight(fields, each)
    return gone


def _oldest_first(fields: Fields) -> list[str]:
    return sorted((each for each in fields if is_conflict(each)), key=number_of)


def _size(fields: Fields) -> int:
    return 2 + sum(len(_encode(each)) + len(bytes(fields[each])) + 2 for each in fields)


def _weight(fields: Fields, name: str) -> int:
    return len(name) + len(bytes(fields[name])) + _BESIDE
