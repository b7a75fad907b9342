"""What becomes of the values of columns; one that cannot be read holds up no other row."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.postgres import Postgres
from tests.support.shop import Shop, on_postgres, on_sqlite, sqlalchemy
from tests.support.waiting import eventually

NAMES = count()
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"values{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0))


async def test_a_value_that_cannot_be_read_holds_up_no_other_row(shop: Shop, app: App) -> None:
    """A column of SQLite may have any value, and a date of PostgreSQL may be none of Python's."""
    shop.run("CREATE TABLE days (id INTEGER PRIMARY KEY, day DATE)")
    mirror = app.mirror("days", table="days", fields=["day"], source=shop.engine)
    app.mirror.install()
    odd = "infinity" if shop.engine.dialect.name == "postgresql" else "some day"
    shop.run(f"INSERT INTO days VALUES (1, '2026-01-01'), (2, '{odd}')")
    async with app:
        assert (await mirror.reconcile()).rejected == 1
        shop.run(f"INSERT INTO days VALUES (3, '2026-01-03'), (4, '{odd}'), (5, NULL)")
        await eventually(lambda: shop.waiting() == 0)
        found = {each.id: each.data["day"] for each in await app.collection("days").all()}
        assert found == {"1": "2026-01-01", "3": "2026-01-03", "5": None}
        assert set(mirror.rejected) == {"2", "4"}
        assert "a value of it cannot be read: " in mirror.rejected["2"]
        assert odd not in mirror.rejected["2"]
        shop.run("UPDATE days SET day = '2026-01-02' WHERE id = 2")
        await eventually(lambda: shop.waiting() == 0)
        assert set(mirror.rejected) == {"4"}


async def test_a_text_that_is_not_utf8_holds_up_no_other_row(tmp_path: Path, app: App) -> None:
    shop = on_sqlite(tmp_path)
    mirror = shop.mirror(app, fields=["title"])
    async with app:
        shop.run("INSERT INTO shop_orders (id, title) VALUES (1, CAST(x'ff' AS TEXT)), (2, 'tea')")
        await eventually(lambda: set(mirror.rejected) == {"1"} and shop.waiting() == 0)
        assert [each.id for each in await app.collection("orders").all()] == ["2"]
    shop.engine.dispose()


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("bigint", "9223372036854775807", 9223372036854775807),
        ("numeric", "'NaN'", "NaN"),
        ("numeric", "100000.50", "100000.50"),
        ("bytea", "'\\x00ff'", "AP8="),
        ("uuid", "'0b0a8c84-4a5f-4a8e-9d0c-000000000001'", "0b0a8c84-4a5f-4a8e-9d0c-000000000001"),
        ("int[]", "'{1,NULL}'", [1, None]),
        ("numeric[]", "'{1.50}'", ["1.50"]),
        ("jsonb", "'{\"a\": [1, null]}'", {"a": [1, None]}),
        ("timestamptz", "'2026-07-01 12:00+02'", "2026-07-01T10:00:00Z"),
        ("timestamp", "'2026-07-01 12:00'", "2026-07-01T12:00:00"),
        ("time", "'12:00'", "12:00:00"),
        ("interval", "'1 day 2 hours'", "P1DT7200S"),
        ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
        ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
        ("inet[]", "'{10.0.0.1/8}'", ["10.0.0.1/8"]),
        ("char(3)", "'a'", "a  "),
    ],
)
async def test_a_value_of_postgresql_is_one_of_json(
    postgres: Postgres, app: App, kind: str, value: str, shown: object
) -> None:
    shop = on_postgres(postgres, f"values{next(NAMES)}")
    shop.run(f"CREATE TABLE things (id INTEGER PRIMARY KEY, v {kind})")
    with shop.transaction() as connection:
        connection.exec_driver_sql(f"INSERT INTO things VALUES (1, {value}), (2, NULL)")
    mirror = app.mirror("things", table="things", fields=["v"], source=shop.engine)
    app.mirror.install()
    async with app:
        await mirror.reconcile()
        assert mirror.rejected == {}
        found = {each.id: each.data["v"] for each in await app.collection("things").all()}
        assert found == {"1": shown, "2": None}
        assert (await mirror.reconcile(repair=False)).differences == 0
    shop.engine.dispose()


@pytest.mark.parametrize(
    ("kind", "odd", "good", "rejected"),
    [
        (sqlalchemy.Integer, "'x'", "7", "x"),
        (sqlalchemy.Integer, "1.5", "7", "1.5"),
        (sqlalchemy.Text, "x'61'", "'b'", "b'a'"),
        (sqlalchemy.Uuid, f"'{ONE}'", f"'{TWO.hex}'", str(ONE)),
    ],
)
async def test_a_key_that_is_not_what_its_column_says_is_rejected(
    tmp_path: Path, app: App, kind: Any, odd: str, good: str, rejected: str
) -> None:
    """In a file of SQLite, whose columns may have any value; a UUID is one without dashes there."""
    shop = on_sqlite(tmp_path)
    table = sqlalchemy.Table(
        "things", sqlalchemy.MetaData(), sqlalchemy.Column("id", kind, unique=True)
    )
    table.create(shop.engine)
    shop.run(f"INSERT INTO things VALUES ({odd}), ({good})")
    mirror = app.mirror("things", table=table, key="id", fields=["id"], source=shop.engine)
    app.mirror.install()
    async with app:
        await mirror.reconcile()
        assert set(mirror.rejected) == {rejected}
        assert len(await app.collection("things").all()) == 1
    shop.engine.dispose()
