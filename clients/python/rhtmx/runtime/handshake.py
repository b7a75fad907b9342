"""Makes the WebSocket under a client.

Knows handshakes, and which failures may pass. Must not know sessions. A URL is shown
without what may be secret in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
)
from websockets.http11 import Response
from websockets.typing import Subprotocol

from rhtmx.core import tls_failures as tls
from rhtmx.core.address import shown, without_secrets
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.runtime.endpoint import ClientSocket, Endpoint
from rhtmx.version import __version__
from rhtmx.wire import Format, decode

__all__ = ["DialError", "WebSocketEndpoint", "dial", "hang_up", "never_opened", "oversize"]

_MAX_MESSAGE = 16 * 2**20
"""A record grows field by field, so it may be larger than what may be pushed."""

_TOO_BIG = 1009
"""The close code for a message that is too large (RFC 6455, section 7.4.1)."""

_FAREWELL = 1.0
"""Seconds in which a server has to take the last messages."""

_CLOSE_TIMEOUT = 2.0
_MAY_PASS = frozenset({408, 425, 429})

_NO_HTTP = (
    "what answers there does not speak HTTP, or ended the connection: is the port right? "
    "Or, if it speaks TLS, connect to wss:// instead"
)
_PATH = (
    "is the path right? The server's own is /api/ws; within another application it is below the "
    "path of the mount, such as /live/api/ws"
)
_HINTS = {
    401: "it asks for a name and a password, or for a header",
    404: _PATH,
    407: "a proxy on the way asks who you are",
}
"""HTTP status → what to look at, where the server may not say it itself."""


class DialError(Exception):
    """No connection could be made.

    Args:
        message: why, in words for a person.
        final: the next attempt would fail as well.
        usual: it happens to every client now and then: nobody is there, or the
            network is not.
        code: the reason, where the protocol has a code for it.
    """

    def __init__(
        self,
        message: str,
        *,
        final: bool,
        usual: bool = False,
        code: ErrorCode = ErrorCode.UNSPECIFIED,
    ) -> None:
        super().__init__(message)
        self.final = final
        self.usual = usual
        self.code = code


@dataclass(frozen=True, slots=True)
class WebSocketEndpoint:
    """Where to connect to, and how.

    Args:
        url: `ws://` or `wss://`.
        format: how messages are written.
        headers: added to the handshake's request.
        ssl: for `wss://`, if not the usual: whom the system trusts.
        open_timeout: seconds for the handshake.
    """

    url: str
    format: Format
    headers: Mapping[str, str] = field(default_factory=dict)
    ssl: ssl.SSLContext | None = None
    open_timeout: float = 10.0

    @property
    def shown(self) -> str:
        """The URL as it may be printed and logged."""
        return shown(self.url)

    @property
    def secure(self) -> bool:
        """Whether it is reached over TLS."""
        return urlsplit(self.url).scheme == "wss"

    async def dial(self) -> ClientConnection:
        """Make one attempt; see `dial`."""
        return await dial(self)


class _Socket(ClientConnection):
    """A connection that keeps why it was lost.

    In TLS 1.3 a server refuses a client's certificate after the client's handshake is
    through, and of that websockets 17 only tells that no answer came.

    Attributes:
        begun: it stands, and TLS with it.
        lost: why it was lost.
    """

    begun = False
    lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begun = True
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc
        super().connection_lost(exc)


async def dial(endpoint: WebSocketEndpoint) -> ClientConnection:
    """Make one attempt.

    Raises:
        DialError: it failed.
    """
    made: list[_Socket] = []

    def make(*arguments: Any, **options: Any) -> _Socket:
        made.append(_Socket(*arguments, **options))
        return made[-1]

    try:
        socket = await _connect(endpoint, make)
    except (OSError, InvalidURI, InvalidProxy, InvalidHandshake) as error:
        raise _failed(endpoint, error, made[-1] if made else None) from error
    subprotocol = endpoint.format.subprotocol
    if endpoint.format is not Format.JSON and socket.subprotocol != subprotocol:
        await socket.close()
        raise DialError(
            f"'{endpoint.shown}' does not speak {subprotocol}: use format='json'", final=True
        )
    return socket


async def _connect(endpoint: WebSocketEndpoint, make: Any) -> ClientConnection:
    # Without `ssl` websockets 17 verifies with what the system trusts; `None` it refuses.
    context: dict[str, Any] = {} if endpoint.ssl is None else {"ssl": endpoint.ssl}
    return await connect(
        endpoint.url,
        subprotocols=[Subprotocol(endpoint.format.subprotocol)],
        additional_headers=endpoint.headers,
        open_timeout=endpoint.open_timeout,
        close_timeout=_CLOSE_TIMEOUT,
        max_size=_MAX_MESSAGE,
        ping_interval=None,  # the protocol has its own signs of life
        user_agent_header=f"rhtmx/{__version__}",
        create_connection=make,
        **context,
    )


# One case for each way to fail: they are a table, but for their conditions.
def _failed(  # noqa: C901
    endpoint: WebSocketEndpoint, error: Exception, socket: _Socket | None
) -> DialError:
    """What a failed attempt means; `socket` is how far it came."""
    if socket is not None and isinstance(socket.lost, ssl.SSLError):
        error = socket.lost
    final, usual, code = False, False, ErrorCode.UNSPECIFIED
    match error:
        case InvalidStatus():
            words, final, code = _refused(error.response)
        case InvalidURI():  # ours was looked at before: it is one that the server sends us to
            words = f"the server sends clients on to '{shown(error.uri)}': connect to that address"
            final = True
        case NegotiationError():
            words = (
                f"the server does not speak {endpoint.format.subprotocol} there ({error}): "
                "is it the address of an rhtmx server?"
            )
            final = True
        case InvalidMessage():
            words = tls.maybe_certificate(tls.SOCKET) if endpoint.secure else _NO_HTTP
        case InvalidHandshake() | InvalidProxy():
            words = without_secrets(str(error))
        case TimeoutError() if endpoint.secure and socket is not None and not socket.begun:
            words = f"no TLS within {endpoint.open_timeout:g} s: {tls.no_tls(tls.SOCKET)}"
        case TimeoutError():
            words, usual = f"no answer within {endpoint.open_timeout:g} s", True
        case ssl.SSLError():
            words, final = tls.failure(error)
        case ConnectionError() if endpoint.secure and socket is not None and not socket.begun:
            words = tls.broken_off(tls.SOCKET)
        case _:
            words = f"{_in_words(error)}: is the server running?"
            usual = True
    message = f"cannot connect to '{endpoint.shown}': {words}"
    return DialError(message, final=final, usual=usual, code=code)


def _said(body: bytes) -> str | None:
    """The words of the error in an answer, if a server of ours says one."""
    try:
        message = decode(body, Format.JSON)
    except RhtmxError:
        return None
    return message.message if isinstance(message, Error) else None


def _in_words(error: Exception) -> str:
    """What the system says; asyncio puts the address in the place of it."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno).lower()
    return getattr(error, "strerror", None) or str(error)


async def hang_up(socket: ClientSocket, farewells: Iterable[bytes], *, text: bool) -> None:
    """Close, and leave nothing open even if there is no time for it.

    Args:
        socket: is closed.
        farewells: the last messages, which a server that does not read misses.
        text: whether they are text.
    """
    try:
        with contextlib.suppress(SocketClosed, TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                for each in farewells:
                    await socket.send(each, text=text)
        await socket.close()
    finally:
        socket.transport.abort()


def oversize(closed: SocketClosed) -> ConnectionClosed | None:
    """The end that this side made because what the server sent was too large, if it was that.

    websockets 17 closes with 1009 by itself when a message exceeds `max_size`, and the
    peer repeats the code. The same code from the peer first is about what was sent to it.
    """
    if closed.sent is None or closed.sent.code != _TOO_BIG or closed.rcvd_then_sent:
        return None
    return ConnectionClosed(
        f"the server sent a message larger than this client takes: {closed.sent.reason}",
        code=ErrorCode.TOO_LARGE,
        close_code=_TOO_BIG,
    )


def never_opened(endpoint: Endpoint, code: int | None, reason: str) -> ConnectionClosed:
    """The end of a first connection that ended before the server had said who it is."""
    words = f" ({code} {reason})".rstrip() if code is not None else ""
    return ConnectionClosed(
        f"'{endpoint.shown}' ended the connection before it had said welcome{words}: "
        "is it the address of an rhtmx server?",
        close_code=code,
    )


def _refused(response: Response) -> tuple[str, bool, ErrorCode]:
    """What an HTTP answer in place of a WebSocket means; whether it is final, and its code."""
    status = response.status_code
    final = 400 <= status < 500 and status not in _MAY_PASS
    words = [f"the server answered HTTP {status} {response.reason_phrase}".rstrip()]
    body = bytes(response.body or b"")
    code = ErrorCode.FORBIDDEN if status == 403 else ErrorCode.UNSPECIFIED
    said = _said(body)
    if said is not None:
        return f"{words[0]}: {said}", final, code
    html = "html" in response.headers.get("Content-Type", "")
    text = "" if html else body[:200].decode(errors="replace")
    text = "".join(each if each.isprintable() else " " for each in text).strip()
    words += [text] if text else []
    hint = _HINTS.get(status)
    if status < 300:
        hint = "there is a web page, but no WebSocket: is the path right?"
    elif status == 403 and not text:  # as ASGI servers say of a path that nothing serves
        hint = _PATH
    words += [hint] if hint else []
    return ": ".join(words), final, code
