"""What the servers of a cluster tell one another of rooms, as bytes.

Knows the format. Must not know the bus, nor what becomes of what is told.

One letter that no announcement of commits begins with, and an array in MessagePack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from rhtmx_server.rooms.presence import Sighting
from rhtmx_server.rooms.replicas import Report

__all__ = [
    "LETTER",
    "Beacon",
    "Dump",
    "DumpRequest",
    "MemberReport",
    "RoomTalk",
    "Telling",
    "in_pieces",
    "pack",
    "reports_of",
    "unpack",
]

LETTER: Final = b"r"
"""What each of them begins with: MessagePack makes a small number of it, and no array."""

_FRAME = 48
"""What a report weighs without its words; and a message without its reports."""

_ReportRow: TypeAlias = tuple[str, str, str, int, str, bytes | None, bool]


class MemberReport(msgspec.Struct, array_like=True, tag="report"):
    """A server says something of some of its members, under a number."""

    node: str
    number: int
    rows: list[_ReportRow]


class Beacon(msgspec.Struct, array_like=True, tag="beacon"):
    """A server is alive, and has said so much."""

    node: str
    newest: int


class DumpRequest(msgspec.Struct, array_like=True, tag="ask"):
    """A server asks another one for all of its members; nobody in particular: all others."""

    node: str
    of: str


class Dump(msgspec.Struct, array_like=True, tag="dump"):
    """All members of a server, in parts."""

    node: str
    number: int
    part: int
    parts: int
    rows: list[_ReportRow]


class Telling(msgspec.Struct, array_like=True, tag="tell"):
    """A message of a room."""

    node: str
    number: int
    entity: str
    entity_id: str
    member: str | None
    data: bytes | None


RoomTalk: TypeAlias = MemberReport | Beacon | DumpRequest | Dump | Telling

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RoomTalk).decode


def pack(talk: RoomTalk) -> bytes:
    """Write it down."""
    return LETTER + _encode(talk)


def unpack(message: bytes) -> RoomTalk | None:
    """Read what another server says; `None` if it is not to be understood."""
    try:
        return _decode(message[len(LETTER) :])
    except msgspec.DecodeError:
        return None


def reports_of(rows: Iterable[_ReportRow]) -> list[Report]:
    """What is said of members, as it was written down."""
    return [
        (((entity, entity_id), member), Sighting(at, subject, state) if here else None)
        for entity, entity_id, member, at, subject, state, here in rows
    ]


def in_pieces(reports: Iterable[Report], most_bytes: int) -> Iterator[list[_ReportRow]]:
    """Reports as they are written down, as many at a time as a message holds.

    A state that alone is larger than a message is left out: the member is shown without it.

    Args:
        reports: what is said.
        most_bytes: of a message.
    """
    rows: list[_ReportRow] = []
    size, room = 0, most_bytes - 2 * _FRAME - len(LETTER)
    for (key, member), sighting in reports:
        row = _row(*key, member, sighting)
        if _weight(row) > room:
            row = (*row[:5], None, row[6])
        if rows and size + _weight(row) > room:
            yield rows
            rows, size = [], 0
        rows.append(row)
        size += _weight(row)
    if rows:
        yield rows


def _row(entity: str, entity_id: str, member: str, sighting: Sighting | None) -> _ReportRow:
    if sighting is None:
        return entity, entity_id, member, 0, "", None, False
    return entity, entity_id, member, sighting.at, sighting.subject, sighting.state, True


def _weight(row: Sequence[object]) -> int:
    words = sum(len(each.encode()) for each in row if isinstance(each, str))
    return _FRAME + words + sum(len(each) for each in row if isinstance(each, bytes))
