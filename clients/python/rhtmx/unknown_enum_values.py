"""Enum words that this client does not know: what stands for them.

Knows how a value of an enum is made that is none of its members. Must not know
where words come from, nor what becomes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from betterproto2 import Enum

__all__ = ["is_known", "spelled", "unknown"]

E = TypeVar("E", bound=Enum)


def unknown(kind: type[E], word: str) -> E:
    """A value that stands for a word of a newer peer.

    It is equal to `UNSPECIFIED`, so that who looks at all members has looked at
    it, too; and its `name` is the word.

    Args:
        kind: the enum.
        word: as the peer spells it; the digits of its number, where that is all it says.

    Example:
        >>> from rhtmx.messages import ErrorCode
        >>> code = unknown(ErrorCode, "quota_exceeded")
        >>> code.name, code == ErrorCode.UNSPECIFIED, code == ErrorCode.CONFLICT
        ('quota_exceeded', True, False)
    """
    value: Any = int.__new__(kind, 0)
    # As `_missing_` of betterproto2 0.10 does it for a number, with names of its own.
    vars(value).update(_value_=0, _name_=word, _proto_name=None)
    made: E = value
    return made


def is_known(value: Enum) -> bool:
    """Whether it is a member of its enum."""
    return value.name in type(value).__members__


def spelled(spellings: Mapping[E, str], value: E) -> str:
    """The word for a value: of one that is not known, as the peer spelled it."""
    return spellings.get(value) or value.name
