"""Single rules for one file: its size, its type.

Knows how to judge what is known of a file before it is uploaded. Must not know
forms or messages, nor any content: every rule is a pure function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from rhtmx.values.form_value import File

__all__ = ["FileCheck", "accept", "max_size"]

FileCheck: TypeAlias = Callable[[File], str | None]
"""One rule: returns what is wrong with the file, or `None`."""

_WORD = r"[a-z0-9!#$%&'*+.^_`|~-]+"  # RFC 9110, 5.6.2
_TYPE = re.compile(rf"(?!\*){_WORD}/{_WORD}")
_EXTENSION = re.compile(r"\.[^\s/]+")
_UNITS = ("kB", "MB", "GB", "TB")


def max_size(most: int) -> FileCheck:
    """Check for at most `most` bytes.

    Raises:
        ValueError: `most` is no whole number from 1 on.
    """
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise ValueError(f"max_size: a whole number of bytes from 1 on expected, got {most!r}")

    def check(file: File) -> str | None:
        if file.size <= most:
            return None
        return f"is too large: {_bytes(file.size, up=True)}, at most {_bytes(most)} allowed"

    return check


def _bytes(size: int, *, up: bool = False) -> str:
    """A size for people, in powers of 1000 as file managers and SI have them.

    What is too large is rounded up and what is allowed down: they never look the same.
    """
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    power = min((len(str(size)) - 1) // 3, len(_UNITS))
    tenths, rest = divmod(size * 10, 1000**power)
    if up and rest:
        tenths += 1
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth} {_UNITS[power - 1]}" if tenth else f"{whole} {_UNITS[power - 1]}"


def accept(kinds: str) -> FileCheck:
    """Check that the file is of one of some kinds.

    Args:
        kinds: as the attribute `accept` of the page's control has them (HTML,
            4.10.5.1.17): `image/*`, `application/pdf`, `.pdf`, several with commas.
            A kind with a dot is compared with the end of the name, others with the
            type, which is a guess of the browser's and may be empty: write both.

    Raises:
        ValueError: one is none of these.
    """
    if not isinstance(kinds, str):
        raise ValueError(f"accept: a text expected, as 'image/*,.pdf', got {kinds!r}")
    wanted = [kind.strip().lower() for kind in kinds.split(",")]
    for kind in wanted:
        if not _TYPE.fullmatch(kind) and not _EXTENSION.fullmatch(kind):
            raise ValueError(f"accept: 'image/*', 'image/png' or '.png' expected, got {kind!r}")
    extensions = tuple(kind for kind in wanted if kind.startswith("."))
    families = tuple(kind[:-1] for kind in wanted if kind.endswith("/*"))
    types = frozenset(wanted)
    error = f"is not of a kind that is taken here: {', '.join(wanted)}"

    def check(file: File) -> str | None:
        kind = file.type.partition(";")[0].strip().lower()
        # `startswith` of no families is false: `accept=".pdf"` asks for the name alone.
        fits = kind in types or kind.startswith(families)
        return None if fits or file.name.lower().endswith(extensions) else error

    return check
