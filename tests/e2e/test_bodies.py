"""Bodies that are sent as they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvloop

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config
from rhtmx_server.transports.bodies import PAGE_BYTES
from tests.support.plain_http import ask, dechunk, exchange, take_apart
from tests.support.sockets import PATIENCE, raw
from tests.support.waiting import eventually

PIECE = "x" * 30_000
RECORDS = 300
"""9 MB: more than the system keeps of what a reader with small buffers does not take."""

READS = ("/api/sync/e?since=0", "/api/field-sync/e?since=0")
BIG = b"0123456789abcdef" * 600_000


def figure(app: App, name: str) -> float:
    return app.metrics.registry.get_sample_value(f"rhtmx_{name}") or 0.0


async def fill(app: App, records: int = RECORDS) -> None:
    each = (app.changes.push("e", str(n), {"n": n, "piece": PIECE}) for n in range(records))
    await asyncio.gather(*each)  # joins their commits


@contextlib.asynccontextmanager
async def filled(
    store: str = "memory://", records: int = RECORDS, **limits: Any
) -> AsyncIterator[App]:
    pages = {"/big": ("application/octet-stream", BIG)}
    config = Config(port=0, **limits)
    async with App(store=store, config=config, pages=pages, undeclared=True) as app:
        await fill(app, records)
        yield app


class Reader:
    """Asks, and reads when a test says so; the system keeps little for it."""

    def __init__(self, app: App, path: str, version: str = "1.1", method: str = "GET") -> None:
        address = urlsplit(app.url)
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect((address.hostname, address.port))
        self.sock.sendall(f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
        self.sock.setblocking(False)

    async def read(self, size: int = 65536) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().sock_recv(self.sock, size)

    async def rest(self) -> bytes:
        """Everything up to the end, read fast."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        pieces = []
        while more := await self.read(1 << 20):
            pieces.append(more)
        return b"".join(pieces)

    def close(self) -> None:
        self.sock.close()


@contextlib.contextmanager
def never_read(app: App, path: str, count: int = 1) -> Any:
    readers = [Reader(app, path) for _ in range(count)]
    try:
        yield readers
    finally:
        for reader in readers:
            reader.close()


def waiting(app: App) -> list[int]:
    """Bytes that each plain answer keeps in this process."""
    assert app._life.server is not None
    tcp = app._life.server._websockets._arrivals.sockets
    return [each.transport.get_write_buffer_size() for each in tcp if each.connection is None]


async def test_a_large_read_comes_in_chunks_and_is_one_json_text(store: str) -> None:
    async with filled(store) as app:
        for path in READS:
            answer = await ask(app.url, path)
            assert answer.status == 200
            assert answer.headers.get_all("Transfer-Encoding") == ["chunked"]
            assert "Content-Length" not in answer.headers
            assert answer.headers["Server"] == "rhtmx"
            assert {change["entity_id"] for change in answer.json["changes"]} == {
                str(n) for n in range(RECORDS)
            }
            assert answer.json["version"] == RECORDS


async def test_a_small_read_comes_with_its_length(store: str) -> None:
    async with filled(store, records=1) as app:
        for path in (*READS, "/api/field-sync/e/0/latest"):
            answer = await ask(app.url, path)
            assert answer.headers["Content-Length"] == str(len(answer.body))
            assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize("path", READS)
async def test_an_old_client_reads_to_the_end_of_the_connection(path: str) -> None:
    async with filled() as app:
        response = await exchange(
            app.url, f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
        )
        answer = take_apart(response)
        assert "Transfer-Encoding" not in answer.headers
        assert "Content-Length" not in answer.headers
        assert len(json.loads(answer.body)["changes"]) >= RECORDS


@pytest.mark.parametrize("path", [*READS, "/big", "/metrics", "/api/field-sync/e/1/latest"])
async def test_the_head_of_a_large_answer_comes_without_any_of_it(path: str) -> None:
    async with filled() as app:
        answer = await ask(app.url, path, "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert await ask(app.url, path)
        assert app._life.server is not None
        assert app._life.server._http.readers.present == 0


@pytest.mark.parametrize("path", [*READS, "/big"])
async def test_one_who_reads_nothing_keeps_a_page_in_memory_and_no_more(path: str) -> None:
    async with filled(stall_timeout=60) as app:
        with never_read(app, path, 5) as readers:
            await eventually(lambda: sum(size > 0 for size in waiting(app)) == len(readers))
            assert max(waiting(app)) <= 2 * PAGE_BYTES


@pytest.mark.parametrize("path", [*READS, "/big"])
async def test_one_who_reads_nothing_is_cut_off_and_counted(path: str) -> None:
    async with filled(stall_timeout=0.05) as app:
        with never_read(app, path) as (reader,):
            await eventually(lambda: figure(app, "stalled_total") == 1)
            await eventually(lambda: waiting(app) == [])
            with pytest.raises((ValueError, ConnectionResetError)):
                dechunk((await reader.rest()).partition(b"\r\n\r\n")[2])
        assert app._life.server is not None
        assert app._life.server._http.readers.present == 0


async def test_any_number_of_stalled_readers_leave_a_healthy_one_its_turn() -> None:
    async with filled(stall_timeout=60) as app:
        with never_read(app, READS[0], 20):
            await eventually(lambda: sum(size > 0 for size in waiting(app)) == 20)
            for path in READS:
                assert len((await ask(app.url, path)).json["changes"]) >= RECORDS
            async with raw(app.url) as client:
                await client.ask({"type": "ping"}, "pong")


@pytest.mark.parametrize("path", [*READS, "/big"])
async def test_one_who_reads_slowly_but_reads_gets_everything(path: str) -> None:
    async with filled() as app:
        slow, fast = Reader(app, path), await ask(app.url, path)
        data = await slow.read(1)
        await eventually(lambda: sum(size > 0 for size in waiting(app)) == 1)
        for size in (1, 1, 7, 4096):
            data += await slow.read(size)
        data += await slow.rest()
        slow.close()
        assert take_apart(data).body == fast.body


@pytest.mark.parametrize("path", [*READS, "/big", "/healthz", "/metrics", "/nothing"])
async def test_one_who_has_no_more_to_say_is_answered_in_full(path: str) -> None:
    async with filled(records=100) as app:
        reader = Reader(app, path)
        reader.sock.shutdown(socket.SHUT_WR)
        answer = take_apart(await reader.rest())
        reader.close()
        assert answer.status == (404 if path == "/nothing" else 200)
        if path in READS:
            assert len(answer.json["changes"]) >= 100


@pytest.mark.parametrize("more", [b"\r\n", b"GET /healthz HTTP/1.1\r\n\r\n", b"\x00" * 1000])
async def test_what_follows_a_plain_request_does_not_harm_its_answer(more: bytes) -> None:
    async with filled(records=10) as app:
        request = b"GET /api/sync/e HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = take_apart(await exchange(app.url, request + more))
        assert len(answer.json["changes"]) == 10


async def test_one_who_goes_away_in_the_middle_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with filled() as app:
        for path in (*READS, "/big"):
            reader = Reader(app, path)
            await reader.read(1)
            reader.close()
            await eventually(lambda: waiting(app) == [])
        assert figure(app, "stalled_total") == 0
        assert app._life.server is not None
        assert app._life.server._http.readers.present == 0
    assert [record for record in caplog.records if record.levelno > 20] == []


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    "failure", [RhtmxError(ErrorCode.STORAGE_FAILED, "gone"), ZeroDivisionError()]
)
async def test_a_store_that_fails_in_the_middle_cuts_the_body_off(
    version: str,
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with filled() as app:
        read, calls = app._storage.store.since, 0

        async def since(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise failure
            return await read(*args, **more)

        monkeypatch.setattr(app._storage.store, "since", since)
        reader = Reader(app, READS[0] + "&token=s3cr3t", version)
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while more := await reader.read():
                data += more
        reader.close()
        body = data.partition(b"\r\n\r\n")[2]
        with pytest.raises(ValueError, match="cut off" if version == "1.1" else "delimiter|char"):
            json.loads(dechunk(body) if version == "1.1" else body)
        assert app._life.server is not None
        await eventually(lambda: app._life.server._http.readers.present == 0)  # type: ignore[union-attr]
    assert "GET '/api/sync/e'" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_writing_goes_on_while_a_body_is_read_and_none_of_it_is_missed(store: str) -> None:
    async with filled(store, stall_timeout=60) as app:
        reader = Reader(app, READS[0])
        data = await reader.read(1)
        await eventually(lambda: sum(size > 0 for size in waiting(app)) == 1)
        written = (app.changes.push("e", str(n), {"n": -n}) for n in range(0, RECORDS, 7))
        await asyncio.gather(*written, app.changes.push("e", "new", {"n": 1}))
        data += await reader.rest()
        reader.close()
        answer = take_apart(data).json
        assert answer["version"] == RECORDS
        versions = [change["version"] for change in answer["changes"]]
        assert versions == sorted(set(versions))
        records = {change["entity_id"]: change["data"]["n"] for change in answer["changes"]}
        expected = {str(n): n if n % 7 else -n for n in range(RECORDS)}
        assert records == {**expected, "new": 1}


async def test_stopping_waits_for_no_reader(store: str) -> None:
    app = App(store=store, config=Config(port=0, stop_timeout=0.1, stall_timeout=60))
    await app.start()
    await fill(app)
    with never_read(app, READS[0], 3):
        await eventually(lambda: sum(size > 0 for size in waiting(app)) == 3)
        async with asyncio.timeout(PATIENCE):
            await app.stop()


@pytest.mark.parametrize(
    "fact",
    [
        test_one_who_reads_nothing_keeps_a_page_in_memory_and_no_more,
        test_one_who_reads_nothing_is_cut_off_and_counted,
        test_one_who_reads_slowly_but_reads_gets_everything,
        test_one_who_has_no_more_to_say_is_answered_in_full,
    ],
)
@pytest.mark.parametrize("path", [READS[0], "/big"])
def test_it_is_so_on_the_loop_of_the_command_as_well(
    fact: Callable[[str], Coroutine[Any, Any, None]], path: str
) -> None:
    uvloop.run(fact(path))  # its transports are not asyncio's
