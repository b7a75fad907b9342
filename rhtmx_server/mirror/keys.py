"""Keys of rows as texts, which are the ids of their records.

Pure. Knows integers, texts and UUIDs. Must not know tables.
"""

from __future__ import annotations

import uuid

__all__ = ["parse_key", "spelt"]

_MOST = 2**63


def parse_key(kind: type, key: str) -> int | str | uuid.UUID | None:
    """The key that a text stands for.

    Args:
        kind: of the keys: `int`, `str` or `uuid.UUID`.
        key: its text.

    Returns:
        The key; `None` if no row can have it.

    Example:
        >>> parse_key(int, "7"), parse_key(int, "tea")
        (7, None)
    """
    try:
        if kind is int:
            number = int(key)
            return number if -_MOST <= number < _MOST else None
        return uuid.UUID(key) if kind is uuid.UUID else key
    except ValueError:
        return None


def spelt(kind: type, key: str) -> str:
    """A key as the id of a record spells it, of which a database may have its own spelling.

    Example:
        >>> spelt(uuid.UUID, "0b0a8c844a5f4a8e9d0c000000000001")  # as SQLite keeps it
        '0b0a8c84-4a5f-4a8e-9d0c-000000000001'
    """
    found = parse_key(kind, key)
    return key if found is None else str(found)
