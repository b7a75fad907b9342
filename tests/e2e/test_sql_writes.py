"""What an application writes from its own SQL reaches all readers: once, in order, as committed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import rhtmx
from rhtmx.errors import Violation
from rhtmx_server import App, Config, Invalid
from rhtmx_server.access.rules import anyone, nobody
from tests.support.application import Application
from tests.support.nodes import Spread
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE, Raw, raw

ENTITIES = ["orders", "carts"]


@pytest.fixture
def place(postgres: Postgres) -> str:
    return postgres.place()


@pytest.fixture(params=["alone", "cluster"])
async def app(request: pytest.FixtureRequest, place: str) -> AsyncIterator[App]:
    """A server alone, or three that look like one."""
    settings: dict[str, Any] = {"config": Config(port=0)}
    made = App(store=place, **settings) if request.param == "alone" else Spread(place, **settings)
    for each in made.nodes if isinstance(made, Spread) else [made]:
        declare(each)
    async with made:
        yield made


def declare(app: App) -> None:
    """Two entities, one of which is kept by rules that no row of the application's keeps."""
    carts = app.entity("carts", partition=["team"])

    @carts.check
    def never(who: object, before: object, after: object) -> None:
        raise Invalid("no cart is ever right")

    app.entity("orders")


@pytest.fixture
async def shop(app: App, place: str) -> AsyncIterator[Application]:
    async with Application.at(place) as made:
        yield made


@contextlib.asynccontextmanager
async def reading(app: App, number: int = 3) -> AsyncIterator[list[Raw]]:
    """Readers of all entities: one at each node, if there are several."""
    async with contextlib.AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(raw(app.url)) for _ in range(number)]
        for each in readers:
            await each.ask({"type": "hello", "client_id": f"reader {id(each)}"}, "welcome")
            await each.send({"type": "subscribe", "entities": ENTITIES})
            await each.settle()
        yield readers


def changes(reader: Raw) -> list[tuple[Any, ...]]:
    """What a reader was told: entity, id, data and version of each change."""
    told = [each["change"] for each in reader.log if each["type"] == "change"]
    return [(m["entity"], m["entity_id"], m.get("data"), m["version"]) for m in told]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so in the database."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            pass


async def test_what_is_committed_is_told_to_every_reader_once(app: App, shop: Application) -> None:
    async with reading(app) as readers:
        transaction = shop.transaction()
        await transaction.start()
        await shop.call("push('orders', 'never', '1')")
        await transaction.rollback()
        await shop.call("push('orders', '7', '{\"state\": \"paid\", \"n\": 1}')")
        await shop.call("push_fields('orders', '7', '{\"state\": \"sent\"}', '{n}')")
        await shop.call("delete('orders', '7')")
        await shop.call("push('orders', 'last', 'null')")
        for each in readers:
            while len(changes(each)) < 4:
                await each.until("change")
            await each.settle()
            assert changes(each) == [
                ("orders", "7", {"state": "paid", "n": 1}, 1),
                ("orders", "7", {"state": "sent"}, 2),
                ("orders", "7", None, 3),
                ("orders", "last", None, 4),
            ]


async def test_what_one_transaction_writes_arrives_as_one(app: App, shop: Application) -> None:
    """Also where it writes a record twice, and in the names of several authors."""
    async with reading(app) as readers:
        async with shop.transaction():
            await shop.call("push('orders', '7', '{\"n\": 1}', author => 'ada')")
            await shop.call("push('carts', '7', '{\"team\": \"red\"}', author => 'bob')")
            await shop.call("push_fields('orders', '7', '{\"n\": 2}')")
        for each in readers:
            done = await each.until("transaction_complete")
            told = [m["change"] for m in each.log if m["type"] == "change"]
            assert {m["transaction"] for m in told} == {done["transaction"]}
            by_entity = sorted(told, key=lambda change: str(change["entity"]))
            assert [(m["entity"], m["data"], m.get("client_id")) for m in by_entity] == [
                ("carts", {"team": "red"}, "bob"),
                ("orders", {"n": 1}, "ada"),
                ("orders", {"n": 2}, None),
            ]


async def test_a_transaction_of_thousands_arrives_whole_and_in_order(
    app: App, shop: Application
) -> None:
    async with reading(app, 1) as (reader,):
        await shop.run(
            "SELECT {}.push('orders', n::text, to_jsonb(n)) FROM generate_series(1, 1201) n"
        )
        await shop.call("push('orders', 'last', '1')")
        while len(changes(reader)) < 1202:
            await reader.until("change")
        assert changes(reader) == [
            *(("orders", str(number), number, number) for number in range(1, 1202)),
            ("orders", "last", 1, 1202),
        ]


async def test_it_is_merged_with_what_clients_write_at_the_same_time(
    app: App, shop: Application
) -> None:
    async with rhtmx.connect(app.url) as client:
        more = {"n": rhtmx.Increment(1)}

        async def sell() -> None:
            for number in range(20):
                await shop.call(f"push_fields('orders', '7', '{{\"sold\": {number}}}')")

        async def count() -> None:
            for _ in range(20):
                await client.push_fields("orders", "7", more)

        await asyncio.gather(sell(), count())

        async def merged() -> bool:
            (record,) = await client.sync("orders")
            return bool(record.data == {"sold": 19, "n": 20})

        await until(merged)


async def test_a_transaction_that_is_open_for_long_keeps_nobody_waiting(
    app: App, shop: Application, place: str
) -> None:
    async with (
        reading(app, 1) as (reader,),
        Application.at(place) as other,
        rhtmx.connect(app.url) as client,
    ):
        async with shop.transaction():
            await shop.call("push('orders', '7', '\"long\"')")
            await other.call("push('orders', '7', '\"other\"')")
            await reader.until("change")
            await client.push("orders", "7", "client")
            await reader.until("change")
        await reader.until("change")
        assert [data for _, _, data, _ in changes(reader)] == ["other", "client", "long"]


async def test_what_cannot_be_applied_is_kept_aside_and_the_rest_is_applied(
    app: App, shop: Application, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(app, 1) as (reader,):
        await shop.call("push('strange', '1', '1')")
        async with shop.transaction():
            await shop.call("push('orders', '1', '1')")
            await shop.call("push('strange', '2', '1')")
            await shop.call(
                "push_fields('orders', '2', json_build_object('a', repeat('x', 70000)))"
            )
            await shop.call("push('carts', '3', '{\"team\": [1]}')")
            await shop.call("push('carts', '4', '{\"team\": 1}')")
        await reader.until("transaction_complete")
        assert [each[:2] for each in changes(reader)] == [("orders", "1"), ("carts", "4")]

        async def all_kept() -> bool:
            return len(await shop.rows("SELECT FROM {}.rejected")) == 4

        await until(all_kept)
        rows = await shop.rows("SELECT entity, entity_id, reason FROM {}.rejected ORDER BY id")
        expected = [
            ("strange", "1", "no entity 'strange' on this server"),
            ("strange", "2", "no entity 'strange' on this server"),
            ("orders", "2", "65536"),
            ("carts", "3", "'team' divides its entity"),
        ]
        for row, (entity, entity_id, words) in zip(rows, expected, strict=True):
            assert (row["entity"], row["entity_id"]) == (entity, entity_id)
            assert words in row["reason"]
        assert sum("was rejected: " in each for each in caplog.messages) == 4
        # It was put right: the row of the application is smaller now.
        await shop.run("UPDATE {}.rejected SET data = '{\"a\": 1}' WHERE entity = 'orders'")
        await shop.run("SELECT {}.retry(id) FROM {}.rejected WHERE entity = 'orders'")
        while ("orders", "2", {"a": 1}, 2) not in changes(reader):
            await reader.until("change")


async def test_records_that_are_too_large_to_be_read_together_are_applied_in_order(
    app: App, shop: Application
) -> None:
    async with reading(app, 1) as (reader,):
        for number in range(3):
            await shop.call(f"push('orders', '{number}', to_jsonb(repeat('x', 600000)))")
        async with shop.transaction():
            for number in range(3):
                await shop.call(f"push('orders', '{number}', '\"small\"')")
        await shop.call("push('orders', '0', '\"last\"')")
        # At another server than the one that applies them, such batches are read from the store:
        # the last state of each, in the order of the log.
        while told(reader) != {"0": "last", "1": "small", "2": "small"}:
            await reader.until("change")


def told(reader: Raw) -> dict[str, object]:
    """What a reader knows of each record."""
    return {entity_id: data for _, entity_id, data, _ in changes(reader)}


async def test_what_was_written_while_no_server_ran_is_applied_when_one_starts(
    place: str,
) -> None:
    async with App(store=place, config=Config(port=0)):
        pass
    async with Application.at(place) as shop:
        await shop.call("push('orders', '7', '1')")
    async with App(store=place, config=Config(port=0)) as app, reading(app, 1) as (reader,):
        while not (found := await latest(app)):
            pass
        assert found == {"7": 1}
        assert len(changes(reader)) <= 1


async def latest(app: App) -> dict[str, object]:
    async with rhtmx.connect(app.url) as client:
        return {each.entity_id: each.data for each in await client.sync("orders")}


async def test_a_trigger_on_a_table_of_ones_own_tells_readers(app: App, shop: Application) -> None:
    """As the manual shows it."""
    async with reading(app, 1) as (reader,):
        await shop.run(
            """
            CREATE TABLE {}.shop_orders(id text PRIMARY KEY, state text);
            CREATE FUNCTION {}.tell() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF TG_OP = 'DELETE' THEN
                PERFORM {}.delete('orders', OLD.id);
              ELSE
                PERFORM {}.push('orders', NEW.id, to_jsonb(NEW) - 'id');
              END IF;
              RETURN NULL;
            END $$;
            CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON {}.shop_orders
              FOR EACH ROW EXECUTE FUNCTION {}.tell();
            """
        )
        await shop.run("INSERT INTO {}.shop_orders VALUES ('7', 'new')")
        await shop.run("UPDATE {}.shop_orders SET state = 'paid'")
        await shop.run("DELETE FROM {}.shop_orders")
        while len(changes(reader)) < 3:
            await reader.until("change")
        assert [data for _, _, data, _ in changes(reader)] == [
            {"state": "new"},
            {"state": "paid"},
            None,
        ]


async def test_it_is_in_the_history_like_every_other_write(app: App, shop: Application) -> None:
    async with reading(app, 1) as (reader,):
        await shop.call("push_fields('orders', '7', '{\"a\": 1}', author => 'ada')")
        await shop.call("push_fields('orders', '7', '{\"b\": 2}')")
        while len(changes(reader)) < 2:
            await reader.until("change")
    found = [(each.data, each.client_id) for each in await app.history("orders")]
    assert found == [({"a": 1}, "ada"), ({"a": 1, "b": 2}, None)]


async def test_what_is_hidden_stays_hidden_and_what_nobody_may_write_is_written(place: str) -> None:
    app = App(store=place, config=Config(port=0))
    people = app.entity("people").access(read=anyone, write=nobody)
    people.hide({"pin": Violation("pin", "hidden", "is the server's own")})
    async with app, Application.at(place) as shop, raw(app.url) as reader:
        await reader.send({"type": "subscribe", "entities": ["people"]})
        await reader.settle()
        await shop.call("push('people', '7', '{\"name\": \"Ada\", \"pin\": 1}')")
        change = (await reader.until("change"))["change"]
        assert change["data"] == {"name": "Ada"}
        stored = await app._storage.store.record("people", "7")
        assert stored is not None
        assert (stored.data, stored.hidden) == (b'{"name":"Ada"}', b'{"pin":1}')
