"""Handshakes of the usual kind: read, judged and answered at one go.

Knows the order of these steps, and how an accepted handshake is answered. Must not know sockets,
nor what is wrong with any other handshake: whatever is not usual goes the long way, by the
`websockets` library, which has a task, a parser and some futures for each (17.4). Both ways are
judged by the same code: `Handshakes` and `Judge`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from websockets.exceptions import InvalidHandshake
from websockets.extensions import Extension, ServerExtensionFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from rhtmx_server.transports.answers import SERVER
from rhtmx_server.transports.handshakes import Handshakes, path_of
from rhtmx_server.transports.heads import read_head

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
        request: it.
        answer: to be sent.
        extensions: that are used from now on.
        subprotocol: that was chosen, if one was.
    """

    request: Request
    answer: bytes
    extensions: Sequence[Extension]
    subprotocol: Subprotocol | None


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

    def accept(self, head: bytes) -> Opening | None:
        """Accept a handshake, if there is nothing unusual about it.

        Args:
            head: of a request, with the empty line at its end.

        Returns:
            `None` for any other request, and for a handshake that is refused: nobody is told yet.
        """
        request = read_head(head)
        if request is None or not self._handshakes.fine(request):
            return None
        judge = self._judge
        try:
            key, extensions, subprotocol = judge.process_request(request)
        except InvalidHandshake:
            return None
        fields = [
            ("Date", _date(self._clock() // 1_000_000)),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", key),
        ]
        if extensions is not None:
            fields.append(("Sec-WebSocket-Extensions", extensions))
        if subprotocol is not None:
            fields.append(("Sec-WebSocket-Protocol", subprotocol))
        fields.append(("Server", SERVER))
        fields.extend(self._handshakes.headers(path_of(request)))
        lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
        answer = f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode("iso-8859-1")
        return Opening(request, answer, judge.extensions, judge.subprotocol)


@functools.lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    """A moment as HTTP writes it (RFC 9110 section 5.6.7); many handshakes have the same."""
    return formatdate(seconds, usegmt=True)
