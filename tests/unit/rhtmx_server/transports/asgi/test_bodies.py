"""Plain answers through ASGI, whatever their peers do meanwhile."""

from __future__ import annotations

import asyncio
import logging

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response

from rhtmx_server.transports.asgi.bodies import ResponseSender
from rhtmx_server.transports.asgi.events import AsgiEvent
from rhtmx_server.transports.bodies import BodyReaders, Streamed


class Pages:
    """Makes as many pages as it is told to."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.done = not count

    async def next(self) -> bytes:
        self._left -= 1
        self.done = not self._left
        return b"page"


async def sent(pages: int, leaves_with: bytes) -> list[bytes]:
    """What a server takes whose peer hangs up when it has this page."""
    left, taken = asyncio.Event(), list[bytes]()

    async def receive() -> AsgiEvent:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(event: AsgiEvent) -> None:
        if event["type"].endswith("body"):
            taken.append(event["body"])
            if event["body"] == leaves_with:
                left.set()
                for _ in range(3):  # it is heard of before the server has taken the page
                    await asyncio.sleep(0)

    readers = BodyReaders()
    readers.enter()
    made = Pages(pages)
    whole = Response(200, "OK", Headers({"Content-Length": "5"}), b"first")
    sender = ResponseSender(receive, send, patience=60, stalled=lambda: None)
    await sender.send(Streamed.of(whole, readers, made))
    assert readers.present == 0, "its place is given back"
    return taken


async def test_a_peer_that_hangs_up_when_it_has_all_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    assert await sent(0, b"first") == [b"first"]
    assert caplog.text == ""


async def test_to_a_peer_that_is_gone_nothing_more_is_sent() -> None:
    assert await sent(5, b"page") == [b"first", b"page"]
