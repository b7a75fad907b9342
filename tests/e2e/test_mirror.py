"""The rows of an application's own tables are the records that readers have: as committed, once."""

from __future__ import annotations

import asyncio
import random
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, ErrorCode, RhtmxError
from rhtmx_server.mirror.mirrors import Mirror
from rhtmx_server.mirror.outcomes import Reconciled
from tests.support.nodes import Spread
from tests.support.postgres import Postgres
from tests.support.shop import Shop, on_postgres, on_sqlite, sqlalchemy
from tests.support.sockets import PATIENCE, Raw, raw
from tests.support.waiting import eventually

NAMES = count()


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"shop{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def pg_shop(postgres: Postgres) -> Iterator[Shop]:
    made = on_postgres(postgres, f"shop{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0))


@pytest.fixture
async def reader(app: App, shop: Shop) -> AsyncIterator[Raw]:
    """One who is subscribed to what the shop's table shows."""
    if not app.mirror.entities:
        shop.mirror(app)
    async with app, raw(app.url) as client:
        await client.ask({"type": "hello", "client_id": "reader"}, "welcome")
        await client.send({"type": "subscribe", "entities": ["orders"]})
        await client.settle()
        yield client


def told(reader: Raw) -> list[tuple[Any, ...]]:
    changes = [each["change"] for each in reader.log if each["type"] == "change"]
    return [(each["entity_id"], each.get("data")) for each in changes]


async def until_told(reader: Raw, number: int) -> list[tuple[Any, ...]]:
    while len(told(reader)) < number:
        await reader.until("change")
    return told(reader)


def order(title: str, state: str = "new", cost: str | None = None) -> dict[str, Any]:
    return {"title": title, "state": state, "cost": cost}


async def records(app: App) -> Mapping[str, Any]:
    async with rhtmx.connect(app.url) as client:
        found = await client.sync("orders")
        return {each.entity_id: each.data for each in found if each.action != "delete"}


async def settled(shop: Shop, app: App) -> Mapping[str, Any]:
    """The records, when nothing waits any more."""
    await eventually(lambda: shop.waiting() == 0)
    return await records(app)


async def test_what_is_committed_is_told_once_and_what_is_rolled_back_never(
    shop: Shop, reader: Raw
) -> None:
    shop.add(1)
    assert await until_told(reader, 1) == [("1", order("tea"))]
    with shop.engine.connect() as connection:
        connection.execute(sqlalchemy.text("UPDATE shop_orders SET title = 'never'"))
        connection.execute(sqlalchemy.text("INSERT INTO shop_orders (id, title) VALUES (9, 'x')"))
        connection.rollback()
    shop.run("UPDATE shop_orders SET state = 'paid', cost = 12.5")
    shop.run("DELETE FROM shop_orders")
    shop.add(2, "last")
    while not (("1", None) in told(reader) and ("2", order("last")) in told(reader)):
        await reader.until("change")
    # Two commits that come together may be seen as one: a reader is told what is so.
    paid = ("1", order("tea", "paid", "12.50"))
    assert [each for each in told(reader) if each != paid and each[0] == "1"] == [
        ("1", order("tea")),
        ("1", None),
    ]
    assert [each for each in told(reader) if each[0] != "1"] == [("2", order("last"))]


async def test_a_row_that_gets_another_key_is_another_record(shop: Shop, reader: Raw) -> None:
    shop.add(1)
    await until_told(reader, 1)
    shop.run("UPDATE shop_orders SET id = 7")
    assert sorted((await until_told(reader, 3))[1:]) == [("1", None), ("7", order("tea"))]


async def test_a_write_that_changes_nothing_that_is_shown_is_not_told(
    shop: Shop, reader: Raw
) -> None:
    shop.add(1)
    await until_told(reader, 1)
    shop.run("UPDATE shop_orders SET title = title")
    shop.add(2)
    assert await until_told(reader, 2) == [("1", order("tea")), ("2", order("tea"))]


async def test_what_was_written_while_no_server_ran_is_shown_when_one_does(
    shop: Shop, app: App
) -> None:
    mirror = shop.mirror(app)
    async with app:
        shop.add(1)
        shop.add(2)
        await eventually(lambda: shop.waiting() == 0)
    shop.run(
        "UPDATE shop_orders SET title = 'coffee' WHERE id = 1",
        "DELETE FROM shop_orders WHERE id = 2",
    )
    shop.add(3)
    async with app:
        assert await settled(shop, app) == {"1": order("coffee"), "3": order("tea")}
        assert (await mirror.reconcile()).differences == 0


async def test_ten_thousand_rows_are_shown(shop: Shop, app: App) -> None:
    many = [{"id": number, "title": f"order {number}"} for number in range(10_000)]
    with shop.transaction() as connection:
        connection.execute(
            sqlalchemy.text("INSERT INTO shop_orders (id, title) VALUES (:id, :title)"), many
        )
    found: list[Reconciled] = []
    shop.mirror(app).on_reconciled(found.append)
    async with app:
        await eventually(lambda: bool(found))
        assert (found[0].rows, found[0].added, found[0].differences) == (10_000, 10_000, 10_000)
        assert await records(app) == {str(each["id"]): order(str(each["title"])) for each in many}


# Comparing.


async def behind_the_back(shop: Shop) -> None:
    """Write past the triggers."""
    if shop.engine.dialect.name == "postgresql":
        shop.run(
            "SET LOCAL session_replication_role = replica",
            "UPDATE shop_orders SET title = 'other' WHERE id = 1",
            "DELETE FROM shop_orders WHERE id = 2",
            "INSERT INTO shop_orders (id, title) VALUES (4, 'new')",
        )
        return
    with shop.transaction() as connection:
        raw_connection = connection.connection.driver_connection
        for each in (
            "DELETE FROM rhtmx_outbox",
            "UPDATE shop_orders SET title = 'other' WHERE id = 1",
            "DELETE FROM shop_orders WHERE id = 2",
            "INSERT INTO shop_orders (id, title) VALUES (4, 'new')",
            "DELETE FROM rhtmx_outbox",
        ):
            raw_connection.execute(each)


async def test_what_nothing_named_is_found_and_repaired_by_comparing(shop: Shop, app: App) -> None:
    mirror = shop.mirror(app)
    found: list[Reconciled] = []
    mirror.on_reconciled(found.append)
    async with app:
        for number in (1, 2, 3):
            shop.add(number)
        await eventually(lambda: len(found) == 1)
        before = await settled(shop, app)
        await behind_the_back(shop)
        wrong = await mirror.reconcile(repair=False)
        assert wrong == Reconciled("orders", rows=3, added=1, changed=1, removed=1, repaired=False)
        assert await records(app) == before
        assert await mirror.reconcile() == wrong._replace(repaired=True)
        assert await records(app) == {
            "1": order("other"),
            "3": order("tea"),
            "4": order("new"),
        }
        assert (await mirror.reconcile()).differences == 0
        text = app.metrics.render().decode()
        assert 'rhtmx_mirror_differences_total{entity="orders",kind="removed"} ' in text


async def test_a_note_without_a_key_has_all_rows_compared(shop: Shop, app: App) -> None:
    mirror = shop.mirror(app)
    found: list[Reconciled] = []
    mirror.on_reconciled(found.append)
    async with app:
        shop.add(1)
        await settled(shop, app)
        await eventually(lambda: len(found) == 1)
        await behind_the_back(shop)
        shop.run("INSERT INTO rhtmx_outbox (table_name) VALUES ('shop_orders')")
        await eventually(lambda: len(found) == 2)
        assert found[1].differences == 2
        assert await records(app) == {"1": order("other"), "4": order("new")}


async def test_a_truncated_table_has_no_records(pg_shop: Shop, app: App) -> None:
    shop = pg_shop
    shop.mirror(app)
    async with app:
        shop.run(
            "INSERT INTO shop_orders (id, title) SELECT n, 'tea' FROM generate_series(1, 700) n"
        )
        assert len(await settled(shop, app)) == 700
        shop.run("TRUNCATE shop_orders")
        async with asyncio.timeout(PATIENCE):
            while await records(app):
                pass


# What a record is.


async def test_a_function_makes_records_and_says_which_rows_are_shown(shop: Shop, app: App) -> None:
    def shown(row: Mapping[str, Any]) -> Any:
        return None if row["state"] == "secret" else {"name": row["title"], "id": row["id"]}

    shop.mirror(app, fields=shown)
    async with app:
        shop.add(1)
        shop.add(2)
        shop.run("UPDATE shop_orders SET state = 'secret' WHERE id = 2")
        assert await settled(shop, app) == {"1": {"name": "tea", "id": 1}}


async def test_a_row_that_cannot_be_a_record_is_rejected_and_holds_up_nobody(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    def shown(row: Mapping[str, Any]) -> Any:
        return {"title": row["title"], "share": 1 / len(row["title"])}

    mirror = shop.mirror(app, fields=shown)
    orders = app.entity("orders")

    @orders.check
    def short(who: object, before: object, after: Any) -> None:
        if after and len(after["title"]) > 10:
            raise RhtmxError(ErrorCode.INVALID, "the title is too long")

    async with app:
        shop.add(1, "")
        shop.add(2, "far too long to be a title")
        shop.add(3, "tea")
        assert list(await settled(shop, app)) == ["3"]
        assert sorted(mirror.rejected) == ["1", "2"]
        assert "ZeroDivisionError" in mirror.rejected["1"]
        assert "the title is too long" in mirror.rejected["2"]
        found = await mirror.reconcile()
        assert (found.rows, found.rejected, found.differences) == (3, 2, 0)
        shop.run("UPDATE shop_orders SET title = 'ok' WHERE id = 2")
        assert sorted(await settled(shop, app)) == ["2", "3"]
        assert list(mirror.rejected) == ["1"]
    said = [each.getMessage() for each in caplog.records if "cannot become" in each.getMessage()]
    assert sum("row '1'" in each for each in said) == 1


async def test_fields_that_never_leave_the_server_are_mirrored_too(shop: Shop, app: App) -> None:
    mirror = shop.mirror(app)
    app.entity("orders").hide({"cost": rhtmx.Violation("cost", "is the server's own", "server")})
    async with app:
        shop.run("INSERT INTO shop_orders (id, title, cost) VALUES (1, 'tea', 3)")
        assert await settled(shop, app) == {"1": {"title": "tea", "state": "new"}}
        change = await app.changes.get("orders", "1")
        assert change is not None
        assert change.data == order("tea", cost="3.00")
        assert (await mirror.reconcile()).differences == 0


async def test_nobody_else_writes_what_is_mirrored(shop: Shop, app: App) -> None:
    shop.mirror(app)
    async with app, rhtmx.connect(app.url) as client:
        for write in (
            client.push("orders", "1", {"title": "x"}),
            client.push_fields("orders", "1", {"title": "x"}),
            app.changes.push("orders", "1", {"title": "x"}),
            app.changes.delete("orders", "1"),
        ):
            with pytest.raises(RhtmxError, match="write the table instead") as caught:
                await write
            assert caught.value.code is ErrorCode.FORBIDDEN


# When something is missing, or away.


async def test_without_triggers_it_says_so_and_begins_once_they_are_there(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    shop.add(1)
    mirror = app.mirror("orders", table="shop_orders", fields=["title"], source=shop.engine)
    found: list[Reconciled] = []
    mirror.on_reconciled(found.append)
    async with app:
        await eventually(lambda: "are missing, or switched off" in caplog.text)
        app.mirror.install()
        await eventually(lambda: bool(found))
        assert "the mirror of 'orders' goes on" in caplog.text
        shop.add(2)
        assert len(await settled(shop, app)) == 2
    assert caplog.text.count("are missing, or switched off") == 1


async def test_while_the_database_is_away_records_are_old_and_the_server_is_ready(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    shop.mirror(app)
    async with app:
        shop.add(1)
        await settled(shop, app)
        shop.run("ALTER TABLE rhtmx_outbox RENAME TO elsewhere")
        await eventually(lambda: "is tried again" in caplog.text)
        assert await records(app) == {"1": order("tea")}
        at = app.url.replace("ws://", "http://").replace("/api/ws", "/readyz")
        with await asyncio.to_thread(urllib.request.urlopen, at) as answer:
            assert answer.status == 200
        shop.run("ALTER TABLE elsewhere RENAME TO rhtmx_outbox")
        shop.add(2)
        assert len(await settled(shop, app)) == 2


# Many at once.


async def test_interleaved_transactions_lose_nothing(pg_shop: Shop, app: App) -> None:
    """Savepoints, rollbacks, and commits in another order than that of the outbox's numbers."""
    shop = pg_shop
    mirror = shop.mirror(app)
    chance = random.Random(7)
    async with app:
        connections = [shop.engine.connect() for _ in range(4)]
        opened: dict[int, Any] = {}
        for _ in range(400):
            number = chance.randrange(4)
            connection = connections[number]
            if number not in opened:
                opened[number] = connection.begin()
            transaction = opened[number]
            # Rows of its own, so that nobody waits for another one's lock.
            row = chance.randrange(30) * 4 + number
            statement = chance.choice(
                (
                    "INSERT INTO shop_orders (id, title) VALUES (:id, :t) "
                    "ON CONFLICT (id) DO UPDATE SET title = :t",
                    "DELETE FROM shop_orders WHERE id = :id",
                    "UPDATE shop_orders SET title = :t WHERE id = :id",
                )
            )
            savepoint = connection.begin_nested()
            connection.execute(sqlalchemy.text(statement), {"id": row, "t": f"{chance.random()}"})
            if chance.random() < 0.3:
                savepoint.rollback()
            else:
                savepoint.commit()
            if chance.random() < 0.2:
                if chance.random() < 0.3:
                    transaction.rollback()
                else:
                    transaction.commit()
                del opened[number]
            await asyncio.sleep(0)  # the server's turn
        for transaction in opened.values():
            transaction.commit()
        for each in connections:
            each.close()
        expected = {
            str(number): title for number, title in shop.rows("SELECT id, title FROM shop_orders")
        }
        shown = await settled(shop, app)
        assert {name: each["title"] for name, each in shown.items()} == expected
        assert (await mirror.reconcile(repair=False)).differences == 0


async def test_of_several_servers_one_writes(postgres: Postgres, pg_shop: Shop) -> None:
    spread = Spread(postgres.place(), config=Config(port=0))
    for node in spread.nodes:
        pg_shop.mirror(node)
    async with spread:
        for number in range(1, 41):
            pg_shop.add(number)
            await asyncio.sleep(0)
        await settled(pg_shop, spread)
        async with rhtmx.connect(spread.url) as client:
            found = await client.sync("orders")
        assert sorted(each.version for each in found) == list(range(1, 41))


def test_a_mirror_is_declared_before_the_app_runs(app: App) -> None:
    made = app.mirror("orders", table="t", fields=["a"], source="sqlite://")
    assert isinstance(made, Mirror)
    with pytest.raises(ValueError, match="mirrored already"):
        app.mirror("orders", table="t", fields=["a"], source="sqlite://")
    with pytest.raises(TypeError, match="an Engine of SQLAlchemy or its URL"):
        app.mirror("others", table="t", fields=["a"])
    with pytest.raises(ValueError, match="source: "):
        app.mirror("others", table="t", fields=["a"], source="shop.db")
    assert app.mirror.entities == {"orders"}


async def test_a_row_is_the_whole_record_and_nothing_fills_it_in(app: App) -> None:
    mirror = app.mirror("orders", table="t", fields=["a"], source="sqlite://")

    @app.entity("orders").prepare
    def stamp(who: object, after: object) -> dict[str, int]:
        return {"stamped": 1}

    with pytest.raises(ValueError, match="a row is the whole record"):
        await app.start()
    with pytest.raises(RuntimeError, match="the app is not running"):
        await mirror.reconcile()


async def test_nothing_is_declared_while_the_app_runs(shop: Shop, app: App) -> None:
    shop.mirror(app)
    async with app:
        with pytest.raises(RuntimeError, match="say it before"):
            app.mirror("others", table="t", fields=["a"], source="sqlite://")
