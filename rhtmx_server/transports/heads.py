"""The head of a request: where it ends, and what it says, read at one go. Pure.

Knows what the lines of a head may look like (RFC 9112). Must not know what a request is for, nor
what is said of one that is not as it should be: the `websockets` library reads that again, line
by line, and has the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

__all__ = ["HeaderValues", "RequestHead", "end_of_head", "read_head"]

# What the library takes for a name and for a value (17.4), in all lines at once. No two sets that
# follow one another have anything in common: it never goes back.
_FIELDS = re.compile(rb"(?:[-!#$%&'*+.^_`|~0-9a-zA-Z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n")
_METHOD_AND_TARGET = re.compile(rb"[\x00-\x09\x0b-\x1f\x21-\x7f]* [\x00-\x09\x0b-\x1f\x21-\x7f]*")
_PROTOCOLS = (b"HTTP/1.1", b"HTTP/1.0")


class HeaderValues(Protocol):
    """The headers of a request, by their names in any case."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is a header of this name."""

    def get_all(self, key: str, /) -> list[str]:
        """Return the values of the headers of this name, in their order."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request says before its body.

    Args:
        method: as `GET`.
        path: that is asked for, with the query.
        protocol: `HTTP/1.1` or `HTTP/1.0`.
        fields: the values of its headers, by their names in lower case.
    """

    method: str
    path: str
    protocol: str
    fields: Mapping[str, list[str]]

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and name.lower() in self.fields

    def get_all(self, key: str, /) -> list[str]:
        """Return the values of the headers of this name, in their order."""
        return self.fields.get(key.lower(), [])

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Each header by its name in lower case; those of one name one after the other."""
        return [(name, value) for name, values in self.fields.items() for value in values]


def end_of_head(said: bytes, known: int = 0) -> int:
    r"""Return where a head ends, with its empty line; 0 if there is none yet.

    The library turns those away that do not end lines with CR LF; so they must get there.

    Args:
        said: what has come.
        known: so much of it had no end.

    Example:
        >>> end_of_head(b"GET / HTTP/1.1\r\n\r\nmore")
        18
    """
    start = max(0, known - 2)
    found = said.find(b"\n\r\n", start)
    if found >= 0:
        return found + 3
    found = said.find(b"\n\n", start)
    if found >= 0:
        return found + 2
    return 2 if said.startswith(b"\r\n") else 1 if said.startswith(b"\n") else 0


def read_head(head: bytes) -> RequestHead | None:
    r"""Read the head of a request without a body.

    Args:
        head: all of it, with the empty line at its end.

    Returns:
        What the library reads there, too; `None` where that has something against it, and of a
        head so long that a line of it may be too long: then the library has to look.

    Example:
        >>> head = read_head(b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\n\r\n")
        >>> head.path, head.fields
        ('/api/ws', {'host': ['localhost']})
        >>> read_head(b"GET /api/ws\r\n\r\n") is None
        True
    """
    first, _, rest = head.partition(b"\r\n")
    wanted, _, protocol = first.rpartition(b" ")
    if (
        len(head) > MAX_LINE_LENGTH
        or protocol not in _PROTOCOLS
        or _METHOD_AND_TARGET.fullmatch(wanted) is None
        or _FIELDS.fullmatch(rest) is None
    ):
        return None
    lines = rest[:-4].decode("iso-8859-1").split("\r\n") if len(rest) > 2 else []
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    if len(lines) > MAX_NUM_HEADERS or "transfer-encoding" in fields:
        return None
    if not set(fields.get("content-length", ())) <= {"0"}:
        return None
    method, _, path = wanted.decode().partition(" ")
    return RequestHead(method, path, protocol.decode(), fields)
