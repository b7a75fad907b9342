"""Keys of rows as texts, which are the ids of their records.

Pure. Knows integers, texts and UUIDs. Must not know tables.

The text of a key of one column is that column's. Of a key of several it is their texts, joined by
commas; in each of them `%` is written `%25`, and a comma `%2C`. So two keys never have one text.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import TypeAlias

__all__ = ["COMMA", "ESCAPES", "KeyKinds", "KeyPart", "key_text", "parse_key", "spellings", "spelt"]

KeyPart: TypeAlias = int | str | uuid.UUID
"""The value of one column of a key."""

KeyKinds: TypeAlias = Sequence[type]
"""What the columns of a key are: each `int`, `str` or `uuid.UUID`."""

COMMA = ","
"""Stands between the columns of a key."""

ESCAPES = (("%", "%25"), (COMMA, "%2C"))
"""What stands for what in the columns of a key of several, in this order."""

_MOST = 2**63


def key_text(parts: Sequence[object]) -> str:
    """The text of a key.

    Args:
        parts: the values of its columns.

    Example:
        >>> key_text([7]), key_text(["a,b", 7])
        ('7', 'a%2Cb,7')
    """
    if len(parts) == 1:
        return str(parts[0])
    return COMMA.join(_escaped(str(each)) for each in parts)


def parse_key(kinds: KeyKinds, key: str) -> tuple[KeyPart, ...] | None:
    """The key that a text stands for.

    Args:
        kinds: of its columns.
        key: its text.

    Returns:
        The values of its columns; `None` if no row can have it.

    Example:
        >>> parse_key([int], "7"), parse_key([int], "tea"), parse_key([str, int], "a%2Cb,7")
        ((7,), None, ('a,b', 7))
    """
    texts = [key] if len(kinds) == 1 else [_plain(each) for each in key.split(COMMA)]
    if len(texts) != len(kinds):
        return None
    parts: list[KeyPart] = []
    for kind, text in zip(kinds, texts, strict=True):
        part = _part(kind, text)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


def spelt(kinds: KeyKinds, key: str) -> str:
    """A key as the id of a record spells it, of which a database may have its own spelling.

    Example:
        >>> spelt([uuid.UUID], "0b0a8c844a5f4a8e9d0c000000000001")  # as SQLite keeps it
        '0b0a8c84-4a5f-4a8e-9d0c-000000000001'
    """
    found = parse_key(kinds, key)
    return key if found is None else key_text(found)


def spellings(kinds: KeyKinds, key: str) -> Collection[str]:
    """How a database may spell the key of a record.

    Example:
        >>> sorted(spellings([int, uuid.UUID], "7,0b0a8c84-4a5f-4a8e-9d0c-000000000001"))[1]
        '7,0b0a8c844a5f4a8e9d0c000000000001'
    """
    found = parse_key(kinds, key) or (key,)
    return {key, key_text([each.hex if isinstance(each, uuid.UUID) else each for each in found])}


def _part(kind: type, text: str) -> KeyPart | None:
    try:
        if kind is int:
            number = int(text)
            return number if -_MOST <= number < _MOST else None
        return uuid.UUID(text) if kind is uuid.UUID else text
    except ValueError:
        return None


def _escaped(text: str) -> str:
    for plain, written in ESCAPES:
        text = text.replace(plain, written)
    return text


def _plain(text: str) -> str:
    for plain, written in reversed(ESCAPES):
        text = text.replace(written, plain)
    return text
