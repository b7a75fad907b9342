"""Sessions of SQLAlchemy note what they write, in their transaction; classes say what is read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.shop import Shop, gone, on_postgres, on_sqlite, shown, sqlalchemy

orm = pytest.importorskip("sqlalchemy.orm")

NAMES = count()


Base: Any = orm.declarative_base()


class Order(Base):
    """A row of the shop."""

    __tablename__ = "shop_orders"
    number = orm.mapped_column("id", sqlalchemy.Integer, primary_key=True)
    title = orm.mapped_column(sqlalchemy.Text)
    state = orm.mapped_column(sqlalchemy.Text, default="new")


class Ticket(Base):
    """A row whose key is a UUID."""

    __tablename__ = "tickets"
    id = orm.mapped_column(sqlalchemy.Uuid, primary_key=True, default=uuid.uuid4)
    about = orm.mapped_column(sqlalchemy.JSON)
    priority = orm.mapped_column(sqlalchemy.Integer, default=1)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"sessions{next(NAMES)}")
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture
def sessions(shop: Shop) -> Any:
    """A `sessionmaker` that notes orders, and no triggers."""
    from rhtmx_server.mirror.sqlalchemy import note_writes, outbox_statements

    shop.run(*outbox_statements(shop.engine.dialect.name))
    made = orm.sessionmaker(shop.engine)
    note_writes(made, Order)
    return made


def noted(shop: Shop) -> list[str | None]:
    """The keys that the outbox has; then it has none."""
    found = [key for (key,) in shop.rows("SELECT row_key FROM rhtmx_outbox ORDER BY id")]
    shop.run("DELETE FROM rhtmx_outbox")
    return found


def test_what_a_session_adds_changes_and_deletes_is_noted(shop: Shop, sessions: Any) -> None:
    with sessions.begin() as session:
        session.add_all([Order(number=1, title="tea"), Order(number=2, title="milk")])
    assert sorted(noted(shop), key=str) == ["1", "2"]
    with sessions.begin() as session:
        session.get(Order, 1).title = "coffee"
    assert noted(shop) == ["1"]
    with sessions.begin() as session:
        session.get(Order, 1).number = 9
    assert sorted(noted(shop), key=str) == ["1", "9"]
    with sessions.begin() as session:
        session.delete(session.get(Order, 9))
    assert noted(shop) == ["9"]


def test_what_is_rolled_back_is_not_noted(shop: Shop, sessions: Any) -> None:
    with sessions.begin() as session:
        session.add(Order(number=1, title="tea"))
        with session.begin_nested() as savepoint:
            session.add(Order(number=2, title="never"))
            session.flush()
            savepoint.rollback()
    assert noted(shop) == ["1"]


def test_after_a_statement_about_many_rows_any_may_have_changed(shop: Shop, sessions: Any) -> None:
    with sessions.begin() as session:
        session.execute(sqlalchemy.update(Order).values(state="paid"))
        session.execute(sqlalchemy.select(Order))
    assert noted(shop) == [None]
    with sessions.begin() as session:
        session.execute(sqlalchemy.delete(Order.__table__))
    assert noted(shop) == [None]


def test_tables_are_named_by_a_class(shop: Shop) -> None:
    from rhtmx_server.mirror.sqlalchemy import note_writes

    with pytest.raises(TypeError, match="a mapped class or a Table expected"):
        note_writes(orm.sessionmaker(shop.engine), "shop_orders")


async def test_what_sessions_note_is_shown_without_triggers(shop: Shop, sessions: Any) -> None:
    app = App(store="memory://", config=Config(port=0))
    fields = ["title"]
    mirror = app.mirror("orders", table=Order, fields=fields, source=shop.engine, triggers=False)
    async with app:
        with sessions.begin() as session:
            session.add(Order(number=1, title="tea"))
            session.add(Order(number=2, title="milk"))
        app.mirror.wake()
        await shown(app, "orders", "2")
        with sessions.begin() as session:
            session.execute(sqlalchemy.delete(Order).where(Order.number == 2))
        await gone(app, "orders", "2")
        assert (await mirror.reconcile(repair=False)).differences == 0


async def test_a_class_says_which_types_its_columns_have(shop: Shop) -> None:
    """On SQLite a UUID is a text without dashes: the record is called as Python calls it."""
    app = App(store="memory://", config=Config(port=0))
    mirror = app.mirror("tickets", table=Ticket, fields=["about"], source=shop.engine)
    app.mirror.install()
    ticket = Ticket(id=uuid.uuid4(), about={"seats": [1, 2]})
    name = str(ticket.id)
    async with app:
        with orm.Session(shop.engine) as session:
            session.add(ticket)
            session.commit()
        await shown(app, "tickets", name)
        change = await app.changes.get("tickets", name)
        assert change is not None
        assert change.data == {"about": {"seats": [1, 2]}}
        assert (await mirror.reconcile()).differences == 0
        with orm.Session(shop.engine) as session:
            session.delete(session.get(Ticket, uuid.UUID(name)))
            session.commit()
        await gone(app, "tickets", name)


@pytest.mark.parametrize(
    ("table", "settings", "words"),
    [
        ("shop_order", {}, "no table 'shop_order': did you mean 'shop_orders'"),
        ("shop_orders", {"key": "idd"}, "no column 'idd': did you mean 'id'"),
        ("shop_orders", {"key": "cost"}, "integers, texts or UUIDs can be keys"),
        ("keyless", {}, "no primary key: say key="),
        ("keyless", {"key": "a"}, "two rows have the same 'a'"),
    ],
)
async def test_a_table_that_cannot_be_mirrored_is_refused_in_words(
    shop: Shop, table: str, settings: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    from rhtmx_server.mirror.host import MirrorSetupError
    from rhtmx_server.mirror.sqlalchemy import outbox_statements

    shop.run(*outbox_statements(shop.engine.dialect.name))
    shop.run("CREATE TABLE keyless (a INTEGER)", "INSERT INTO keyless VALUES (1), (1)")
    app = App(store="memory://", config=Config(port=0))
    mirror = app.mirror(
        "orders", table=table, fields=lambda row: 1, source=shop.engine, triggers=False, **settings
    )
    async with app:
        with pytest.raises(MirrorSetupError, match=words):
            await mirror.reconcile()
