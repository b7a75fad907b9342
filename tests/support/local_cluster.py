"""A cluster on this machine, to look at: PostgreSQL, NATS, and two nodes with the demo.

    python -m tests.support.local_cluster

`nox -s serve -- --cluster` runs this. It is all in temporary folders, and gone when it ends: on
Ctrl-C, or on SIGTERM.

Knows how to start and end them. Must not know what the nodes do.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import nats, postgres
from tests.support.nest import end_together

__all__ = ["Balancer", "Node", "nodes"]

NAMES = ("a", "b")

_CHUNK = 1 << 16

_TRY = """
Open the first two side by side and change a task at one: it changes at the other.
Open the third and end the node that it names under "Connection" (kill -9 PROCESS): the page goes on
by the other node, with all that you had written.
Ctrl-C ends all of it, and keeps nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """One of the servers, which is running.

    Args:
        name: what it tells its clients.
        port: where it listens.
        process: it.
    """

    name: str
    port: int
    process: Process


class Balancer:
    """Passes each connection on to one of some ports that takes it, in turn.

    Args:
        ports: where the servers are, on this machine.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._connections: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[int]:
        """Listen; ends all connections at the end. Gives the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for each in self._connections:
                each.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._pass_on(reader, writer))
        self._connections.add(passing)
        passing.add_done_callback(self._connections.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            for _ in self._ports:
                self._ports.append(port := self._ports.pop(0))
                with contextlib.suppress(OSError):
                    there, back = await asyncio.open_connection("127.0.0.1", port)
                    with contextlib.closing(back):
                        await _either(_copy(reader, back), _copy(there, writer))
                    return


async def _either(*ways: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them has ended, and end the others."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def nodes(store: str, bus: str, ports: Sequence[int]) -> AsyncIterator[list[Node]]:
    """Servers with the demo on one store, one for each port (0: a free one); ended at the end.

    Args:
        store: the URL of its PostgreSQL.
        bus: the URL of the bus between them.
        ports: where they listen.

    Raises:
        RuntimeError: one of them does not start; it has said why on standard error.
    """
    async with contextlib.AsyncExitStack() as stack:
        starting = [
            await stack.enter_async_context(_process(store, bus, name, port))
            for name, port in zip(NAMES, ports, strict=True)
        ]
        try:
            yield [await _ready(*each) for each in zip(NAMES, starting, strict=True)]
        finally:  # all at once: each takes its time
            for process in starting:
                _terminate(process)


@contextlib.asynccontextmanager
async def _process(store: str, bus: str, name: str, port: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rhtmx_server", "--store", store, "--bus", bus),
        *("--node-name", name, "--port", str(port), "--log-level", "warning"),
        stdin=subprocess.DEVNULL,
        stdout=PIPE,
        start_new_session=True,  # Ctrl-C is for this program, which ends them in order
        preexec_fn=end_together,
    )
    try:
        yield process
    finally:
        _terminate(process)
        await process.wait()


def _terminate(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()


async def _ready(name: str, process: Process) -> Node:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    if not line.startswith("ready "):
        raise RuntimeError(f"node {name} has not started")
    return Node(name, int(line.rpartition(":")[2].partition("/")[0]), process)


def _free(port: int) -> int:
    """A port, if nobody has it; else 0, for any that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    return 0


async def _show(store: str, bus: str, port: int, say: Callable[[str], None]) -> None:
    """Run the nodes until SIGINT or SIGTERM, or until none is left."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    wanted = [port and port + number for number in range(len(NAMES) + 1)]
    *own, shared = map(_free, wanted)
    async with (
        nodes(store, bus, own) as running,
        Balancer([node.port for node in running]).running(shared) as both,
    ):
        ports = [*(node.port for node in running), both]
        for taken, instead in zip(wanted, ports, strict=True):
            if taken not in (0, instead):
                say(f"port {taken} is taken: {instead} instead")
        for node in running:
            say(f"node {node.name}  http://127.0.0.1:{node.port}/  process {node.process.pid}")
        say(f"any     http://127.0.0.1:{both}/  one of them, as behind a load balancer")
        say(_TRY)
        await _either(stopped.wait(), _ended(running, say))
        say("stopping")


async def _ended(running: Sequence[Node], say: Callable[[str], None]) -> None:
    """Wait until no node is left, and say of each that it has ended."""

    async def one(node: Node) -> None:
        code = await node.process.wait()
        say(f"node {node.name} has ended ({code})")

    await asyncio.gather(*map(one, running))


def main() -> None:
    """Start everything, say where to look, and end it when asked to."""
    parser = argparse.ArgumentParser(description="Two nodes with the demo, on one PostgreSQL.")
    parser.add_argument(
        "--port", type=int, default=3000, help="of the first; the next two follow. 0: free ones"
    )
    port = parser.parse_args().port
    # Until there is a loop: all that was begun is ended on SIGTERM, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="nats") as folder,
        postgres.running() as database,
        nats.running(Path(folder)) as bus,
    ):
        asyncio.run(_show(database.place(), bus.url, port, _say))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
