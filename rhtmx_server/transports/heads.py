"""The head of a request, read at one go. Pure.

Knows what a line of HTTP may look like (RFC 9112). Must not know what a request is for, nor
what is said of one that is not as it should be: the `websockets` library reads that again, line
by line, and has the words.
"""

from __future__ import annotations

import re

from websockets.datastructures import Headers
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS, Request

__all__ = ["read_head"]

# What the library takes for a name and for a value (17.4), all lines at once. The sets that follow
# one another have nothing in common, so that it never goes back.
_FIELDS = re.compile(
    rb"(?:[-!#$%&'*+.^_`|~0-9a-zA-Z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n",
)
_METHOD_AND_TARGET = re.compile(rb"[\x00-\x09\x0b-\x1f\x21-\x7f]* [\x00-\x09\x0b-\x1f\x21-\x7f]*")
_PROTOCOLS = (b"HTTP/1.1", b"HTTP/1.0")


def read_head(head: bytes) -> Request | None:
    r"""Read the head of a request without a body.

    Args:
        head: all of it, with the empty line at its end.

    Returns:
        What the library makes of it; `None` where that has something against it, and of a head
        so long that a line of it may be too long: then the library has to look.

    Example:
        >>> request = read_head(b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\n\r\n")
        >>> request.path, request.headers["host"]
        ('/api/ws', 'localhost')
        >>> read_head(b"GET /api/ws\r\n\r\n") is None
        True
    """
    first, _, fields = head.partition(b"\r\n")
    wanted, _, protocol = first.rpartition(b" ")
    if (
        len(head) > MAX_LINE_LENGTH
        or protocol not in _PROTOCOLS
        or _METHOD_AND_TARGET.fullmatch(wanted) is None
        or _FIELDS.fullmatch(fields) is None
    ):
        return None
    method, _, path = wanted.decode("ascii").partition(" ")
    lines = fields[:-4].decode("iso-8859-1").split("\r\n") if len(fields) > 2 else []
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(":")
        headers.set_insecure(name, value.strip(" \t"))
    if len(lines) > MAX_NUM_HEADERS or "Transfer-Encoding" in headers:
        return None
    if not set(headers.get_all("Content-Length")) <= {"0"}:
        return None
    return Request(path, headers, method, protocol.decode("ascii"))
