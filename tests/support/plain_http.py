"""Plain HTTP over a bare socket: sends bytes, reads what comes until the end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.datastructures import Headers

from tests.support.sockets import PATIENCE


@dataclass
class Answer:
    """A response, taken apart by hand."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def take_apart(response: bytes) -> Answer:
    """Read a response to its end.

    Raises:
        ValueError: it is not whole.
    """
    head, _, body = response.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in rest)]
    headers = Headers(pairs)
    if headers.get("Transfer-Encoding") == "chunked":
        body = dechunk(body)
    return Answer(int(first.split()[1]), headers, body)


def dechunk(data: bytes) -> bytes:
    """Undo the chunked transfer coding, strictly (RFC 9112 section 7.1).

    Raises:
        ValueError: the last chunk is missing, or something follows it.
    """
    body = b""
    while data != b"0\r\n\r\n":
        size, found, data = data.partition(b"\r\n")
        length = int(size, 16) if found else 0
        if not length or data[length : length + 2] != b"\r\n":
            raise ValueError(f"the body is cut off after {len(body)} bytes")
        body, data = body + data[:length], data[length + 2 :]
    return body


async def exchange(url: str, request: bytes) -> bytes:
    """Send bytes to the server of `url`, and read until it closes."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def ask(url: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """Send a request without a body."""
    fields = {"Host": urlsplit(url).netloc, **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    response = await exchange(url, "\r\n".join([*lines, "", ""]).encode())
    return take_apart(response)
