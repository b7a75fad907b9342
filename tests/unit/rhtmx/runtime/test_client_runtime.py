"""Facts about `rhtmx.runtime.client_runtime`."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core import build_message
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Image, PutWrite, SetLast, StoredWrite
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Pong, Push, Sync
from rhtmx.runtime.client_runtime import at_most
from rhtmx.runtime.handshake import DialError, WebSocketEndpoint
from rhtmx.stores.memory import MemoryStore
from rhtmx.wire import Format, encode
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer, client_of


async def test_a_client_is_open_inside_and_closed_outside(peer: Peer) -> None:
    client = client_of(peer)
    seen = [client.state]
    async with client:
        seen.append(client.state)
    assert [*seen, client.state] == [State.CONNECTING, State.OPEN, State.CLOSED]


async def test_states_tells_now_and_each_new_one(client: Client, peer: Peer) -> None:
    seen = []
    async for state in client.states():
        seen.append(state)
        if len(seen) == 1:
            await peer.drop()
        elif len(seen) == 4:
            await client.close()
    assert seen == [State.OPEN, State.WAITING, State.CONNECTING, State.OPEN, State.CLOSED]


async def test_a_client_connects_once(client: Client) -> None:
    with pytest.raises(ConnectionClosed, match="make another one"):
        async with client:
            pass


async def test_after_the_end_every_call_says_so(peer: Peer) -> None:
    async with client_of(peer) as client:
        pass
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await client.push("tasks", "1", 1)
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        async for _ in client.changes("tasks"):
            pass


async def test_with_a_store_entering_does_not_wait_for_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=path) as client:
        states = [client.state]
        name = client.client_id
    assert [*states, client.state] == [State.CONNECTING, State.CLOSED]
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=path) as client:
        assert client.client_id == name


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(RhtmxError, match=r"connect: url: ws://host:port/api/ws .* names no host"):
        rhtmx.connect("ws:///api/ws", store="replica.db")
    with pytest.raises(RhtmxError, match="connect: ssl is for wss:// or https://, not 'ws://h/'"):
        rhtmx.connect("http://h/?token=t", ssl=ssl.create_default_context())


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[str]:
    """A server of somebody else's."""

    async def end(socket: ServerConnection) -> None:
        await socket.close(1000, "bye")

    async with serve(end, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/api/ws"


def answer(status: int, words: str) -> dict[str, Any]:
    return {"process_request": lambda socket, request: socket.respond(status, words)}


CHAT = {"select_subprotocol": lambda socket, offered: "chat"}

REFUSALS = pytest.mark.parametrize(
    ("options", "words"),
    [
        (answer(403, "pages from https://x may not connect"), "pages from https://x may not"),
        (answer(404, "there is nothing here"), "is the path right\\? The server's own is /api/ws"),
        (CHAT, "does not speak rhtmx.v1.json there"),
    ],
    ids=["origin", "path", "subprotocol"],
)


@REFUSALS
async def test_a_program_that_the_server_refuses_is_told_by_every_call_with_a_store_too(
    options: dict[str, Any], words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(**options) as url, rhtmx.connect(url, store=tmp_path / "r.db") as client:
        waiting = [
            asyncio.ensure_future(client.collection("tasks").synced()),
            asyncio.ensure_future(anext(client.changes("tasks"))),
            asyncio.ensure_future(client.validate_field("signup", "email", "x")),
        ]
        assert [state async for state in client.states()][-1] is State.CLOSED
        for each in waiting:
            with pytest.raises(ConnectionClosed, match=words):
                await each
        with pytest.raises(ConnectionClosed, match=words):
            await client.push("tasks", "1", 1)
        assert client.problem is not None
        assert re.search(words, client.problem.message)
    assert re.search(f"has ended: cannot connect to .*{words}", caplog.text)


@REFUSALS
async def test_a_program_that_the_server_refuses_does_not_begin_without_a_store(
    options: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(**options) as url:
        with pytest.raises(ConnectionClosed, match=words):
            async with rhtmx.connect(url):
                pass
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (answer(200, "hello"), "there is a web page, but no WebSocket"),
        (answer(502, "bad gateway"), "HTTP 502 Bad Gateway"),
        ({}, "ended the connection before it had said welcome"),
    ],
    ids=["page", "proxy", "stranger"],
)
async def test_what_may_pass_is_tried_again_and_told_once(
    options: dict[str, Any], words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(**options) as url, rhtmx.connect(url, store=tmp_path / "r.db") as client:
        waits = 0
        async for state in client.states():
            waits += state is State.WAITING
            if state is State.WAITING:
                assert client.problem is not None
                assert words in client.problem.message
                client.online()
            if waits == 3:
                break
    assert caplog.text.count(words) == 1


async def test_nobody_there_is_a_warning_once_if_nobody_ever_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=tmp_path / "r.db") as client:
        assert client.problem is None
        waits = 0
        async for state in client.states():
            if state is State.WAITING:
                assert client.problem is not None
                assert "connection refused" in client.problem.message
                client.online()
                waits += 1
            if waits == 2:
                break
    assert caplog.text.count("connection refused: is the server running?: trying again") == 1


async def test_nobody_there_any_more_is_told_by_the_state_and_is_no_warning(
    peer: Peer, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_: object) -> None:
        raise DialError("connection refused", final=False, usual=True)

    async with rhtmx.connect(peer.url, store=tmp_path / "r.db") as client:
        await eventually(lambda: client.state is State.OPEN)
        monkeypatch.setattr("rhtmx.runtime.handshake.dial", refused)
        await peer.drop(4000, "the server is stopping")
        client.online()
        await eventually(
            lambda: client.problem is not None and client.problem.message == "connection refused"
        )
    assert caplog.text == ""


async def test_a_problem_is_over_once_there_is_a_connection(client: Client, peer: Peer) -> None:
    assert client.problem is None
    await peer.drop(4000, "the server is stopping")
    async for state in client.states():
        if state is State.WAITING:
            assert client.problem is not None
            assert client.problem.message.endswith("was lost (4000 the server is stopping)")
        elif state is State.OPEN and peer.connections == 2:
            break
    assert client.problem is None
    await client.close()
    assert isinstance(client.problem, ConnectionClosed)


async def test_without_a_store_there_is_nothing_to_wait_for(client: Client) -> None:
    await client.saved()


async def test_saved_waits_until_a_write_is_in_the_store(tmp_path: Path) -> None:
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=tmp_path / "replica.db") as client:
        call = asyncio.create_task(client.push("tasks", "1", 1))
        await asyncio.sleep(0)
        assert [each.stored for each in client.queue] == [False]
        await client.saved()
        assert [each.stored for each in client.queue] == [True]
        call.cancel()


async def test_a_client_that_was_not_entered_cannot_go_online(peer: Peer) -> None:
    with pytest.raises(ConnectionClosed, match="async with"):
        client_of(peer).online()


def records(store: MemoryStore) -> set[str]:
    """The tasks that it holds."""
    kept = store.load().entities.get("tasks")
    return set() if kept is None else set(kept.records)


async def test_what_the_server_tells_is_stored_without_anybody_asking(peer: Peer) -> None:
    store = MemoryStore("c1")
    async with client_of(peer, store=store) as client:
        await client.collection("tasks").synced()
        await peer.write("a", {"n": 1})
        await eventually(lambda: "a" in records(store))


@pytest.mark.parametrize("stored", [False, True])
async def test_to_close_inside_of_the_block_and_again_is_no_error(
    peer: Peer, tmp_path: Path, stored: bool
) -> None:
    client = rhtmx.connect(peer.url, store=tmp_path / "client.db" if stored else None)
    async with client:
        await client.push("tasks", "1", 1)
        await client.close()
    await client.close()
    assert client.state is State.CLOSED


async def test_a_server_that_ends_it_for_good_before_the_welcome_is_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(4500, "no")

    async with serve(refuse, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        async with rhtmx.connect(url, store=tmp_path / "client.db") as client:
            assert [state async for state in client.states()][-1] is State.CLOSED
    assert "has ended: the server closed the connection for good (4500 bad_message)" in caplog.text
    assert "trying again" not in caplog.text


async def test_what_is_told_is_sent(peer: Peer) -> None:
    async with client_of(peer) as client:
        assert client._runtime.tell(Pong())
        await peer.until(lambda: Pong() in peer.heard)


async def test_what_no_server_could_take_is_not_told(peer: Peer) -> None:
    async with client_of(peer) as client:
        with pytest.raises(RhtmxError, match=r"sync\.entity: 1 to 255 bytes") as wrong:
            client._runtime.tell(Sync(""))
        with pytest.raises(RhtmxError) as large:
            client._runtime.tell(Authenticate("x" * 70_000))
        assert client._runtime.tell(Pong())
        await peer.until(lambda: Pong() in peer.heard)
    assert wrong.value.code is ErrorCode.BAD_MESSAGE
    assert large.value.code is ErrorCode.TOO_LARGE
    assert not [each for each in peer.heard if isinstance(each, Sync | Authenticate)]


async def test_without_a_connection_nothing_is_told(peer: Peer) -> None:
    client = client_of(peer)
    with pytest.raises(ConnectionClosed, match="not connected"):
        client._runtime.tell(Pong())
    async with client:
        client.offline()
        assert not client._runtime.tell(Pong())
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        client._runtime.tell(Pong())


LARGE_NAMES = ["t", "\u00e4" * 127, "\U0001f600" * 60, '"' * 255]


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", LARGE_NAMES)
@pytest.mark.parametrize("size", [0, 1, 100, 10_000])
def test_no_write_is_larger_than_it_is_taken_for(form: Format, name: str, size: int) -> None:
    """Only what may be too large is encoded to see whether it is."""
    data = "x" * size
    for message in (
        build_message.push("tasks", name, data, 2**53 - 1),
        build_message.push_delete("tasks", name, 2**53 - 1),
        build_message.push_fields("tasks", name, {name: data, "b": 1}, ("c", "d"), 2**53 - 1, NOW),
    ):
        message.request_id, message.seq = "0123456789-123456789", 2**53 - 1
        assert len(encode(message, form)) <= at_most(message)


async def test_a_write_that_was_kept_without_a_number_gets_one_when_its_store_is_opened() -> None:
    store = MemoryStore("c")
    kept = StoredWrite("a", 0, build_message.push("tasks", "1", 1, None))
    store.add([], [PutWrite(kept), SetLast(5)])
    nowhere = WebSocketEndpoint("ws://127.0.0.1:1/", Format.JSON)
    async with Client(Session("c", lambda: 0.5), nowhere, store=store) as client:
        await eventually(lambda: client.queue[0].seq == 6)
    assert [(row.id, row.seq) for row in store.load().rows] == [("a", 6)]


class SlowToOpen(MemoryStore):
    """A store that opens only when it is let."""

    def __init__(self) -> None:
        super().__init__("c")
        self.free = threading.Event()
        self.closed = 0

    def load(self) -> Image:
        assert self.free.wait(PATIENCE)
        return super().load()

    def close(self) -> None:
        self.closed += 1


async def test_a_client_that_is_entered_twice_at_once_has_one_store(peer: Peer) -> None:
    store = SlowToOpen()
    client = client_of(peer, store=store)
    entering = asyncio.create_task(client.__aenter__())
    await asyncio.sleep(0)
    with pytest.raises(ConnectionClosed, match="connects once"):
        await client.__aenter__()
    store.free.set()
    await entering
    await client.push("users", "1", {"n": 1})
    await client.close()
    assert store.closed


async def test_a_client_that_is_closed_while_it_is_entered_is_not_open_afterwards(
    peer: Peer,
) -> None:
    store = SlowToOpen()
    client = client_of(peer, store=store)
    entering = asyncio.create_task(client.__aenter__())
    await asyncio.sleep(0)
    closing = asyncio.create_task(client.close())
    store.free.set()
    await closing
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await entering
    assert store.closed
    assert peer.connections == 0


async def test_a_client_whose_store_was_in_use_can_be_entered_later(
    peer: Peer, tmp_path: Path
) -> None:
    path = tmp_path / "replica.db"
    client = rhtmx.connect(peer.url, store=path)
    async with rhtmx.connect(peer.url, store=path):
        with pytest.raises(RhtmxError, match="another client has it open"):
            await client.__aenter__()
    async with client:
        await client.push("users", "1", {"n": 1})


async def test_entering_that_was_cancelled_lets_go_of_the_store(peer: Peer) -> None:
    store = SlowToOpen()
    client = client_of(peer, store=store)
    entering = asyncio.create_task(client.__aenter__())
    await asyncio.sleep(0)
    entering.cancel()
    store.free.set()
    with pytest.raises(asyncio.CancelledError):
        await entering
    await eventually(lambda: store.closed > 0)
    async with client:
        await client.push("users", "1", {"n": 1})


async def test_without_its_store_a_client_ends_instead_of_waiting_for_ever(peer: Peer) -> None:
    async with client_of(peer, store=MemoryStore("c")) as client:
        await client.push("users", "1", {"n": 1})
        writer = client._runtime._store_writer
        assert writer is not None
        assert writer._task is not None
        writer._task.cancel()
        with pytest.raises(ConnectionClosed, match="nothing is stored any more"):
            await client.push("users", "2", {"n": 1})
        assert client.state is State.CLOSED


async def test_what_a_program_has_written_as_it_ends_is_stored(peer: Peer) -> None:
    """`asyncio.run` cancels all tasks at once: the program's, and those of the client."""
    store, writes = MemoryStore("c"), asyncio.Event()

    async def work() -> None:
        async with client_of(peer, store=store) as client:
            client.offline()
            client.push("users", "1", {"n": 1})
            writes.set()
            await asyncio.Event().wait()

    others = asyncio.all_tasks()
    working = asyncio.create_task(work())
    await writes.wait()
    for task in asyncio.all_tasks() - others:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    (row,) = store.load().rows
    assert isinstance(row.message, Push)


def test_a_client_can_be_closed_after_the_end_of_its_loop() -> None:
    store = MemoryStore("c")

    async def begin() -> Client:
        nowhere = WebSocketEndpoint("ws://127.0.0.1:1/", Format.JSON)
        client = Client(Session("c", lambda: 0.5), nowhere, store=store)
        await client.__aenter__()
        client.push("users", "1", {"n": 1})
        return client

    client = asyncio.run(begin())
    asyncio.run(client.close())
    assert len(store.load().rows) == 1
    assert client.state is State.CLOSED
