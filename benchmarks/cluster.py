"""Several servers on one PostgreSQL: what more of them bring, and how soon they hear of each other.

PostgreSQL waits for the disk at each transaction. The servers have the cores in turn, the load has
one of them, and the database both: on a machine with few cores more servers cannot bring much more
than what one of them waits for. So each has a part of a core besides: then one alone is short of
it, and PostgreSQL is not, as on machines of their own.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import asyncpg

from benchmarks.latency import Ours
from benchmarks.postgres import database
from benchmarks.support.figures import Scale, Table
from benchmarks.support.nats import nats_server
from benchmarks.support.pacing import open_loop, percentile, there
from benchmarks.support.processes import CORES, Server, rhtmx
from benchmarks.support.pushers import Lane, drive, websocket_frame
from benchmarks.support.pushes import content, json_push
from benchmarks.support.shares import can_be_given, part_of_core
from benchmarks.support.sockets import TEXT, client_frame, crowd
from rhtmx.messages import ChangeAction
from rhtmx_server.model import Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.postgres import PostgresStore
from tests.support.postgres import Postgres

SOCKETS, WINDOW = 16, 16
"""Of each server."""

NODES = (1, 2, 4)
PART = 0.2
"""Of a core, that each server has then: four of them leave PostgreSQL and the load one."""

RATE = 1000
BATCH = 100

OWN, SHARED = "an entity each", "one entity for all"
_ACK, _NATS, _NOTIFY = "its own acknowledgement", "over NATS", "over NOTIFY"


class Tables:
    """The figures of this benchmark."""

    def __init__(self) -> None:
        self.rates = Table(
            "Cluster: pushes acknowledged per second of wall time, all servers together",
            "1/s",
            ours="4 servers",
        )
        self.medians = Table("Cluster: from push to acknowledgement, p50", "ms", ours="4 servers")
        self.slowest = Table("Cluster: from push to acknowledgement, p99", "ms", ours="4 servers")
        self.heard = Table(
            "Cluster: from a push at one server to the change at another, p50", "ms", ours=_NATS
        )
        self.reads = Table("Cluster: reads of the log a push, 4 servers, nothing lost", "", ours="")
        self.batches = Table(
            "Cluster: the store's batches of 100, per second", "1/s", ours="batches"
        )

    def all(self) -> list[Table]:
        return [self.rates, self.medians, self.slowest, self.heard, self.reads, self.batches]


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    tables = Tables()
    with database() as where, nats_server() as nats:
        bus = f"nats://127.0.0.1:{nats.plain_port}"
        for _ in range(scale.rounds):
            for count in scale.pick(NODES, NODES[-1:]):
                for case in (OWN, SHARED):
                    for part in (1, PART) if can_be_given() else (1,):
                        with cluster(count, where.place(), bus) as servers, ExitStack() as parts:
                            for server in servers if part < 1 else ():
                                parts.enter_context(part_of_core(server.process.pid, part))
                            _drive(servers, case, part, scale, tables)
            for subject, other in ((_NATS, bus), (_NOTIFY, "notify:")):
                with cluster(scale.pick(4, 2), where.place(), other) as servers:
                    _hear(servers, subject, scale, tables)
            _batches(where, scale, tables)
    return tables.all()


@contextmanager
def cluster(count: int, store: str, bus: str) -> Iterator[list[Server]]:
    """So many servers, on the cores in turn."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                rhtmx("--bus", bus, store=store, quiet=True, core=CORES[number % len(CORES)])
            )
            for number in range(count)
        ]


# What more servers bring.


def _drive(servers: Sequence[Server], case: str, part: float, scale: Scale, to: Tables) -> None:
    """Push to all of them at once."""
    each = int(scale.pick(24_000, 64) * part**0.5) // (SOCKETS * len(servers)) + 1
    lanes = [
        lane
        for number, server in enumerate(servers)
        for lane in lanes_of(server, f"bench{number}" if case == OWN else "bench", each)
    ]
    for server in servers:  # the first batch of each pays for a connection and its plans
        drive(lanes_of(server, "warm", 4), WINDOW)
    load = drive(lanes, WINDOW)
    subject = f"{len(servers)} server{'s' if len(servers) > 1 else ''}"
    if part < 1:
        case += f", {part:.0%} of a core each"
    to.rates.add(case, subject, len(load.waited) / load.seconds)
    to.medians.add(case, subject, load.percentile(0.5) * 1000)
    to.slowest.add(case, subject, load.percentile(0.99) * 1000)
    for lane in lanes:
        if any(b'"push_ack"' not in answer for answer in lane.answers):
            raise RuntimeError("a push was refused")
        lane.connection.close()


def lanes_of(server: Server, entity: str, each: int) -> list[Lane]:
    """Sockets to a server, with so many pushes each."""
    lanes = []
    for index in range(SOCKETS):
        (client,) = crowd(1, server.port)
        requests = [
            client_frame(json_push(entity, turn * SOCKETS + index, None), TEXT)
            for turn in range(each)
        ]
        lanes.append(Lane(client.socket, requests, websocket_frame))
    return lanes


# How long it takes to hear of each other.


class Acknowledged(Ours):
    """Pushes at a server, and waits for its acknowledgement there."""

    def arrived(self) -> Iterable[int]:
        """Acknowledgements, in order."""
        for _ in there(self._reader):
            pass
        for message in there(self._pusher):
            if b'"push_ack"' not in message:
                raise RuntimeError(f"an acknowledgement expected, got {message!r}")
            self._expected += 1
            yield self._expected - 1


class Elsewhere(Ours):
    """Pushes at one server, and reads at another."""

    def __init__(self, here: Server, elsewhere: Server) -> None:
        super().__init__(elsewhere)
        self._pusher.close()
        (self._pusher,) = crowd(1, here.port)
        self._pusher.socket.setblocking(False)


def _hear(servers: Sequence[Server], subject: str, scale: Scale, to: Tables) -> None:
    """Push at the first server, and read at the last one."""
    count = scale.pick(4000, 50)
    here, *_, elsewhere = servers
    own, other = Acknowledged(here), Elsewhere(here, elsewhere)
    for pair in (own, other):
        open_loop(RATE, scale.pick(200, 10), pair.ask, pair.arrived)
        pair.again()
    before = _gaps(servers)
    waited = open_loop(RATE, count, other.ask, other.arrived)
    to.reads.add(f"{RATE:,} a second", subject, (_gaps(servers) - before) / count)
    answered = open_loop(RATE, count, own.ask, own.arrived)
    case = f"{RATE:,} a second"
    to.heard.add(case, subject, percentile(waited, 0.5) * 1000)
    to.heard.add(case, f"{_ACK} ({subject})", percentile(answered, 0.5) * 1000)
    own.close()
    other.close()


def _gaps(servers: Sequence[Server]) -> float:
    """How often all of them have read the log."""
    total = 0.0
    for server in servers:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            page = answer.read().decode()
        found = re.search(r"^rhtmx_log_gaps (\S+)$", page, re.MULTILINE)
        assert found is not None
        total += float(found[1])
    return total


# What a batch costs beside its rows.

_BARE = """
    INSERT INTO bare(entity, entity_id, version, action, data, client_id, time)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::bytea[],
      $6::text[], $7::bigint[])"""


def _batches(where: Postgres, scale: Scale, to: Tables) -> None:
    """Batches of a store, and the same rows inserted into a bare table, in turn."""
    asyncio.run(_write_batches(where, scale.pick(100, 3), to))


async def _write_batches(where: Postgres, count: int, to: Tables) -> None:
    store = PostgresStore(where.place(), shared=True)
    await store.open()
    bare = await asyncpg.connect(where.url())
    await bare.execute(
        "DROP TABLE IF EXISTS bare; CREATE TABLE bare(entity text, entity_id text, version bigint, "
        "action smallint, data bytea, client_id text, time bigint, PRIMARY KEY (entity, entity_id))"
    )
    spent: dict[str, list[float]] = {"batches": [], "INSERT … unnest of the same rows": []}
    ours, theirs = spent.values()
    for number in range(count):
        records = [
            Record("bench", uuid4().hex, 0, ChangeAction.CREATE, content(each), None, number)
            for each in range(BATCH)
        ]
        began = time.perf_counter()
        needs = BatchNeeds(records=[(each.entity, each.entity_id) for each in records])
        await store.commit(needs, _deciding(records))
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        columns = zip(*(_row(each) for each in records), strict=True)
        await bare.execute(_BARE, *columns)
        theirs.append(time.perf_counter() - began)
    for subject, seconds in spent.items():
        to.batches.add("of 100 new records", subject, 1 / statistics.median(seconds))
    await bare.close()
    await store.close()


def _deciding(records: Sequence[Record]) -> Callable[[Snapshot], BatchWrites]:
    def decide(seen: Snapshot) -> BatchWrites:
        head = seen.heads["bench"].version
        for place, each in enumerate(records, 1):
            each.version = head + place
        history = [HistoryEntry(each, Granularity.RECORDS, previous=0) for each in records]
        return BatchWrites(records=records, heads={"bench": head + len(records)}, history=history)

    return decide


def _row(record: Record) -> tuple[object, ...]:
    return (
        record.entity,
        record.entity_id,
        record.version,
        int(record.action),
        record.data,
        record.client_id,
        record.time,
    )
