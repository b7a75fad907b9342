"""A cluster of real processes behind a load balancer, and clients of it that miss nothing.

Knows how its nodes are started, frozen and killed, and what must be so at the end, whatever became
of them. Must not know what befalls them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from websockets import WebSocketException
from websockets.asyncio.client import ClientConnection, connect

import rhtmx
from rhtmx import Increment
from rhtmx.messages.tables import SCHEMA_HASH
from tests.support.history import Stream
from tests.support.process import ServerProcess, serving
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

__all__ = ["COUNTS", "MARKS", "Cluster", "Load", "Node", "Reader", "loaded", "running"]

MARKS = "marks"
"""Has one record for each write: none may be missing, and each is written once."""

COUNTS = "counts"
"""Has one record, to which each write adds one, so that nodes are in each other's way."""

_PAUSE = 0.02
"""Seconds before somebody who was sent away comes back."""


class Progress:
    """Counts what has happened, and wakes who waits for more of it."""

    def __init__(self) -> None:
        self.count = 0
        self._moved = asyncio.Event()

    def add(self) -> None:
        """Something has happened once more."""
        self.count += 1
        self._moved.set()

    async def after(self, more: int) -> None:
        """Wait until it has happened so often again."""
        wanted = self.count + more
        async with asyncio.timeout(PATIENCE):
            while self.count < wanted:
                self._moved.clear()
                await self._moved.wait()


class Node:
    """One server of the cluster: a process, and when that was killed another one.

    Args:
        folder: where it runs.
        arguments: of its command.

    Attributes:
        away: the balancer sends nobody there.
    """

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self._folder = folder
        self._arguments = arguments
        self._stack = contextlib.AsyncExitStack()
        self._server: ServerProcess | None = None
        self.away = True

    @property
    def server(self) -> ServerProcess:
        """Its process."""
        assert self._server is not None
        return self._server

    @property
    def port(self) -> int:
        """Where it listens."""
        port = urlsplit(self.server.url).port
        assert port is not None
        return port

    async def start(self) -> None:
        """Start it."""
        self._server = await self._stack.enter_async_context(
            serving(*self._arguments, folder=self._folder)
        )
        self.away = False

    async def kill(self) -> None:
        """End it without a word."""
        self.away = True
        await self.server.kill()
        await self.close()

    def freeze(self) -> None:
        """Stop it where it is; the balancer notices."""
        self.away = True
        self.server.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.server.process.send_signal(signal.SIGCONT)
        self.away = False

    async def close(self) -> None:
        """End it, if it runs."""
        await self._stack.aclose()

    async def ask(self, path: str) -> str:
        """What it answers over plain HTTP, with the head."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        said = (await reader.read()).decode()
        writer.close()
        return said

    async def answers(self, path: str, status: int) -> bool:
        """Whether it answers with this status."""
        return f" {status} " in (await self.ask(path)).partition("\r\n")[0]

    async def metric(self, name: str) -> float:
        """One of its figures."""
        lines = (await self.ask("/metrics")).splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


class Cluster:
    """Nodes, and a load balancer in front of them.

    Args:
        folder: where they run.
        arguments: of the command of each node, beside its own.
        random: says where a client comes to.

    Attributes:
        nodes: all of them.
        url: the address of the balancer.
    """

    def __init__(self, folder: Path, arguments: Sequence[Sequence[str]], random: Random) -> None:
        self.nodes = [Node(folder, each) for each in arguments]
        self.url = ""
        self._random = random
        self._links: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to a node that is there."""
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def close(self) -> None:
        """Cut every connection, and end every node."""
        for task in self._links:
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        for node in self.nodes:
            await node.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = await self._reach()
        if found is None:
            writer.transport.abort()
            return
        below, above = found
        ways = [asyncio.create_task(_pass(*way)) for way in ((reader, above), (below, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (above, writer):
                end.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        there = [node for node in self.nodes if not node.away]
        for node in self._random.sample(there, len(there)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", node.port)
        return None


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()


@contextlib.asynccontextmanager
async def running(
    folder: Path, arguments: Sequence[Sequence[str]], *, seed: int = 0
) -> AsyncIterator[Cluster]:
    """A cluster that is ready.

    Args:
        folder: where its nodes run.
        arguments: of the command of each of them.
        seed: says where a client comes to.
    """
    cluster = Cluster(folder, arguments, Random(seed))
    balancer = await asyncio.start_server(cluster.accept, "127.0.0.1", 0)
    cluster.url = f"ws://127.0.0.1:{balancer.sockets[0].getsockname()[1]}/api/ws"
    try:
        for node in cluster.nodes:
            await node.start()
        yield cluster
    finally:
        balancer.close()
        await cluster.close()


class Reader:
    """A client that is only its socket, and goes on where it was, at whichever node.

    What it is sent it holds against what a stream promises; a promise that is broken is raised
    by `run`.

    Args:
        url: where it connects.

    Attributes:
        streams: what it was told, by entity.
        resets: of each reset the entity, and where it had been.
        visits: how often it has connected.
        told: counts what it is told.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._epochs: dict[str, str] = {}
        self.streams = {entity: Stream(entity) for entity in (MARKS, COUNTS)}
        self.resets: list[tuple[str, int]] = []
        self.visits = 0
        self.told = Progress()

    async def run(self) -> None:
        """Read, and come back whenever the connection ends, until cancelled."""
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with connect(
                    self._url, open_timeout=5, ping_interval=1, ping_timeout=2, close_timeout=0.1
                ) as socket:
                    await self._read(socket)
            await asyncio.sleep(_PAUSE)

    async def _read(self, socket: ClientConnection) -> None:
        hello = {"type": "hello", "client_id": uuid4().hex, "schema": SCHEMA_HASH}
        await socket.send(json.dumps(hello))
        while (welcome := json.loads(await socket.recv()))["type"] != "welcome":
            pass
        since = {
            entity: {
                "version": each.position,
                "epoch": self._epochs.setdefault(entity, welcome["epoch"]),
            }
            for entity, each in self.streams.items()
        }
        asked = {"type": "subscribe", "entities": [*self.streams], "since": since}
        await socket.send(json.dumps(asked))
        self.visits += 1
        async for text in socket:
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        entity = message.get("change", message).get("entity")
        stream = self.streams.get(entity)
        if stream is None:
            return
        if message["type"] == "sync_begin":
            self._epochs[entity] = message["epoch"]
            if message["reset"]:
                self.resets.append((entity, stream.position))
                stream.rewound(0)
        stream.saw(message)
        if message["type"] == "sync_complete":
            self._epochs[entity] = message["epoch"]
        self.told.add()


class Writer:
    """A program that writes through a client with a store.

    Args:
        url: where its client connects.
        store: the file of its client.
        name: its own.
        written: counts what is acknowledged, of all writers.

    Attributes:
        done: nothing waits any more.
        marks: what its client shows.
        begun: the marks that it has written.
        acknowledged: those of which it was told that they are durable, with their versions.
    """

    def __init__(self, url: str, store: Path, name: str, written: Progress) -> None:
        self.client = rhtmx.connect(url, store=store, open_timeout=5)
        self._name = name
        self._written = written
        self._ends = asyncio.Event()
        self.done = asyncio.Event()
        self.marks = self.client.collection(MARKS)
        self.begun: list[str] = []
        self.acknowledged: dict[str, int] = {}

    async def run(self) -> None:
        """Write, several at once, until it is to end; and read until cancelled."""
        async with self.client, self.marks:
            while not self._ends.is_set():
                await asyncio.gather(*(self.write() for _ in range(3)))
            async for waiting in self.client.queues():
                if not waiting:
                    break
            self.done.set()
            await asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Write no more."""
        self._ends.set()

    def shows(self, marks: Collection[str]) -> bool:
        """Whether its client shows these, and no others."""
        return {each.id for each in self.marks.all()} == set(marks)

    async def write(self) -> None:
        """Write one mark, and count it."""
        mark = f"{self._name}-{len(self.begun) + 1}"
        self.begun.append(mark)
        async with self.client.transaction() as both:
            both.set(MARKS, mark, {"by": self._name})
            both.patch(COUNTS, "all", {"n": Increment(1)})
        assert both.result is not None
        version = both.result.results[0].version
        assert version is not None
        self.acknowledged[mark] = version
        self._written.add()


class Load:
    """Writers and readers of a cluster, at work.

    Attributes:
        written: counts what is acknowledged.
        writers: those who write.
        readers: those who read.
    """

    def __init__(self, cluster: Cluster, folder: Path, writers: int, readers: int) -> None:
        self.written = Progress()
        self.writers = [
            Writer(cluster.url, folder / f"writer{number}.db", f"w{number}", self.written)
            for number in range(writers)
        ]
        self.readers = [Reader(cluster.url) for _ in range(readers)]
        self._cluster = cluster
        self._reading = [asyncio.create_task(each.run()) for each in self.readers]
        self._writing = [asyncio.create_task(each.run()) for each in self.writers]

    async def finish(self) -> None:
        """Write no more, and wait until nothing waits to be written."""
        for each in self.writers:
            each.end()
        await eventually(
            lambda: all(
                each.done.is_set() or task.done()
                for each, task in zip(self.writers, self._writing, strict=True)
            )
        )
        for task in self._writing:
            if task.done():
                task.result()

    async def check(self, lost: frozenset[str] = frozenset()) -> None:
        """Make sure that all that was written is there once, and that every reader has it.

        Args:
            lost: the writes that may be missing, and have to be.
        """
        begun = set(itertools.chain.from_iterable(each.begun for each in self.writers))
        there = await self.what_is_there()
        missing, more = begun - lost - there.keys(), there.keys() - (begun - lost)
        assert not missing, f"lost: {sorted(missing)[:10]}"
        assert not more, f"there, and should not be: {sorted(more)[:10]}"
        assert all(not each.client.rejected for each in self.writers)
        for node in self._cluster.nodes:
            async with rhtmx.connect(node.server.url) as client:
                (count,) = await client.sync(COUNTS)
                assert count.data == {"n": len(there)}, "each write counts once"
                assert count.version == len(there)
        for reader in self.readers:
            await self._has(reader, there)
        for writer in self.writers:
            await eventually(lambda writer=writer: writer.shows(there))  # type: ignore[misc]

    async def what_is_there(self) -> dict[str, int]:
        """The marks, and their versions: the same at each node, once all have heard of them."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [await self._marks_at(node.server.url) for node in self._cluster.nodes]
                if all(each == found[0] for each in found):
                    return found[0]

    @staticmethod
    async def _marks_at(url: str) -> dict[str, int]:
        async with rhtmx.connect(url) as client:
            marks = await client.sync(MARKS)
        found = {each.entity_id: each.version for each in marks}
        versions = sorted(found.values())
        assert versions == [*range(1, len(versions) + 1)], f"at one node: {versions}"
        return found

    async def close(self) -> None:
        """End all of it."""
        for task in (*self._reading, *self._writing):
            task.cancel()
        await asyncio.gather(*self._reading, *self._writing, return_exceptions=True)

    async def _has(self, reader: Reader, there: dict[str, int]) -> None:
        """Wait until a reader has everything, and make sure that it is what is there."""
        marks, counts = reader.streams[MARKS], reader.streams[COUNTS]
        while min(marks.position, counts.position) < len(there):
            for task in self._reading:
                if task.done():
                    task.result()
            await reader.told.after(1)
        assert marks.records.keys() == there.keys(), "a hole"
        assert counts.records == {"all": {"n": len(there)}}


@contextlib.asynccontextmanager
async def loaded(
    cluster: Cluster, folder: Path, *, writers: int = 4, readers: int = 4
) -> AsyncIterator[Load]:
    """Writers and readers at work, until the end.

    Args:
        cluster: where.
        folder: for the stores of the writers.
        writers: how many.
        readers: how many.
    """
    load = Load(cluster, folder, writers, readers)
    try:
        yield load
    finally:
        await load.close()
