"""Tells whether rules allow less than they did.

Knows which rules have an order. Must not know what is done about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["tighter"]

_LEAST = ("min_len", "min_bytes", "min_items", "min_pairs", "gt", "gte")
"""Rules of which a greater one allows less."""

_MOST = ("max_len", "max_bytes", "max_items", "max_pairs", "lt", "lte")
"""Rules of which a smaller one allows less."""

_MESSAGES = ("message",)
"""Parts of a rule that are for people."""


def tighter(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Find the rules that were there before and may allow less now.

    A rule that is new is not among them: what it refuses is told to whoever writes it.

    Args:
        before: rules by name, as `snapshot.flat_rules` gives them.
        after: those of now.

    Yields:
        What each is, and was.

    Example:
        >>> list(tighter({"string.max_len": 80}, {"string.max_len": 40, "string.min_len": 1}))
        ['rule string.max_len is 40, and was 80, which allows less']
    """
    for name, old in before.items():
        new = after.get(name)
        if new is None or new == old or name.rpartition(".")[2] in _MESSAGES:
            continue
        if not _allows_more(name.rpartition(".")[2], old, new):
            yield f"rule {name} is {new}, and was {old}, which allows less"


def _allows_more(rule: str, old: Any, new: Any) -> bool:
    """Whether all that was allowed is so still; where that cannot be told, it is not."""
    try:
        if rule in _LEAST:
            return float(new) <= float(old)
        if rule in _MOST:
            return float(new) >= float(old)
        if rule == "in":
            return set(old) <= set(new)
        if rule == "not_in":
            return set(new) <= set(old)
    except (TypeError, ValueError):
        return False
    return old is True and new is False
