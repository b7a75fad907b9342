"""Bodies that are sent as they are taken, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.answers import JSON, answer
from rhtmx_server.transports.bodies import PAGE_BYTES, BodyReaders, BodySender, Streamed
from tests.support.plain_http import dechunk


class Script:
    """Pages that a test wrote."""

    def __init__(self, *pages: bytes | Exception) -> None:
        self.left = list(pages)
        self.done = False

    async def next(self) -> bytes:
        page = self.left.pop(0)
        self.done = not self.left
        if isinstance(page, Exception):
            raise page
        return page


class Wire:
    """A socket whose peer takes what a test says: a list of what is left after each wait."""

    def __init__(self, left: Sequence[int] | None = None, failure: Exception | None = None) -> None:
        self.written: list[bytes] = []
        self.protocol = SimpleNamespace(eof_sent=False)
        self.transport: Any = self
        self.aborted = self.resumed = False
        self.stalls = 0
        self._left = list(left or ())
        self._size = 0
        self._failure = failure

    @property
    def paused(self) -> bool:
        return self._size > 0 or self._failure is not None

    async def drain(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._size = self._left.pop(0)
        if self._size:
            await asyncio.get_running_loop().create_future()

    def write(self, data: bytes) -> None:
        assert not self.aborted
        self.written.append(bytes(data))
        self._size = 100 if self._left else 0

    def get_write_buffer_size(self) -> int:
        return self._size

    def set_write_buffer_limits(self, high: int) -> None:
        if self.aborted:
            raise RuntimeError("unable to perform operation: the handler is closed")
        assert high == 0

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def resume_reading(self) -> None:
        self.resumed = True

    def _stalled(self) -> None:
        self.stalls += 1

    async def send(self, response: Response, version: str = "HTTP/1.1") -> bytes:
        sender = BodySender(self, 0.01, self._stalled)  # type: ignore[arg-type]  # as much as it needs
        rest = await sender.send(Request("/x?secret", Headers(), "GET", version), response)
        assert rest.serialize() == b""
        return b"".join(self.written)


async def streamed(readers: BodyReaders, *pages: bytes | Exception) -> Streamed:
    script = Script(*pages)
    readers.enter()
    first = await readers.page(script)
    return Streamed.of(answer(HTTPStatus.OK, first, JSON), readers, script)


async def test_one_page_comes_with_its_length_and_more_in_chunks() -> None:
    readers = BodyReaders()
    head, _, body = (await Wire().send(await streamed(readers, b"[]"))).partition(b"\r\n\r\n")
    assert b"Content-Length: 2" in head
    assert body == b"[]"
    data = await Wire().send(await streamed(readers, b"[1", b"", b",2", b"]"))
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"2\r\n[1\r\n2\r\n,2\r\n1\r\n]\r\n0\r\n\r\n"
    assert dechunk(body) == b"[1,2]"
    assert readers.present == 0


async def test_a_peer_that_is_gone_before_its_answer_is_made_keeps_no_place() -> None:
    for pages in ([b"[]"], [b"[1", b",2]"]):
        wire, readers = Wire(), BodyReaders()
        response = await streamed(readers, *pages)
        wire.abort()
        assert await wire.send(response) == b""
        assert readers.present == 0


async def test_a_client_of_http_1_0_gets_the_bare_body() -> None:
    data = await Wire().send(await streamed(BodyReaders(), b"[1", b",2]"), "HTTP/1.0")
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert body == b"[1,2]"


async def test_a_whole_body_is_written_a_page_at_a_time() -> None:
    wire, body = Wire(), bytes(range(256)) * (PAGE_BYTES // 256 * 2 + 1)
    data = await wire.send(answer(HTTPStatus.OK, body))
    assert data.partition(b"\r\n\r\n")[2] == body
    assert len(wire.written) == 3
    assert max(map(len, wire.written[1:])) == PAGE_BYTES


async def test_the_next_page_is_made_when_the_last_one_was_taken() -> None:
    wire, readers = Wire([0, 0, 0]), BodyReaders()
    response = await streamed(readers, b"a", b"b", b"c")
    pages = response.pages
    assert isinstance(pages, Script)
    made: list[int] = []
    drain = wire.drain

    async def note() -> None:
        made.append(len(pages.left))
        await drain()

    wire.drain = note  # type: ignore[method-assign]
    await wire.send(response)
    assert made == [2, 1, 0]


async def test_who_takes_a_little_each_time_is_waited_for() -> None:
    wire = Wire([60, 59, 58, 0])
    await wire.send(answer(HTTPStatus.OK, b"x"))
    assert (wire.aborted, wire.stalls, wire.resumed) == (False, 0, True)


async def test_who_takes_nothing_is_cut_off_once_and_gives_its_place_back() -> None:
    wire, readers = Wire([60, 60, 60]), BodyReaders()
    await wire.send(await streamed(readers, b"a", b"b"))
    assert (wire.aborted, wire.stalls, wire.resumed) == (True, 1, False)
    assert len(wire.written) == 1
    assert readers.present == 0


@pytest.mark.parametrize("failure", [ConnectionResetError(), BrokenPipeError(), TimeoutError()])
async def test_who_is_gone_is_let_go_without_a_word(
    failure: OSError, caplog: pytest.LogCaptureFixture
) -> None:
    wire, readers = Wire(failure=failure), BodyReaders()
    await wire.send(await streamed(readers, b"a", b"b"))
    assert (wire.aborted, wire.stalls) == (True, 0)
    assert readers.present == 0
    assert caplog.records == []


@pytest.mark.parametrize("gone", ["aborted", "eof_sent"])
async def test_nothing_is_written_to_a_connection_that_has_ended(gone: str) -> None:
    wire, readers = Wire(), BodyReaders()
    setattr(wire if gone == "aborted" else wire.protocol, gone, True)
    assert await wire.send(await streamed(readers, b"a", b"b")) == b""
    assert wire.stalls == 0
    assert readers.present == 0


@pytest.mark.parametrize(
    "failure", [RhtmxError(ErrorCode.STORAGE_FAILED, "disk"), ZeroDivisionError("secret")]
)
async def test_a_page_that_cannot_be_made_cuts_the_connection_and_is_logged(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    wire, readers = Wire(), BodyReaders()
    data = await wire.send(await streamed(readers, b"a", failure))
    assert wire.aborted
    assert not data.endswith(b"0\r\n\r\n")
    assert readers.present == 0
    assert "GET '/x'" in caplog.text
    assert "secret" not in caplog.text


async def test_there_is_an_end_to_the_readers() -> None:
    readers = BodyReaders(most=2)
    readers.enter()
    readers.enter()
    with pytest.raises(RhtmxError) as caught:
        readers.enter()
    assert (caught.value.code, caught.value.retry_after) == (ErrorCode.TOO_MANY_REQUESTS, 1.0)
    readers.leave()
    readers.enter()


async def test_only_so_many_pages_are_made_at_a_time_and_everyone_has_a_turn() -> None:
    readers, order = BodyReaders(at_a_time=2), []
    going = most = 0

    class Slow(Script):
        def __init__(self, name: int) -> None:
            super().__init__(b"a", b"b")
            self.name = name

        async def next(self) -> bytes:
            nonlocal going, most
            going += 1
            most = max(most, going)
            await asyncio.sleep(0)
            going -= 1
            order.append(self.name)
            return await super().next()

    async def read(name: int) -> None:
        pages = Slow(name)
        while not pages.done:
            await readers.page(pages)

    await asyncio.gather(*map(read, range(5)))
    assert most == 2
    assert sorted(order[:5]) == list(range(5))  # nobody twice before everybody once


async def test_a_place_is_given_back_once() -> None:
    readers = BodyReaders()
    response = await streamed(readers, b"a")
    response.close()
    response.close()
    assert readers.present == 0
