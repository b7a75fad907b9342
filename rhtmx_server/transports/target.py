"""What a request asks for: the path's segments and the query. Pure.

Knows the syntax of a request target (RFC 9112 section 3.2). Must not know which
paths there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["RequestTarget", "parse_target"]

# A server takes the absolute form too (RFC 9112 section 3.2.2).
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_QUERY_FIELDS = 16


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """A request target, taken apart.

    Args:
        path: as it was sent, without the query.
        segments: what stands between its slashes, each percent-decoded on its
            own: a segment may hold a slash.
        query: the values of each query field.
    """

    path: str
    segments: tuple[str, ...]
    query: Mapping[str, Sequence[str]]


def parse_target(text: str) -> RequestTarget:
    """Take a request target apart.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is not one.

    Example:
        >>> parse_target("/api/sync/a%2Fb?since=4").segments
        ('api', 'sync', 'a/b')
    """
    # A proxy may write the whole URL (RFC 9112, section 3.2.2).
    authority = _AUTHORITY.match(text)
    if authority is not None:
        text = text[authority.end() :] or "/"
    path, _, query = text.partition("#")[0].partition("?")
    if not path.startswith("/"):
        raise RhtmxError(ErrorCode.BAD_MESSAGE, "request target: a path expected, as in /healthz")
    return RequestTarget(
        path,
        # Split first, then decoded: %2F is a character of a name, no separator.
        tuple(_decode(segment) for segment in path[1:].split("/")),
        _fields(query),
    )


def _decode(text: str) -> str:
    if _BROKEN_ESCAPE.search(text) is not None:
        raise _undecodable("path")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _undecodable("path") from None


def _fields(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_FIELDS
        )
    except UnicodeDecodeError:
        raise _undecodable("query") from None
    except ValueError:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"query: at most {_MAX_QUERY_FIELDS} fields expected"
        ) from None


def _undecodable(where: str) -> RhtmxError:
    return RhtmxError(
        ErrorCode.BAD_MESSAGE, f"{where}: percent-encoded UTF-8 expected (RFC 3986 section 2.5)"
    )
