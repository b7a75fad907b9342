"""Makes the WebSocket under a client.

Knows handshakes, and which failures may pass. Must not know sessions.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Response
from websockets.typing import Subprotocol

from rhtmx.errors import ErrorCode
from rhtmx.verdict import ConnectionClosed
from rhtmx.wire import Format

__all__ = ["DialError", "Endpoint", "dial", "hang_up", "never_opened", "oversize"]

_MAX_MESSAGE = 16 * 2**20
"""A record grows field by field, so it may be larger than what may be pushed."""

_TOO_BIG = 1009
"""The close code for a message that is too large (RFC 6455, section 7.4.1)."""

_CLOSE_TIMEOUT = 2.0
_MAY_PASS = frozenset({408, 425, 429})


class DialError(Exception):
    """No connection could be made.

    Args:
        message: why, in words for a person.
        final: the next attempt would fail as well.
    """

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect to, and how.

    Args:
        url: `ws://` or `wss://`.
        format: how messages are written.
        headers: added to the handshake's request.
        ssl: for `wss://`, if not the usual.
        open_timeout: seconds for the handshake.
    """

    url: str
    format: Format
    headers: Mapping[str, str] = field(default_factory=dict)
    ssl: ssl.SSLContext | None = None
    open_timeout: float = 10.0


async def dial(endpoint: Endpoint) -> ClientConnection:
    """Make one attempt.

    Raises:
        DialError: it failed.
    """
    url, subprotocol = endpoint.url, endpoint.format.subprotocol
    try:
        socket = await connect(
            url,
            subprotocols=[Subprotocol(subprotocol)],
            additional_headers=endpoint.headers,
            ssl=endpoint.ssl,
            open_timeout=endpoint.open_timeout,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=_MAX_MESSAGE,
            ping_interval=None,  # the protocol has its own signs of life
            user_agent_header="rhtmx",
        )
    except InvalidURI as error:
        raise DialError(
            f"cannot connect to '{url}': not a ws:// or wss:// URL", final=True
        ) from error
    except InvalidStatus as error:
        raise _refused(url, error.response) from error
    except InvalidHandshake as error:
        raise DialError(f"cannot connect to '{url}': {error}", final=False) from error
    except TimeoutError as error:
        words = f"no answer within {endpoint.open_timeout:g} s"
        raise DialError(f"cannot connect to '{url}': {words}", final=False) from error
    except OSError as error:
        words = _in_words(error)
        raise DialError(
            f"cannot connect to '{url}': {words}: is the server running?", final=False
        ) from error
    if endpoint.format is not Format.JSON and socket.subprotocol != subprotocol:
        await socket.close()
        raise DialError(f"'{url}' does not speak {subprotocol}: use format='json'", final=True)
    return socket


def _in_words(error: OSError) -> str:
    """What the system says; asyncio puts the address in the place of it."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno).lower()
    return error.strerror or str(error)


async def hang_up(socket: ClientConnection) -> None:
    """Close, and leave nothing open even if there is no time for it."""
    try:
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


def never_opened(url: str, code: int | None, reason: str) -> ConnectionClosed:
    """The end of a first connection that ended before the server had said who it is."""
    words = f" ({code} {reason})".rstrip() if code is not None else ""
    return ConnectionClosed(
        f"'{url}' ended the connection before it had said welcome{words}: "
        "is it the address of an rhtmx server?",
        close_code=code,
    )


def _refused(url: str, response: Response) -> DialError:
    status = response.status_code
    words = (response.body or b"").decode(errors="replace").strip()[:200]
    message = (
        f"cannot connect to '{url}': the server answered HTTP {status} {response.reason_phrase}"
    )
    final = 400 <= status < 500 and status not in _MAY_PASS
    return DialError(f"{message}: {words}" if words else message, final=final)
