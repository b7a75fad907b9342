"""Keys of rows as texts, which are the ids of their records.

Pure. Knows integers, texts and UUIDs. Must not know tables.
"""

from __future__ import annotations

import uuid

__all__ = ["parse_key"]

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
