"""What is said between an ASGI server and an application. Pure.

Knows ASGI's events (asgi.readthedocs.io, HTTP and WebSocket, spec version 2.4), and frames
that a dialect has made. Must not know when an event is sent.

What servers do where the specification is silent differs (`docs/guides/asgi.md` has a table).
Nothing here relies on it: a socket always ends with a close of ours, with a code from 4000 on,
which all of them send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, TypeAlias

from websockets.http11 import Response

from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server.encoding.framing import TEXT

__all__ = [
    "DENIAL",
    "FRAMES",
    "AsgiEvent",
    "AsgiScope",
    "Piece",
    "Receive",
    "Send",
    "Splitter",
    "close_code",
    "close_event",
    "frames_event",
    "headers_of_response",
    "pieces_of",
    "response_events",
    "send_event",
    "whole",
]

AsgiScope: TypeAlias = MutableMapping[str, Any]
AsgiEvent: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiEvent]]
Send: TypeAlias = Callable[[AsgiEvent], Awaitable[None]]

Piece: TypeAlias = tuple[str | bytes, int]
"""One message, as text or binary, and the bytes that its frame has."""

DENIAL = "websocket.http.response"
"""The extension by which a handshake is refused with a response of HTTP."""

FRAMES = "rhtmx.frames"
"""The extension by which frames are sent that are made already: several in one event."""

_OPCODE = 0x0F
_IN_16_BITS, _IN_64_BITS = 126, 127
_REASON = 120
"""Bytes of a close frame's reason: 123 fit (RFC 6455 section 5.5)."""

_OWN = frozenset({"connection", "date", "server"})
"""Headers that the host's server sets itself."""


def pieces_of(frames: bytes) -> list[Piece]:
    r"""Take frames apart that a dialect has joined: ASGI has no frames.

    Args:
        frames: whole ones of a server, neither masked nor compressed.

    Example:
        >>> pieces_of(b"\x81\x02{}" + b"\x82\x01\x00")
        [('{}', 4), (b'\x00', 3)]
    """
    pieces: list[Piece] = []
    at = 0
    while at < len(frames):
        size, start = frames[at + 1], at + 2
        if size == _IN_16_BITS:
            size, start = int.from_bytes(frames[start : start + 2]), start + 2
        elif size == _IN_64_BITS:
            size, start = int.from_bytes(frames[start : start + 8]), start + 8
        end = start + size
        payload = frames[start:end]
        text = frames[at] & _OPCODE == TEXT
        pieces.append((payload.decode() if text else payload, end - at))
        at = end
    return pieces


class Splitter:
    """Takes frames apart once for all who are sent the same.

    The hub makes one object for all its readers; they come here one after the other.
    """

    def __init__(self) -> None:
        self._frames = b""
        self._pieces: Sequence[Piece] = ()

    def pieces(self, frames: bytes) -> Sequence[Piece]:
        """What `pieces_of` makes of frames."""
        if frames is not self._frames:
            self._frames, self._pieces = frames, pieces_of(frames)
        return self._pieces


def send_event(message: str | bytes) -> AsgiEvent:
    """The event that sends a message. A new one each time: middleware may change it."""
    return {"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message}


def whole(frames: bytes) -> Sequence[Piece]:
    """Frames as they are, where the server takes them so."""
    return ((frames, len(frames)),)


def frames_event(frames: str | bytes) -> AsgiEvent:
    """The event that sends frames, where the server has the extension for it."""
    return {"type": FRAMES, "frames": frames}


def close_event(code: int, reason: str) -> AsgiEvent:
    """The event that ends a socket."""
    words = reason.encode()[:_REASON].decode(errors="ignore")
    return {"type": "websocket.close", "code": code, "reason": words}


def close_code(error: ErrorCode) -> int:
    """The close code that says an error, also one that ends no connection elsewhere.

    Example:
        >>> close_code(ErrorCode.FORBIDDEN), close_code(ErrorCode.TOO_MANY_REQUESTS)
        (4504, 4000)
    """
    row = ERRORS[error]
    other = ErrorCode.SHUTTING_DOWN if row.retryable else ErrorCode.BAD_MESSAGE
    return row.close_code or ERRORS[other].close_code


def headers_of_response(pairs: Iterable[tuple[str, str]], http: str = "1.1") -> list[Any]:
    """Headers as ASGI has them, without those that are the host's server's.

    Args:
        pairs: names and values.
        http: the version that is spoken: there are no upgrades from HTTP/2 on.
    """
    dropped = _OWN if http.startswith("1") else _OWN | {"upgrade"}
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in pairs
        if name.lower() not in dropped
    ]


def response_events(response: Response, kind: str, http: str = "1.1") -> list[AsgiEvent]:
    """The events that send a response.

    Args:
        response: a whole one.
        kind: `http.response`, or `DENIAL`.
        http: the version that is spoken.
    """
    headers = headers_of_response(response.headers.raw_items(), http)
    return [
        {"type": f"{kind}.start", "status": response.status_code, "headers": headers},
        {"type": f"{kind}.body", "body": bytes(response.body), "more_body": False},
    ]
