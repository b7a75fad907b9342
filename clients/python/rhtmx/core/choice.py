"""One of a few words that a caller may give. Knows nothing else."""

from __future__ import annotations

import enum
from typing import TypeVar

from rhtmx.wire.refusal import expected

__all__ = ["choice"]

E = TypeVar("E", bound=enum.Enum)


def choice(kind: type[E], word: object, where: str) -> E:
    """What a word stands for.

    Args:
        kind: what there is, by its words.
        word: what the caller gave.
        where: the argument's name, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is none of them.

    Example:
        >>> from rhtmx.core.granularity import Granularity
        >>> choice(Granularity, "fields", "granularity")
        <Granularity.FIELDS: 'fields'>
    """
    try:
        return kind(word)
    except ValueError:
        words = " or ".join(repr(each.value) for each in kind)
        raise expected(where, words, word) from None
