"""The URL of a server, and its headers: what may be given, and what may be shown of it. Pure.

Knows URLs. Must not know sockets. What is connected to is a `ws:` or `wss:` URL;
`http:` and `https:` are taken for these, as the browsers of today do (WHATWG
WebSockets, section 3.1), so that one setting serves pages and programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["checked_headers", "is_host", "shown", "websocket_url", "without_secrets"]

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
# RFC 9110, section 5: tokens; and what websockets 17 sends, which is ISO 8859-1.
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_NO_PORT = "its port is no number from 1 to 65535"
_NO_HOST = "its host is no name, nor an IPv6 address in brackets"

_BREAKS = re.compile(r"[\x00-\x20\x7f]")
"""What would end the request line; `urlsplit` leaves some of it out in silence."""


def websocket_url(url: str, label: str = "url") -> str:
    """The `ws:` or `wss:` form of a URL.

    Args:
        url: as the user wrote it.
        label: what it is called in the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, no server can be reached by it.

    Example:
        >>> websocket_url("https://example.com/api/ws")
        'wss://example.com/api/ws'
    """
    if not isinstance(url, str):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{label}: a text expected, got {type(url).__name__}"
        )
    try:
        parts = urlsplit(url)
        wrong = _wrong(url, parts)
    except ValueError as error:
        # It repeats what it takes for a host or a port, and that may be part of a password.
        wrong = _NO_PORT if "ort" in str(error) else _NO_HOST
        if "@" in url:
            wrong += "; in a password '/' is written %2F, '?' %3F, '#' %23, and '@' %40"
    if wrong:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{label}: ws://host:port/api/ws or wss://… expected, got '{shown(url)}': {wrong}",
        )
    return urlunsplit(parts._replace(scheme=_SCHEMES[parts.scheme]))


def shown(url: str) -> str:
    """A URL as it may be printed: a password or a token in it may not, nor a part of one.

    Where a password holds a '/', '?' or '#', the name and its start look like a host and a
    port: of a URL with an '@' behind these, nothing is shown but how it begins.

    Example:
        >>> shown("wss://ada:secret@example.com/api/ws?token=abc")
        'wss://example.com/api/ws'
        >>> shown("wss://ada:12/34@example.com/api/ws")
        'wss://…'
    """
    return _PARTS.sub(_public, url, count=1)


def without_secrets(text: str) -> str:
    """What somebody else says, with its URLs as they may be printed.

    Example:
        >>> without_secrets("cannot go to https://ada:pw@h/x?token=abc now")
        'cannot go to https://h/x now'
    """
    return _URL.sub(lambda url: shown(url[0]), text)


_URL = re.compile(r"\w+://\S*")
_PARTS = re.compile(r"([^/?#]*//)?([^/?#]*)(.*)", re.DOTALL)
"""Scheme, authority and the rest, of whatever was meant to be a URL."""


def _public(url: re.Match[str]) -> str:
    scheme, authority, rest = (part or "" for part in url.groups())
    if "@" in rest:
        return f"{scheme}…"
    return scheme + authority.rpartition("@")[2] + re.split(r"[?#]", rest, maxsplit=1)[0]


def is_host(name: str) -> bool:
    """Whether a name can be looked up: Python does that in the form of IDNA (RFC 3490)."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def checked_headers(headers: Mapping[str, str], label: str = "headers") -> Mapping[str, str]:
    """Headers that can be sent. A value is not repeated in the error: it may be secret.

    Raises:
        RhtmxError: `BAD_MESSAGE`, one cannot be sent.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            wrong = "the name of a header expected, such as 'Cookie'"
        elif not isinstance(value, str):
            wrong = f"a text expected, got {type(value).__name__}"
        elif not _VALUE.fullmatch(value):
            wrong = "a line break, or another character that no header holds, is in it"
        else:
            continue
        raise RhtmxError(ErrorCode.BAD_MESSAGE, f"{label}[{name!r:.40}]: {wrong}")
    return headers


def _wrong(url: str, parts: SplitResult) -> str:
    """What is wrong with a URL; nothing if it is fine."""
    if _BREAKS.search(url):
        return "there is a space or a control character in it"
    if parts.scheme not in _SCHEMES:
        return "it does not begin with ws://, wss://, http:// or https://"
    if not parts.hostname:
        return "it names no host"
    if not is_host(parts.hostname):
        return "its host is no name: a part of it is empty, too long, or has a wrong character"
    if parts.port == 0:
        return "there is no port 0"
    if "#" in url:
        return "leave out what begins with '#': it never reaches a server"
    if parts.username is not None and parts.password is None:
        return "a name before '@' needs a password: name:password@host"
    return ""
