"""The server as an operator sees it: starting, stopping, being killed.

What depends on how a process starts or ends runs as an operator starts it (`at_once=False`).
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from rhtmx_server import App, Config
from tests.support.history import Stream
from tests.support.plain_http import ask
from tests.support.process import ServerProcess, refused, serving
from tests.support.slow import slow_reader
from tests.support.sockets import PATIENCE, Raw, raw


async def introduce(client: Raw, client_id: str) -> int:
    hello = {"type": "hello", "client_id": client_id, "secret": f"that of {client_id}"}
    last_seq: int = (await client.ask(hello, "welcome"))["last_seq"]
    return last_seq


def numbered(client_id: str, seq: int) -> dict[str, Any]:
    return {
        "type": "push", "entity": "e", "entity_id": f"{client_id}-{seq % 20}",
        "action": "update", "data": {"seq": seq}, "seq": seq,
    }  # fmt: skip


async def push_until_cut(client: Raw, client_id: str, seq: int, acknowledged: list[int]) -> None:
    """Push numbered mutations, several in flight, until the connection ends."""

    async def read() -> None:
        while True:
            acknowledged.append((await client.until("push_ack"))["seq"])

    reading = asyncio.create_task(read())
    try:
        while True:
            for _ in range(16):
                seq += 1
                await client.send(numbered(client_id, seq))
            await asyncio.sleep(0)
    except ConnectionClosed:
        pass
    with pytest.raises(ConnectionClosed):
        await reading


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_nothing_acknowledged_is_lost_when_it_ends_under_load(
    tmp_path: Path, how: str
) -> None:
    acknowledged: dict[str, list[int]] = {name: [] for name in ("a", "b", "c")}
    stream = Stream("e")
    epoch = ""
    port = 0
    for _ in range(3):
        async with serving(folder=tmp_path, port=port) as server:
            port = int(server.url.split(":")[2].split("/")[0])
            epoch = await _round(server, acknowledged, stream, epoch, how)
    async with serving(folder=tmp_path, port=port) as server, raw(server.url) as client:
        await _subscribe(client, stream, epoch)
        for message in client.log:
            stream.saw(message)
        for name, seqs in acknowledged.items():
            assert seqs == sorted(set(seqs))
            async with raw(server.url) as each:
                assert await introduce(each, name) >= max(seqs)
                # Written, or replaced by a later write of the same client.
                for seq in seqs[-20:]:
                    assert stream.records[f"{name}-{seq % 20}"]["seq"] >= seq


async def _subscribe(client: Raw, stream: Stream, epoch: str) -> str:
    position = {"epoch": epoch, "version": stream.position}
    await client.send({"type": "subscribe", "entities": ["e"], "since": {"e": position}})
    done = await client.until("sync_complete")
    assert done["reset"] is False
    return str(done["epoch"])


async def _round(
    server: ServerProcess,
    acknowledged: dict[str, list[int]],
    stream: Stream,
    epoch: str,
    how: str,
) -> str:
    async with raw(server.url, max_queue=None) as reader:
        epoch = await _subscribe(reader, stream, epoch)
        sockets = [raw(server.url, max_queue=None) for _ in acknowledged]
        clients = [await each.__aenter__() for each in sockets]
        pushing = []
        for client, name in zip(clients, acknowledged, strict=True):
            seq = await introduce(client, name)
            task = push_until_cut(client, name, seq, acknowledged[name])
            pushing.append(asyncio.create_task(task))
        enough = {name: len(seqs) + 50 for name, seqs in acknowledged.items()}
        while any(len(acknowledged[name]) < count for name, count in enough.items()):
            await reader.until("change")
        if how == "kill":
            await server.kill()
        else:
            assert await server.terminate() == 0
        await asyncio.gather(*pushing)
        with pytest.raises(ConnectionClosed) as closed:
            await reader.until_that(lambda message: False)
        if how == "terminate":
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4000
        for message in reader.log:
            stream.saw(message)
        for each in sockets:
            await each.__aexit__(None, None, None)
    return epoch


async def test_it_stops_in_its_time_although_a_reader_stalls(tmp_path: Path) -> None:
    # It would go on waiting for the reader for an hour.
    options = ("--stop-timeout", "0.5", "--stall-timeout", "3600")
    async with (
        serving(*options, folder=tmp_path, at_once=False) as server,
        raw(server.url) as writer,
        slow_reader(server.url) as stalled,
    ):
        stalled.send({"type": "subscribe", "entities": ["e"]})
        for n in range(100):
            await writer.push("e", str(n), "x" * 60_000)
        assert await server.terminate() == 0


async def test_a_second_process_on_the_same_file_is_refused_in_words(tmp_path: Path) -> None:
    async with serving(folder=tmp_path):
        arguments = ("--app", "live:app", "--port", "0", "--store", "sqlite:///live.db")
        status, words = await refused(*arguments, folder=tmp_path)
    assert status == 1
    assert words.startswith("error: ")
    assert "live.db" in words
    assert "Traceback" not in words


@pytest.mark.parametrize("name", ["link.db", "renamed.db", "live.db"])
async def test_a_second_process_is_refused_by_whatever_name_it_knows_the_file(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / "live.db"
    async with serving(folder=tmp_path):
        match name:
            case "link.db":
                file.with_name(name).hardlink_to(file)
            case "renamed.db":
                file.rename(file.with_name(name))
            case _:
                file.unlink()  # a new one must not take over the log of the old one
        arguments = ("--app", "live:app", "--port", "0", "--store", f"sqlite:///{name}")
        status, words = await refused(*arguments, folder=tmp_path)
    assert status == 1
    assert words.startswith("error: ")
    assert f"{name} " in words
    assert "another rhtmx server (process " in words


async def test_nothing_is_acknowledged_or_delivered_once_the_database_is_gone(
    tmp_path: Path,
) -> None:
    async with (
        serving(folder=tmp_path) as server,
        raw(server.url) as writer,
        raw(server.url) as reader,
    ):
        await writer.push("e", "1", 1)
        await reader.send({"type": "subscribe", "entities": ["e"]})
        await reader.ask({"type": "ping"}, "pong")
        assert (await ask(server.http, "/readyz")).status == 200
        (tmp_path / "live.db").unlink()
        assert (await ask(server.http, "/readyz")).status == 503
        for n in range(2, 5):
            await writer.send(
                {"type": "push", "entity": "e", "entity_id": f"{n}", "action": "update", "data": n}
            )
            error = await writer.until("error")
            assert error["code"] == "storage_failed"
            assert "deleted, moved or replaced" in error["message"]
        await reader.ask({"type": "ping"}, "pong")
        assert [message for message in reader.log if message["type"] == "change"] == []
        assert (await ask(server.http, "/healthz")).status == 200
        assert await server.terminate() == 0
        assert server.process.stderr is not None
        log = (await server.process.stderr.read()).decode()
    assert f"{tmp_path}/live.db was deleted, moved or replaced" in log


async def test_a_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, words = await refused(
            "--app", "live:app", "--port", port, folder=tmp_path, at_once=False
        )
    assert status == 1
    assert port in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--app", "ap:app"), 2, "error: cannot import 'ap' (--app ap:app): no module of that"),
        (("--app", "live:nothing"), 2, "did you mean live:app?"),
        (("--app", "live"), 2, "module:attribute expected"),
        (("--port", "many"), 2, "--port"),
        (("--app", "live:app", "--store", "mysql://x"), 2, "--store"),
        (("--app", "live:app", "--store", "sqlite:///no/such/folder/x.db"), 1, "no/such/folder"),
    ],
)
async def test_a_mistake_is_answered_in_words(
    tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    got, said = await refused(*arguments, folder=tmp_path)
    assert got == status
    assert words in said
    assert "Traceback" not in said


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("dear diary, today I was not a database " * 40)
    before = (tmp_path / "note.txt").read_bytes()
    arguments = ("--app", "live:app", "--port", "0", "--store", "sqlite:///note.txt")
    status, words = await refused(*arguments, folder=tmp_path)
    assert status == 1
    assert "not a" in words
    assert (tmp_path / "note.txt").read_bytes() == before


async def test_a_database_locked_by_another_program_is_refused_in_words(tmp_path: Path) -> None:
    async with serving(folder=tmp_path) as server:
        await server.terminate()
    connection = sqlite3.connect(tmp_path / "live.db", isolation_level=None)
    try:
        connection.execute("begin exclusive")
        arguments = ("--app", "live:app", "--port", "0", "--store", "sqlite:///live.db")
        status, words = await refused(*arguments, folder=tmp_path)
    finally:
        connection.close()
    assert status == 1
    assert "live.db" in words


async def test_the_log_can_be_json_lines_on_standard_error(tmp_path: Path) -> None:
    async with serving("--log-format", "json", folder=tmp_path, at_once=False) as server:
        await server.terminate()
        assert server.process.stderr is not None
        lines = (await server.process.stderr.read()).decode().splitlines()
    for line in lines:
        assert isinstance(json.loads(line), dict)


async def test_it_stops_at_once_although_a_socket_has_not_said_a_word(tmp_path: Path) -> None:
    async with serving(folder=tmp_path) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        address = ("127.0.0.1", port)
        with socket.create_connection(address), socket.create_connection(address) as half:
            half.sendall(b"GET /api/ws HT")
            async with raw(server.url) as client:
                await client.ask({"type": "ping"}, "pong")
                started = time.monotonic()
                assert await server.terminate() == 0
                # The time for a handshake is 30 s.
                assert time.monotonic() - started < 20


@pytest.mark.parametrize("turns", range(12))
async def test_stopping_does_not_wait_for_a_peer_that_is_hanging_up(turns: int) -> None:
    app = App(store="memory://", config=Config(port=0, stop_timeout=3_600))
    await app.start()
    async with asyncio.timeout(PATIENCE):
        async with raw(app.url) as peer:
            leaving = asyncio.create_task(peer.socket.close())
            for _ in range(turns):  # somewhere between its close frame and the end of its socket
                await asyncio.sleep(0)
            await app.stop()
            await leaving
