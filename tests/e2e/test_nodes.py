"""Several servers on one store: whatever the bus between them does, all readers see one log."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from uuid import uuid4

import pytest
from websockets import ConnectionClosed

import rhtmx
from rhtmx.values.changes import Change
from rhtmx_server import App, Config
from rhtmx_server.authenticators import hash_token, static_tokens
from tests.support.buses import FaultyBus
from tests.support.nodes import Spread
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.sockets import raw
from tests.support.waiting import eventually

ENTITIES = ("tasks", "carts")
TOKEN = "a" * 40


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """A store that is empty."""
    server: Postgres | PgBouncer = request.getfixturevalue(getattr(request, "param", "postgres"))
    return server.place()


through_pgbouncer = pytest.mark.parametrize("place", ["postgres", "pgbouncer"], indirect=True)
"""Runs a test a second time, where the servers reach their database by a pooler."""


@contextlib.asynccontextmanager
async def nodes(
    place: str, count: int = 3, lose: float = 0.0, seed: int = 0
) -> AsyncIterator[Sequence[App]]:
    """Servers on one store, with a bus between them that is as bad as is wished."""
    name = uuid4().hex
    async with contextlib.AsyncExitStack() as stack:
        apps = []
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            app = App(store=place, bus=FaultyBus(name, chance, lose=lose), config=Config(port=0))
            apps.append(await stack.enter_async_context(app))
        yield apps


async def write(app: App, chance: random.Random, number: int) -> None:
    """Write one record or two, at one of the servers."""
    entity, entity_id = chance.choice(ENTITIES), chance.choice("12345")
    match chance.randrange(5):
        case 0:
            await app.changes.delete(entity, entity_id)
        case 1:
            async with app.transaction() as both:
                both.set("tasks", entity_id, {"n": number})
                both.set("carts", entity_id, {"n": number})
        case 2:
            await app.fields.push(entity, entity_id, {chance.choice("ab"): number})
        case _:
            await app.changes.push(entity, entity_id, {"n": number})


async def latest(app: App, entity: str) -> dict[str, object]:
    """What is in an entity."""
    async with rhtmx.connect(app.url) as client:
        found = await client.sync(entity)
    return {each.entity_id: each.data for each in found if each.data is not None}


def _is_there(position: Callable[[str], int], entity: str, version: int) -> bool:
    return position(entity) == version


async def heads(apps: Sequence[App]) -> dict[str, int]:
    """Where the logs end, once every server has handed out all of them."""
    found = {each: (await apps[0]._storage.store.head(each)).version for each in ENTITIES}
    for app in apps:
        position = app._running.services.hub.position
        for entity, version in found.items():
            await eventually(partial(_is_there, position, entity, version))
    return found


@pytest.mark.parametrize("lose", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(3))
async def test_every_reader_sees_each_log_once_and_in_order(
    place: str, lose: float, seed: int
) -> None:
    chance = random.Random(seed)
    async with contextlib.AsyncExitStack() as stack:
        apps = await stack.enter_async_context(nodes(place, lose=lose, seed=seed))
        readers = [await stack.enter_async_context(raw(app.url)) for app in apps for _ in range(2)]
        for number, reader in enumerate(readers):
            kind = "subscribe_fields" if number % 2 else "subscribe"
            await reader.send({"type": kind, "entities": [*ENTITIES]})
            await reader.settle()
        for number in range(0, 60, 3):
            await asyncio.gather(
                *(write(chance.choice(apps), chance, number + more) for more in range(3))
            )
        await heads(apps)
        for entity in ENTITIES:
            expected = await latest(apps[1], entity)
            for reader in readers:
                await reader.settle()
                told = reader.stream(entity).records
                # By field, a record that is gone is one that has no fields.
                assert {key: data for key, data in told.items() if data != {}} == expected


@through_pgbouncer
async def test_who_was_acknowledged_at_one_node_goes_on_at_another_at_once(place: str) -> None:
    """Even if that one has heard nothing: it asks the store before it says reset."""
    async with (
        nodes(place, 2, lose=1.0) as (here, there),
        raw(here.url) as writer,
        raw(there.url) as other,
        raw(there.url) as reader,
    ):
        await other.send({"type": "subscribe", "entities": ["tasks"]})
        await other.settle()
        ack = await writer.push("tasks", "1", {"n": 1})
        since = {"tasks": {"version": ack["version"], "epoch": ack["epoch"]}}
        await reader.send({"type": "subscribe", "entities": ["tasks"], "since": since})
        done = await reader.until("sync_complete")
        assert (done["version"], done["reset"]) == (1, False)


async def test_who_subscribes_at_a_node_where_nobody_reads_begins_where_the_log_is(
    place: str,
) -> None:
    async with nodes(place, 2, lose=1.0) as (here, there):
        for number in range(3):
            await here.changes.push("tasks", str(number), {"n": number})
        async with raw(there.url) as reader:
            await reader.ask({"type": "hello", "client_id": "ada"}, "welcome")
            await reader.send({"type": "subscribe", "entities": ["tasks"]})
            assert (await reader.until("sync_complete"))["version"] == 3


async def test_a_transaction_is_one_step_at_every_node(place: str) -> None:
    async with nodes(place, 2) as (here, there), raw(there.url) as reader:
        await reader.ask({"type": "hello", "client_id": "ada"}, "welcome")
        await reader.send({"type": "subscribe", "entities": [*ENTITIES]})
        await reader.settle()
        async with here.transaction() as both:
            both.set("tasks", "1", {"n": 1})
            both.set("carts", "1", {"n": 1})
        done = await reader.until("transaction_complete")
        named = [m["change"]["transaction"] for m in reader.log if m["type"] == "change"]
        assert named == [done["transaction"]] * 2


@through_pgbouncer
async def test_two_that_write_the_same_field_at_two_nodes_are_merged_as_at_one(place: str) -> None:
    async with nodes(place, 2) as apps:
        async with rhtmx.connect(apps[0].url) as one, rhtmx.connect(apps[1].url) as other:
            for _ in range(25):
                more = {"n": rhtmx.Increment(1)}
                await asyncio.gather(
                    *(each.push_fields("counts", "1", more) for each in (one, other))
                )
        assert (await latest(apps[0], "counts"))["1"] == {"n": 50}


@through_pgbouncer
async def test_a_hook_is_called_once_whichever_node_commits(place: str) -> None:
    name, told = uuid4().hex, list[str]()

    def made() -> App:
        app = App(store=place, bus=f"memory://{name}", config=Config(port=0))

        @app.on_commit("tasks")
        async def note(change: Change) -> None:
            told.append(f"{change.entity_id} {change.version}")

        return app

    first, second = made(), made()
    async with first:
        async with second:
            for number in range(1, 11):
                app = first if number % 2 else second
                await app.changes.push("tasks", "1", {"n": number})
            await eventually(lambda: len(told) >= 10)
        await first.changes.push("tasks", "1", {"n": 11})
        await eventually(lambda: len(told) >= 11)
    # Nobody was there: who comes next goes on where the last one was.
    async with made() as third:
        await third.changes.push("tasks", "1", {"n": 12})
        await eventually(lambda: len(told) >= 12)
    assert told == [f"1 {version}" for version in range(1, 13)]


@pytest.mark.parametrize("name", [None, "east.1:3000"])
async def test_a_client_is_told_which_of_the_servers_it_is_connected_to(
    place: str, name: str | None
) -> None:
    app = App(store=place, bus=f"memory://{uuid4().hex}", config=Config(port=0, node_name=name))
    shared = app._storage.shared
    assert shared is not None
    async with app, rhtmx.connect(app.url) as client:
        await client.sync("tasks")
        assert client.node == (name or shared.node[:8])


async def test_a_server_that_is_alone_has_no_name(place: str) -> None:
    app = App(store=place, config=Config(port=0, node_name="east"))
    async with app, rhtmx.connect(app.url) as client:
        await client.sync("tasks")
        assert client.node is None


@through_pgbouncer
async def test_when_the_store_has_another_epoch_every_client_comes_back(place: str) -> None:
    async with nodes(place, 2) as (here, there), raw(there.url) as reader:
        ack = await reader.push("tasks", "1", {"n": 1})
        await reader.send({"type": "subscribe", "entities": ["tasks"]})
        await reader.settle()
        epoch = await here._storage.store.renew_epoch()
        with pytest.raises(ConnectionClosed) as closed:
            await reader.until("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000
        async with raw(there.url) as again:
            since = {"tasks": {"version": 1, "epoch": ack["epoch"]}}
            await again.send({"type": "subscribe", "entities": ["tasks"], "since": since})
            done = await again.until("sync_complete")
            assert (done["version"], done["epoch"], done["reset"]) == (1, epoch, True)


async def test_who_cannot_be_told_where_a_log_is_comes_again(place: str) -> None:
    """Not as refused: there is nothing wrong with what it asks."""
    async with nodes(place, 1) as (app,), raw(app.url) as reader:

        async def fail(entities: object) -> object:
            raise rhtmx.RhtmxError(rhtmx.ErrorCode.STORAGE_FAILED, "the database is away")

        app._storage.store.look_up = fail  # type: ignore[attr-defined]
        await reader.send({"type": "subscribe", "entities": ["tasks"]})
        with pytest.raises(ConnectionClosed) as closed:
            await reader.until("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


async def test_who_is_signed_out_at_one_server_is_at_all_of_them(place: str) -> None:
    name = uuid4().hex
    tokens = static_tokens({hash_token(TOKEN): "ada"})
    here, there = (
        App(store=place, bus=f"memory://{name}", config=Config(port=0), authenticate=tokens)
        for _ in range(2)
    )
    async with here, there, raw(there.url) as reader, raw(there.url) as other:
        for each, hello in ((reader, {"token": TOKEN}), (other, {})):
            await each.send({"type": "hello", "client_id": uuid4().hex, **hello})
        await reader.until("welcome")
        here.disconnect("ada")
        with pytest.raises(ConnectionClosed) as closed:
            await reader.until("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4503


async def test_a_node_whose_port_is_taken_says_so_and_leaves_nothing_behind(place: str) -> None:
    async with nodes(place, 1) as (there,):
        port = int(there.url.rpartition(":")[2].partition("/")[0])
        other = App(store=place, bus="memory://other", config=Config(port=port))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(OSError, match="in use"):
                await other.start()
            gc.collect()
        other.configure(Config(port=0))
        async with other:
            await other.changes.push("tasks", "1", {"n": 1})


async def test_a_server_that_would_be_alone_is_refused_and_one_that_is_refuses_others(
    place: str,
) -> None:
    async with Spread(place, 2):
        pass
    async with App(store=place, config=Config(port=0)):
        with pytest.raises(rhtmx.RhtmxError, match="each of them is started with --bus"):
            await Spread(place, 1).start()
