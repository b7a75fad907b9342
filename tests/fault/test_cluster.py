"""What becomes of a cluster while its nodes, its database and its bus are killed, cut and frozen.

Everything is real: processes, sockets, PostgreSQL and NATS. What must be so at the end is in
`tests.support.cluster`: what was written is there once, and each reader has all of it. The amounts
are for CI; `RHTMX_KILLS`, `RHTMX_CRASHES`, `RHTMX_FAILOVERS` and `RHTMX_LEADERS` run campaigns.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

import rhtmx
from rhtmx.messages.tables import SCHEMA_HASH
from rhtmx_server.hooks import PAGE
from tests.support import nats as nats_server
from tests.support import postgres as postgres_server
from tests.support.cluster import MARKS, Cluster, Load, Node, Reader, loaded, running
from tests.support.flaky import Flaky
from tests.support.nats import NatsServer
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE, raw
from tests.support.waiting import eventually

LEADERS = int(os.environ.get("RHTMX_LEADERS", "2"))
KILLS = int(os.environ.get("RHTMX_KILLS", "4"))
CRASHES = int(os.environ.get("RHTMX_CRASHES", "2"))
FAILOVERS = int(os.environ.get("RHTMX_FAILOVERS", "1"))
SEED = int(os.environ.get("RHTMX_SEED", "1"))

NODES = 3
BUSES = ("nats", "notify")


HOOKED = """
import rhtmx_server.hooks as hooks
import rhtmx_server.leadership as leadership
from rhtmx_server import App

leadership.LEASE, leadership.RENEW_EVERY, hooks._LOOK_EVERY = 1.0, 0.1, 0.1
app = App(undeclared=True)

@app.on_commit("marks")
async def note(change):
    with open("told", "a") as file:
        file.write(f"{change.version} {change.entity_id}\\n")
"""


def told(folder: Path) -> list[str]:
    """What the hook was told: versions and marks."""
    file = folder / "told"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come back soon."""
    monkeypatch.setattr("rhtmx.core.backoff._FIRST", 0.1)
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.2)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with nats_server.running(tmp_path) as server:
        yield server


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> str:
    """The URL of a bus of the kind that is asked for."""
    if request.param == "notify":
        return "notify:"
    server: NatsServer = request.getfixturevalue("nats")
    return server.url


def arguments(place: str, bus: str, *more: str) -> tuple[str, ...]:
    """The arguments of a node."""
    return ("--store", place, "--bus", bus, "--heartbeat", "1", *more)


@contextlib.asynccontextmanager
async def working(
    folder: Path, place: str, bus: str, *more: str
) -> AsyncIterator[tuple[Cluster, Load]]:
    """A cluster, and clients at work there."""
    async with (
        running(folder, [arguments(place, bus, *more)] * NODES, seed=SEED) as cluster,
        loaded(cluster, folder) as load,
    ):
        await load.written.after(20)
        yield cluster, load


@pytest.mark.parametrize("bus", BUSES, indirect=True)
async def test_nodes_that_are_killed_lose_and_double_nothing(
    tmp_path: Path, postgres: Postgres, bus: str
) -> None:
    dice = Random(SEED)
    async with working(tmp_path, postgres.place(), bus) as (cluster, load):
        for _ in range(KILLS):
            node = dice.choice(cluster.nodes)
            await node.kill()
            await load.written.after(dice.randrange(30))
            await node.start()
            await load.written.after(dice.randrange(1, 30))
        await load.finish()
        await load.check()
        assert all(each.resets == [] for each in load.readers)
        assert sum(each.visits for each in load.readers) > len(load.readers)


async def in_a_transaction(postgres: Postgres) -> bool:
    """Whether somebody has begun a transaction, and says nothing."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
        "AND clock_timestamp() - state_change > '0.3s'"
    )
    connection: Any = await asyncpg.connect(postgres.url())
    try:
        for _ in range(10):
            if await connection.fetchval(asked):
                return True
            await connection.execute("SELECT pg_sleep(0.05)")
        return False
    finally:
        await connection.close()


async def test_a_node_that_is_frozen_in_a_transaction_holds_nobody_up_for_long(
    tmp_path: Path, postgres: Postgres
) -> None:
    """All nodes write one record, so that each of them locks it, and decides in a transaction."""
    async with working(tmp_path, postgres.place(), "notify:") as (cluster, load):
        async with asyncio.timeout(PATIENCE):
            for node in itertools.cycle(cluster.nodes):
                await load.written.after(10)
                node.freeze()
                if await in_a_transaction(postgres):
                    break
                node.thaw()
        await load.written.after(100)
        node.thaw()
        await load.written.after(20)
        await load.finish()
        await load.check()
        assert all(each.resets == [] for each in load.readers)


async def until_not_ready(cluster: Cluster) -> None:
    """Wait until every node says that it has no database."""
    async with asyncio.timeout(PATIENCE):
        for node in cluster.nodes:
            while not await node.answers("/readyz", 503):
                pass


@pytest.mark.parametrize("bus", BUSES, indirect=True)
async def test_a_database_that_crashes_costs_no_socket_and_no_write(
    tmp_path: Path, bus: str
) -> None:
    dice = Random(SEED)
    with postgres_server.running() as server:
        async with working(tmp_path, server.place(), bus) as (cluster, load):
            visits = [each.visits for each in load.readers]
            for _ in range(CRASHES):
                await asyncio.to_thread(server.stop)
                await until_not_ready(cluster)
                assert all([await node.answers("/healthz", 200) for node in cluster.nodes])
                await asyncio.to_thread(server.start)
                await load.written.after(dice.randrange(20, 60))
            await load.finish()
            await load.check()
            assert [each.visits for each in load.readers] == visits
            assert all(each.resets == [] for each in load.readers)


class Pair:
    """A primary and its standby, at one URL."""

    def __init__(self, primary: Postgres, standby: Postgres) -> None:
        self.primary, self.standby = primary, standby
        hosts = f"host={primary.folder},{standby.folder}&target_session_attrs=read-write"
        self.place = primary.place().replace(f"host={primary.folder}", hosts)

    def log_ends(self, server: Postgres) -> int:
        """Where the log of the marks ends."""
        schema = self.place.rpartition("=")[2]
        asked = f"SELECT max(upto) FROM {schema}.log WHERE entity = '{MARKS}'"
        return int(server.sql(asked).strip() or 0)

    def cut_off(self) -> None:
        """Send the standby nothing any more."""
        self.standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.sql("SELECT pg_reload_conf()")
        while self.standby.sql("SELECT count(*) FROM pg_stat_wal_receiver") != "0\n":
            pass


@pytest.fixture
def pair() -> Iterator[Pair]:
    settings = {"wal_level": "replica", "max_wal_senders": "4"}
    with postgres_server.running(settings) as primary:
        folder = Path(tempfile.mkdtemp(prefix="pg"))
        standby = Postgres(folder)
        try:
            standby.copy(primary)
            standby.start()
            yield Pair(primary, standby)
        finally:
            with contextlib.suppress(AssertionError):
                standby.stop()
            shutil.rmtree(folder)


async def until_at(reader: Reader, version: int) -> None:
    """Wait until a reader has all marks up to a version."""
    while reader.streams[MARKS].position < version:
        await reader.told.after(1)


@contextlib.asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[None]:
    """A reader that reads."""
    task = asyncio.create_task(reader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("bus", BUSES, indirect=True)
@pytest.mark.parametrize("run", range(FAILOVERS))
async def test_after_a_failover_that_lost_something_who_has_seen_it_is_reset_and_nobody_else(
    tmp_path: Path, pair: Pair, bus: str, run: int
) -> None:
    dice = Random(f"{SEED} {run}")
    (tmp_path / "hooked.py").write_text(HOOKED)
    async with working(tmp_path, pair.place, bus, "--app", "hooked:app") as (cluster, load):
        early = Reader(cluster.url)
        async with reading(early):
            await until_at(early, 20)
        position = early.streams[MARKS].position
        await eventually(lambda: pair.log_ends(pair.standby) >= position)
        await asyncio.to_thread(pair.cut_off)
        await load.written.after(dice.randrange(20, 80))
        for each in load.readers:
            await until_at(each, load.written.count)
        await asyncio.to_thread(pair.primary.stop)
        await until_not_ready(cluster)
        cut = pair.log_ends(pair.standby)
        acknowledged = [item for each in load.writers for item in each.acknowledged.items()]
        lost = frozenset(mark for mark, version in acknowledged if version > cut)
        assert lost
        await asyncio.to_thread(pair.standby.promote)
        await load.written.after(dice.randrange(20, 80))
        async with reading(early):
            await load.finish()
            await load.check(lost)
            await until_at(early, pair.log_ends(pair.standby))
        for each in load.readers:
            assert [position > cut for _, position in each.resets] == [True, True]
        assert early.resets == []
        assert early.streams[MARKS].records == load.readers[0].streams[MARKS].records
        there = {f"{version} {mark}" for mark, version in (await load.what_is_there()).items()}
        await eventually(lambda: set(told(tmp_path)) >= there)


@pytest.mark.parametrize("bus", BUSES, indirect=True)
async def test_after_a_failover_that_lost_nothing_everybody_goes_on(
    tmp_path: Path, pair: Pair, bus: str
) -> None:
    async with working(tmp_path, pair.place, bus) as (cluster, load):
        await asyncio.to_thread(pair.primary.stop, "fast")
        await until_not_ready(cluster)
        await asyncio.to_thread(pair.standby.promote)
        await load.written.after(40)
        await load.finish()
        await load.check()
        assert all(each.resets == [] for each in load.readers)


async def test_a_bus_of_nats_that_fails_costs_time_only(
    tmp_path: Path, postgres: Postgres, nats: NatsServer
) -> None:
    async with working(tmp_path, postgres.place(), nats.url) as (_, load):
        for fail, mend in ((nats.kill, nats.start), (nats.freeze, nats.thaw)):
            await asyncio.to_thread(fail)
            await load.written.after(30)
            await asyncio.to_thread(mend)
            await load.written.after(30)
        await load.finish()
        await load.check()
        assert all((each.visits, each.resets) == (1, []) for each in load.readers)


async def test_a_bus_of_nats_that_is_slow_and_cut_costs_time_only(
    tmp_path: Path, postgres: Postgres, nats: NatsServer
) -> None:
    flaky = Flaky(nats.host, Random(SEED), lambda *_: None)
    async with flaky.running():
        flaky.whole = False
        async with working(tmp_path, postgres.place(), f"nats://{flaky.address}") as (_, load):
            await load.written.after(200)
            await load.finish()
            await load.check()
            assert all((each.visits, each.resets) == (1, []) for each in load.readers)


async def test_a_bus_in_the_database_that_fails_costs_time_only(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Those who listen are cut off, and frozen."""
    listen = "SELECT {} FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    async with working(tmp_path, postgres.place(), "notify:") as (_, load):
        postgres.sql(listen.format("pg_terminate_backend(pid)"))
        await load.written.after(30)
        frozen = [int(pid) for pid in postgres.sql(listen.format("pid")).split()]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        await load.written.after(60)
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        await load.finish()
        await load.check()
        assert all((each.visits, each.resets) == (1, []) for each in load.readers)


async def leading(cluster: Cluster) -> Node:
    """The node that leads."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for node in cluster.nodes:
                if await node.metric("rhtmx_leads"):
                    return node


async def test_a_hook_is_told_of_each_commit_in_order_whoever_leads(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Once, and of some of the last hundred once more for each time that another node leads."""
    (tmp_path / "hooked.py").write_text(HOOKED)

    dice, each = Random(SEED), arguments(postgres.place(), "notify:", "--app", "hooked:app")
    async with (
        running(tmp_path, [each] * NODES, seed=SEED) as cluster,
        loaded(cluster, tmp_path, readers=1) as load,
    ):
        for number in range(LEADERS):
            await load.written.after(dice.randrange(20, 200))
            leader = await leading(cluster)
            if number % 2:
                leader.freeze()
            else:
                await leader.kill()
            count = len(told(tmp_path))
            await eventually(lambda count=count: len(told(tmp_path)) > count + 50)  # type: ignore[misc]
            if number % 2:
                leader.thaw()
            else:
                await leader.start()
        await load.finish()
        await load.check()
        there = {f"{version} {mark}" for mark, version in (await load.what_is_there()).items()}
        await eventually(lambda: set(told(tmp_path)) == there)
    versions = [int(line.partition(" ")[0]) for line in told(tmp_path)]
    steps = [after - before for before, after in itertools.pairwise([0, *versions])]
    again = [1 - step for step in steps if step != 1]
    assert len(again) <= 2 * LEADERS
    assert all(1 - len(there) < each <= PAGE for each in again)
    assert len(versions) - len(there) <= LEADERS * PAGE


WRONG_CLOCK = """
import time

right = time.time_ns
time.time_ns = lambda: right() + {hours} * 3_600_000_000_000

from rhtmx_server import App

app = App(undeclared=True)
"""


async def test_who_wrote_last_is_said_by_the_clock_of_the_database(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Each of two nodes is wrong by an hour, and the later write wins at both."""
    place, now = postgres.place(), time.time()
    for name, hours in (("ahead", 1), ("behind", -1)):
        (tmp_path / f"{name}.py").write_text(WRONG_CLOCK.format(hours=hours))
    each = [arguments(place, "notify:", "--app", f"{name}:app") for name in ("ahead", "behind")]
    async with running(tmp_path, each) as cluster, contextlib.AsyncExitStack() as stack:
        urls = [node.server.url for node in cluster.nodes]
        writers = [await stack.enter_async_context(raw(url)) for url in urls]
        for number, writer in enumerate(writers):
            hello = {"type": "hello", "client_id": f"c{number}", "schema": SCHEMA_HASH}
            said = (await writer.ask(hello, "welcome"))["server_time"]
            assert abs(datetime.fromisoformat(said).timestamp() - now) < 600
        for entity_id, order in (("1", writers), ("2", writers[::-1])):
            for number, writer in enumerate(order):
                field = {"field": "n", "action": "update", "value": number}
                field["timestamp"] = datetime.now(UTC).isoformat()
                push = {"entity": "tasks", "entity_id": entity_id, "fields": [field]}
                answer = await writer.ask({"type": "push_fields", **push}, "field_push_ack")
                assert (answer["applied"], answer.get("clamped", 0)) == (1, 0)
        for url in urls:
            async with rhtmx.connect(url) as client:
                found = await client.sync("tasks")
            assert {each.entity_id: each.data for each in found} == {"1": {"n": 1}, "2": {"n": 1}}
            assert all(abs(each.created_at.timestamp() - now) < 600 for each in found)
