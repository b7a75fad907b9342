"""Names that are nearly right.

Knows how alike two names are. Must not know what is called so.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest", "suggestion"]

_LOOKED_AT = 64  # characters: comparing takes time that grows with the square


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the name that is most like this one; `None` if none is.

    Args:
        name: what somebody wrote.
        known: what there is.
        alike: how much a name has to be like it, from 0 to 1 (`difflib`'s ratio).

    Example:
        >>> nearest("emial", ["age", "email"])
        'email'
    """
    near = get_close_matches(name[:_LOOKED_AT], known, n=1, cutoff=alike)
    return near[0] if near else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error message about a name that there is not; empty if none is like it.

    Example:
        >>> "there is no 'emial'" + suggestion("emial", ["age", "email"])
        "there is no 'emial': did you mean 'email'?"
    """
    near = nearest(name, known)
    return "" if near is None else f": did you mean {near!r}?"
