"""Handshakes of the usual kind: read, judged and answered at one go.

Knows the order of these steps, and how an accepted handshake is answered. Must not know sockets,
nor what is wrong with any other handshake: whatever is not usual goes the long way, by the
`websockets` library, which has a task, a parser and some futures for each (17.4). Both ways are
judged by the same code: `Handshakes` and `Judge`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, TypeAlias

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions import Extension, ServerExtensionFactory
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from rhtmx_server.transports.answers import SERVER
from rhtmx_server.transports.handshakes import Handshakes, path_of
from rhtmx_server.transports.heads import RequestHead, read_head

__all__ = ["Judge", "Opening", "Openings"]


class Judge(ServerProtocol):
    """The library's side of a handshake, with our choice of a subprotocol.

    Args:
        handshakes: make that choice.
        extensions: that may be used.
        settings: for the library.
    """

    def __init__(
        self, handshakes: Handshakes, extensions: Sequence[ServerExtensionFactory], **settings: Any
    ) -> None:
        super().__init__(extensions=extensions, **settings)
        self._handshakes = handshakes
        self._path = ""

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        """Check a handshake, and agree on what is used.

        Returns:
            The answer's `Sec-WebSocket-Accept`, `-Extensions` and `-Protocol`.

        Raises:
            InvalidHandshake: it is refused.
        """
        self._path = path_of(request)
        return super().process_request(request)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Choose one; `None` is no reason to refuse."""
        chosen = self._handshakes.subprotocol(self._path, subprotocols)
        return None if chosen is None else Subprotocol(chosen)


@dataclass(frozen=True, slots=True)
class Opening:
    """A handshake that is accepted.

    Args:
        head: of it.
        answer: to be sent.
        extensions: that are used from now on.
        subprotocol: that was chosen, if one was.
    """

    head: RequestHead
    answer: bytes
    extensions: Sequence[Extension]
    subprotocol: Subprotocol | None


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What is agreed on in all handshakes that offer the same."""

    fields: str
    extensions: Sequence[PerMessageDeflate]
    subprotocol: Subprotocol | None


_Offer: TypeAlias = tuple[tuple[str, ...], ...]

_OFFER = (
    "connection",
    "upgrade",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
)
"""What a handshake is judged by, besides its key, which is another one each time."""

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_ANY_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
"""16 bytes (RFC 6455 section 4.1)."""

_REMEMBERED = 64
"""Offers. A few makes of clients have a few each."""


class Openings:
    """Accepts the handshakes of the usual kind.

    Args:
        handshakes: say which are accepted.
        judge: checks them, one after the other. It is no connection's.
        clock: the time, in µs since 1970.
    """

    def __init__(self, handshakes: Handshakes, judge: Judge, clock: Callable[[], int]) -> None:
        self._handshakes = handshakes
        self._judge = judge
        self._clock = clock
        # What was judged once is not judged again: clients of one make differ by their keys only.
        self._agreed = functools.lru_cache(maxsize=_REMEMBERED)(self._agree)

    def accept(self, said: bytes) -> Opening | None:
        """Accept a handshake, if there is nothing unusual about it.

        Args:
            said: the head of a request, with the empty line at its end.

        Returns:
            `None` for any other request, and for a handshake that is refused: nobody is told yet.
        """
        head = read_head(said)
        if head is None or head.method != "GET":
            return None
        path = head.path.partition("?")[0]
        values = head.fields.get
        key = values("sec-websocket-key", ())
        if len(key) != 1 or _KEY.fullmatch(key[0]) is None:
            return None
        if not self._handshakes.fine(path, head):
            return None
        offer = tuple([tuple(values(name, ())) for name in _OFFER])
        agreed = self._agreed(path, head.protocol, offer)
        if agreed is None:
            return None
        answer = (
            f"HTTP/1.1 101 Switching Protocols\r\n"
            f"Date: {_date(self._clock() // 1_000_000)}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key[0])}\r\n{agreed.fields}\r\n"
        ).encode()
        # Each socket has its own: they keep what they were told of a message in parts.
        extensions = [_another(each) for each in agreed.extensions]
        return Opening(head, answer, extensions, agreed.subprotocol)

    def _agree(self, path: str, protocol: str, offer: _Offer) -> _Agreed | None:
        """Have the library judge a handshake with any key."""
        headers = Headers({"Sec-WebSocket-Key": _ANY_KEY})
        for name, values in zip(_OFFER, offer, strict=True):
            for value in values:
                headers[name] = value
        judge = self._judge
        try:
            _, extensions, subprotocol = judge.process_request(
                Request(path, headers, "GET", protocol)
            )
        except InvalidHandshake:
            return None
        fields = [
            ("Sec-WebSocket-Extensions", extensions),
            ("Sec-WebSocket-Protocol", subprotocol),
            ("Server", SERVER),
            *self._handshakes.headers(path),
        ]
        lines = [f"{name}: {value}\r\n" for name, value in fields if value is not None]
        used = [each for each in judge.extensions if isinstance(each, PerMessageDeflate)]
        return _Agreed("".join(lines), used, judge.subprotocol)


def _another(used: PerMessageDeflate) -> PerMessageDeflate:
    """The same extension, for another socket."""
    return PerMessageDeflate(
        used.remote_no_context_takeover,
        used.local_no_context_takeover,
        used.remote_max_window_bits,
        used.local_max_window_bits,
        used.compress_settings,
    )


@functools.lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    """A moment as HTTP writes it (RFC 9110 section 5.6.7); many handshakes have the same."""
    return formatdate(seconds, usegmt=True)
