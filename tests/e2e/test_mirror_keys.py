"""Rows are identified by one column or by several together, and each row has one record."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from rhtmx_server.mirror import feed
from rhtmx_server.mirror.host import MirrorSetupError
from rhtmx_server.mirror.mirrors import Mirror
from rhtmx_server.mirror.outcomes import Reconciled
from tests.support.postgres import Postgres
from tests.support.shop import Shop, on_postgres, on_sqlite, sqlalchemy
from tests.support.waiting import eventually

orm = pytest.importorskip("sqlalchemy.orm")

NAMES = count()
Base: Any = orm.declarative_base()


class Line(Base):  # type: ignore[misc]
    """A row whose key is of three columns."""

    __tablename__ = "lines"
    shelf = orm.mapped_column(sqlalchemy.Text, primary_key=True)
    part = orm.mapped_column(sqlalchemy.Uuid, primary_key=True)
    place = orm.mapped_column(sqlalchemy.Integer, primary_key=True)
    title = orm.mapped_column(sqlalchemy.Text)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"keys{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0))


async def records(app: App, entity: str = "lines") -> Mapping[str, Any]:
    return {each.id: each.data for each in await app.collection(entity).all()}


async def compared(*mirrors: Mirror) -> None:
    """Wait until the comparison at the start is over, which would hide what is not noted."""
    for mirror in mirrors:
        await mirror.reconcile()


async def test_several_columns_identify_a_row(shop: Shop, app: App) -> None:
    shop.run(
        "CREATE TABLE lines (order_id INTEGER, item VARCHAR(9), count INTEGER, "
        "PRIMARY KEY (order_id, item))"
    )
    many = [{"n": number} for number in range(500)]
    with shop.transaction() as connection:
        statement = "INSERT INTO lines VALUES (:n / 3, 'i' || :n, 1)"
        connection.execute(sqlalchemy.text(statement), many)
    found: list[Reconciled] = []
    mirror = app.mirror("lines", table="lines", fields=["count"], source=shop.engine)
    mirror.on_reconciled(found.append)
    app.mirror.install()
    async with app:
        await eventually(lambda: bool(found))
        assert (found[0].rows, found[0].added) == (500, 500)
        shop.run("DELETE FROM lines WHERE order_id > 0")
        shop.run("UPDATE lines SET item = 'a,b%' WHERE item = 'i1'")
        shop.run("UPDATE lines SET order_id = -7, count = 2 WHERE item = 'i2'")
        await eventually(lambda: shop.waiting() == 0)
        expected = {"0,i0": {"count": 1}, "0,a%2Cb%25": {"count": 1}, "-7,i2": {"count": 2}}
        assert await records(app) == expected
        assert (await mirror.reconcile()).differences == 0


async def test_the_key_of_a_class_may_have_several_columns(shop: Shop, app: App) -> None:
    """On SQLite a UUID is a text without dashes, also among other columns."""
    from rhtmx_server.mirror.sqlalchemy import note_writes

    Base.metadata.create_all(shop.engine)
    mirror = app.mirror("lines", table=Line, fields=["title"], source=shop.engine)
    app.mirror.install()
    part = uuid.uuid4()
    async with app:
        await compared(mirror)
        with orm.Session(shop.engine) as session:
            session.add(Line(shelf="a-b", part=part, place=1, title="tea"))
            session.commit()
        await eventually(lambda: shop.waiting() == 0)
        assert await records(app) == {f"a-b,{part},1": {"title": "tea"}}
        assert (await mirror.reconcile()).differences == 0
    for each in ("DELETE FROM rhtmx_outbox", "DELETE FROM lines"):
        shop.run(each)
    shop.run("DELETE FROM rhtmx_outbox")
    sessions = orm.sessionmaker(shop.engine)
    other = "other_outbox"
    shop.run(*outbox_of(shop, other))
    note_writes(sessions, Line, outbox=other)
    with sessions.begin() as session:
        session.add(Line(shelf="c", part=part, place=2))
    with sessions.begin() as session:
        session.get(Line, ("c", part, 2)).place = 3
    found = sorted({key for (key,) in shop.rows(f"SELECT row_key FROM {other}")})
    assert found == [f"c,{part},2", f"c,{part},3"]


def outbox_of(shop: Shop, name: str) -> list[str]:
    from rhtmx_server.mirror.sqlalchemy import outbox_statements

    return outbox_statements(shop.engine.dialect.name, name)


def test_a_key_that_was_set_without_having_been_read_may_have_been_any(shop: Shop) -> None:
    from rhtmx_server.mirror.sqlalchemy import note_writes

    class Coupon(orm.declarative_base()):  # type: ignore[misc]
        __tablename__ = "coupons"
        id = orm.mapped_column(sqlalchemy.Integer, primary_key=True)
        code = orm.mapped_column(sqlalchemy.Text, unique=True)

    Coupon.metadata.create_all(shop.engine)
    shop.run(*outbox_of(shop, "rhtmx_outbox"))
    sessions = orm.sessionmaker(shop.engine)
    note_writes(sessions, Coupon, keys={"coupons": "code"})
    with sessions() as session:
        coupon = Coupon(id=1, code="a")
        session.add(coupon)
        session.commit()  # it is expired now
        coupon.code = "b"
        session.commit()
    assert [key for (key,) in shop.rows("SELECT row_key FROM rhtmx_outbox")] == ["a", None]


async def test_a_row_without_a_key_has_no_record_until_it_has_one(shop: Shop, app: App) -> None:
    shop.run("CREATE TABLE coupons (id INTEGER PRIMARY KEY, code VARCHAR(9) UNIQUE)")
    mirror = app.mirror("coupons", table="coupons", key="code", fields=["id"], source=shop.engine)
    app.mirror.install()
    async with app:
        await compared(mirror)
        shop.run("INSERT INTO coupons VALUES (1, NULL), (2, NULL)")
        shop.run("UPDATE coupons SET code = 'a' WHERE id = 1")
        await eventually(lambda: shop.waiting() == 0)
        assert await records(app, "coupons") == {"a": {"id": 1}}
        shop.run("UPDATE coupons SET code = NULL")
        await eventually(lambda: shop.waiting() == 0)
        assert await records(app, "coupons") == {}


async def test_one_outbox_has_notes_of_one_key(shop: Shop, app: App) -> None:
    """Otherwise the triggers of one mirror would take the place of those of the other."""
    shop.run("CREATE TABLE coupons (id INTEGER PRIMARY KEY, code VARCHAR(9) UNIQUE)")
    by_id = app.mirror("by_id", table="coupons", fields=["code"], source=shop.engine)
    given = {"table": "coupons", "key": "code", "fields": ["id"], "source": shop.engine}
    app.mirror("by_code", **given)
    with pytest.raises(MirrorSetupError, match="an outbox of its own, with outbox="):
        app.mirror.install()

    app = App(store="memory://", config=Config(port=0))
    by_id = app.mirror("by_id", table="coupons", fields=["code"], source=shop.engine)
    by_code = app.mirror("by_code", **given, outbox="code_outbox")
    app.mirror.install()
    async with app:
        await compared(by_id, by_code)
        shop.run("INSERT INTO coupons VALUES (1, 'a')")
        await eventually(lambda: shop.waiting() == 0)
        await eventually(lambda: not shop.rows("SELECT * FROM code_outbox"))
        assert await records(app, "by_id") == {"1": {"code": "a"}}
        assert await records(app, "by_code") == {"a": {"id": 1}}


async def test_one_table_has_one_name(
    postgres: Postgres, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    shop = on_postgres(postgres, schema := f"keys{next(NAMES)}")
    try:
        for name, table in (("a", "shop_orders"), ("b", f"{schema}.shop_orders")):
            app.mirror(name, table=table, fields=["title"], source=shop.engine)
        app.mirror.install()
        async with app:
            await eventually(lambda: "one table has one name in all mirrors" in caplog.text)
    finally:
        shop.engine.dispose()


async def test_a_table_with_two_rows_of_one_key_is_said_once_and_holds_up_no_other(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "AGAIN", 0.0)
    shop.run("CREATE TABLE coupons (id INTEGER PRIMARY KEY, code VARCHAR(9))")
    shop.run("INSERT INTO coupons VALUES (1, 'a'), (2, 'a')")
    found: list[Reconciled] = []
    given = {"source": shop.engine, "fields": ["id"]}
    app.mirror("coupons", table="coupons", key="code", **given)
    app.mirror("orders", table="shop_orders", **given).on_reconciled(found.append)
    app.mirror.install()
    async with app:
        await eventually(lambda: bool(found))
        for _ in range(2):  # by then the other one has failed once more
            found.clear()
            shop.run("INSERT INTO rhtmx_outbox (table_name) VALUES ('shop_orders')")
            await eventually(lambda: bool(found))
    assert caplog.text.count("two rows have the same 'code'") == 1
