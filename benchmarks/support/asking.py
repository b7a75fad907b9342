"""Connections on which one asks whether a value is valid: ours, an echo, and HTTP.

Values take turns: an even question is valid and an odd one is not, and each
answer is looked at.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

from benchmarks.support.pacing import received, there
from benchmarks.support.signup import TAKEN
from benchmarks.support.sockets import PATIENCE, Client, client_frame

_VALID, _INVALID, _ID = b'"valid":true', b'"valid":false', b'"request_id":"'


def _value(number: int) -> str:
    return f"{TAKEN} {number}" if number % 2 else f"name {number}"


class Line:
    """Our server: a socket that does not block."""

    path = "/api/ws"

    def __init__(self, port: int) -> None:
        self.client = Client(port, self.path)
        self.client.socket.setblocking(False)

    @property
    def socket(self) -> socket.socket:
        return self.client.socket

    def question(self, field: str, number: int) -> bytes:
        """The bytes of a question. No two are about the same copy of a form."""
        message = {
            "type": "validate_field", "request_id": str(number), "form": "signup",
            "form_instance": str(number), "field": field, "value": _value(number),
        }  # fmt: skip
        return client_frame(json.dumps(message, separators=(",", ":")).encode())

    def answers(self) -> Iterator[int]:
        """The numbers of the answers that have arrived."""
        for message in there(self.client):
            number = self._number(message)
            if (_INVALID if number % 2 else _VALID) not in message:
                raise RuntimeError(f"this is no answer to {_value(number)!r}: {message!r}")
            yield number

    def _number(self, message: bytes) -> int:
        at = message.find(_ID) + len(_ID)
        return int(message[at : message.find(b'"', at)])

    def close(self) -> None:
        self.client.close()


class EchoLine(Line):
    """An echo: nobody judges anything."""

    path = "/"

    def answers(self) -> Iterator[int]:
        return map(self._number, there(self.client))


class HttpLine(Line):
    """A kept connection to an HTTP endpoint, with the fewest headers; answers come in order."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._buffer = bytearray()
        self._asked: list[int] = []

    @property
    def socket(self) -> socket.socket:
        return self._socket

    def question(self, field: str, number: int) -> bytes:
        self._asked.append(number)
        body = b'{"form":"signup","field":"%s","value":"%s"}'
        body %= field.encode(), _value(number).encode()
        return (
            b"POST /validate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    def answers(self) -> Iterator[int]:
        self._buffer += received(self._socket)
        while True:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if not found or len(rest) < size:
                return
            number = self._asked.pop(0)
            if (_INVALID if number % 2 else _VALID) not in rest[:size]:
                raise RuntimeError(f"this is no answer to {_value(number)!r}: {rest!r}")
            del self._buffer[: len(head) + 4 + size]
            yield number

    def close(self) -> None:
        self._socket.close()
