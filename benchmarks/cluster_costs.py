"""What a write costs each part of a cluster, and what a server asks for that does nothing.

From these figures one reckons what a cluster needs that does not fit on one machine; see Sizing in
`docs/clustering.md`. Pushes go to one of four servers, and are read at none.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.cluster import cluster, lanes_of
from benchmarks.postgres import cpu_of, database
from benchmarks.support.figures import Scale, Table
from benchmarks.support.nats import NatsServer, nats_server
from benchmarks.support.processes import Server
from benchmarks.support.pushers import drive
from benchmarks.support.sockets import PATIENCE
from tests.support.postgres import Postgres

NODES = 4
CROWDS = ((1, 1), (16, 1), (16, 16))
"""How many sockets, and how many pushes under way on each: the more, the larger a batch."""

_TRANSACTIONS = "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"
_WAL = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    costs = Table("Cluster: what a push costs", "", ours="")
    idle = Table("Cluster: what four servers that do nothing cost in a second", "", ours="")
    with database() as where, nats_server() as nats:
        bus = f"nats://127.0.0.1:{nats.plain_port}"
        for _ in range(scale.rounds):
            for crowd in CROWDS:
                with cluster(NODES, where.place(), bus) as servers, _listening(nats) as heard:
                    _push(servers, where, heard, crowd, scale, costs)
            with cluster(NODES, where.place(), bus) as servers, _listening(nats) as heard:
                _do_nothing(servers, where, heard, scale.pick(10.0, 0.5), idle)
    return [costs, idle]


def _push(
    servers: Sequence[Server],
    where: Postgres,
    heard: Callable[[], int],
    crowd: tuple[int, int],
    scale: Scale,
    to: Table,
) -> None:
    sockets, window = crowd
    drive(lanes_of(servers[0], "bench", 4), window)
    lanes = lanes_of(servers[0], "bench", scale.pick(1000, 8))[:sockets]
    here, *others = servers
    before = _spent(where, here, others, heard)
    count = len(drive(lanes, window).waited)
    spent = [
        now - then for now, then in zip(_spent(where, here, others, heard), before, strict=True)
    ]
    for (subject, unit), each in zip(_UNITS, spent, strict=True):
        case = f"{sockets * window:3} under way"
        to.add(case, f"{subject}, {unit}", max(each, 1e-9) / count)
    for lane in lanes:
        lane.connection.close()


_UNITS = (
    ("CPU of the server that is written to", "µs"),
    ("CPU of each other server", "µs"),
    ("CPU of PostgreSQL", "µs"),
    ("transactions", "each"),
    ("PostgreSQL's log of what it writes (WAL)", "bytes"),
    ("NATS, to each other server", "bytes"),
)


def _spent(
    where: Postgres, here: Server, others: Sequence[Server], heard: Callable[[], int]
) -> list[float]:
    """What was spent so far, in these units."""
    return [
        here.cpu() * 1e6,
        sum(each.cpu() for each in others) / len(others) * 1e6,
        cpu_of(where) * 1e6,
        float(where.sql(_TRANSACTIONS)),
        float(where.sql(_WAL)),
        heard(),
    ]


def _do_nothing(
    servers: Sequence[Server],
    where: Postgres,
    heard: Callable[[], int],
    seconds: float,
    to: Table,
) -> None:
    here, *others = servers
    before = _spent(where, here, others, heard)
    time.sleep(seconds)
    spent = [
        now - then for now, then in zip(_spent(where, here, others, heard), before, strict=True)
    ]
    for (subject, unit), each in zip(_UNITS[1:], spent[1:], strict=True):
        to.add("nobody is connected", f"{subject}, {unit}", max(each, 1e-9) / seconds)


@contextmanager
def _listening(nats: NatsServer) -> Iterator[Callable[[], int]]:
    """Hear all that the servers tell each other; yields how many bytes that was so far."""
    connection = socket.create_connection(("127.0.0.1", nats.plain_port), timeout=PATIENCE)
    connection.sendall(b'CONNECT {"verbose":false}\r\nSUB > 1\r\n')
    count = 0

    def listen() -> None:
        nonlocal count
        while data := connection.recv(1 << 16):
            count += len(data)

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        yield lambda: count
    finally:
        connection.shutdown(socket.SHUT_RDWR)
        listening.join()
        connection.close()
