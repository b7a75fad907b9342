"""Hostile peers: what one of them costs the others, and how much memory it takes.

Beside a well-behaved client that pushes, validates, reads and sees changes at 50 a
second each, one hostile connection (or one storm of them from one process) does one
thing again and again. First the client is alone, then the hostile one is there, then
it is gone. Peers are bare echo servers: they are put to the patterns that any
WebSocket server can be put to, and the client's question is an echo.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.beside import Beside, EchoClient, OurClient, Waits
from benchmarks.support.damage import Found, Tables
from benchmarks.support.figures import Scale, Table
from benchmarks.support.hostile.patterns import ANY_SERVER, OURS, words
from benchmarks.support.hostile.side import hostile
from benchmarks.support.processes import Server, free_port, peer, rhtmx
from benchmarks.support.signup import APP
from benchmarks.support.stocked import stocked

ROUNDS = 1
"""How often it is measured if nobody says: the whole takes minutes."""

BACK = 10.0
"""Seconds that a server has to give its memory back."""

PATIENCE = 20.0
"""Seconds that answers may be late; what has not come by then counts as that late."""

WARM_UP = 0.5
"""Seconds of questions that do not count."""

SMOKE = ("json_pings", "subscriptions", "unread_bodies", "grpc_pings")
"""The patterns of a smoke test: one of each door."""

TRIM = """
import ctypes, signal
trim = ctypes.CDLL(None).malloc_trim
signal.signal(signal.SIGUSR1, lambda *_: print("trimmed", trim(0), flush=True))
"""
"""Lets the benchmark ask how much of its memory only the allocator keeps (malloc_trim(3))."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is put to patterns.

    Args:
        name: in the tables.
        start: starts it, and names the port of its gRPC door, or 0.
        client: connects the well-behaved client.
        path: of its WebSocket.
    """

    name: str
    start: Callable[[], AbstractContextManager[tuple[Server, int]]]
    client: Callable[[int], Beside]
    path: str = "/"


@contextlib.contextmanager
def _ours(stock: Path) -> Iterator[tuple[Server, int]]:
    """Our server on a copy of a file, with its gRPC door."""
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        store = f"sqlite:///{shutil.copy(stock, folder)}"
        port = free_port()
        options = ("--grpc-port", str(port), "--heartbeat", "20")
        with rhtmx(*options, app=APP + TRIM, store=store, quiet=True) as server:
            yield server, port


@contextlib.contextmanager
def _peer(name: str) -> Iterator[tuple[Server, int]]:
    with (
        tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder,
        peer(name, log=Path(folder) / "log") as server,
    ):
        yield server, 0


PEERS = (
    Target("websockets", lambda: _peer("echo.py"), EchoClient),
    Target("ws", lambda: _peer("ws_echo.mjs"), EchoClient),
    Target("picows", lambda: _peer("picows_echo.py"), EchoClient),
)


def resident(server: Server, name: str = "VmRSS") -> int:
    """Bytes of memory that a server has now, or had at most (`VmHWM`)."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


class Measured:
    """A server that was put to a pattern. It is left alone until its memory is looked at.

    Args:
        target: the server.
        pattern: its name.
        seconds: that each of the two phases takes.
        back: seconds until its memory is looked at.
    """

    def __init__(self, target: Target, pattern: str, seconds: float, back: float) -> None:
        self.target, self.pattern = target, pattern
        with contextlib.ExitStack() as stack:
            self._server, self._grpc = stack.enter_context(target.start())
            client = target.client(self._server.port)
            for each in client.sockets:
                stack.callback(each.close)
            self.found = self._measure(Waits(client), seconds)
            self._stack = stack.pop_all()
        # Others are measured meanwhile: what does nothing takes no time from them.
        self._looking = threading.Timer(back, self._look)
        self._looking.start()

    @property
    def looked(self) -> bool:
        """Whether its memory was looked at."""
        return not self._looking.is_alive()

    def close(self) -> Measured:
        """Wait until its memory was looked at, and end it."""
        self._looking.join()
        if self._grpc:
            self.found.trimmed = _trimmed(self._server)
        self._stack.close()
        return self

    def _measure(self, waits: Waits, seconds: float) -> Found:
        server = self._server
        waits.during(WARM_UP, PATIENCE)
        with hostile(self.pattern, server.port, self.target.path, self._grpc) as side:
            quiet = waits.during(seconds, PATIENCE)
            before = resident(server)
            Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # proc(5): VmHWM anew
            side.begin()
            beside = waits.during(seconds, PATIENCE, side.end)
        return Found(quiet, beside, before, sent=side.tally.sent)

    def _look(self) -> None:
        self.found.after = resident(self._server)
        self.found.peak = resident(self._server, "VmHWM")


def _trimmed(server: Server) -> int:
    """Bytes of memory that are left if the allocator keeps none."""
    assert server.process.stdout is not None
    os.kill(server.process.pid, signal.SIGUSR1)
    server.process.stdout.readline()
    return resident(server)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    unknown = set(scale.only) - set(OURS)
    if unknown:
        raise SystemExit(f"no pattern {', '.join(unknown)}: there are {', '.join(OURS)}")
    tables = Tables()
    with stocked(*scale.pick((20_000_000, 60_000), (100_000, 200))) as stock:
        ours = Target("rhtmx", lambda: _ours(stock), OurClient, "/api/ws")
        for _ in range(scale.rounds):
            found = []
            for measured in _measured(scale, ours):
                tables.add(words(measured.pattern), measured.target.name, measured.found)
                if measured.target is ours:
                    found.append(measured.found)
            tables.worst(found)
    summary, *each = tables.all()
    return each if scale.only else [summary, *each]  # the worst of some says nothing of all


def _measured(scale: Scale, ours: Target) -> Iterator[Measured]:
    """Put each server to each pattern; what is yielded is finished."""
    waiting: deque[Measured] = deque()
    try:
        for pattern in scale.only or scale.pick(tuple(OURS), SMOKE):
            for target in (ours, *PEERS) if pattern in ANY_SERVER else (ours,):
                waiting.append(Measured(target, pattern, *scale.pick((3.0, BACK), (0.3, 0.1))))
                while waiting and waiting[0].looked:
                    yield waiting.popleft().close()
        while waiting:
            yield waiting.popleft().close()
    finally:
        for measured in waiting:
            measured.close()
