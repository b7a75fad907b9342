"""Models of Django are mirrored: by triggers that a migration makes, or by signals."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.postgres import Postgres
from tests.support.shop import gone, shown

pytest.importorskip("django")
pytest.importorskip("psycopg")

LABEL = "shop"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> dict[str, Any]:
    """The models, on a database of each kind: `lite` and `pg`."""
    from tests.support.django_settings import configure, use_databases

    configure()
    use_databases(tmp_path_factory.mktemp("django"), postgres.folder)
    from django.db import connections
    from django.db.models import (
        CASCADE,
        CharField,
        CompositePrimaryKey,
        DecimalField,
        ForeignKey,
        IntegerField,
        Model,
        UniqueConstraint,
        UUIDField,
    )

    class Customer(Model):
        name: Any = CharField(max_length=40)

        class Meta:
            app_label = LABEL

    class Order(Model):
        title: Any = CharField(max_length=40)
        cost: Any = DecimalField(max_digits=10, decimal_places=2, null=True)
        customer: Any = ForeignKey(Customer, CASCADE, null=True)

        class Meta:
            app_label = LABEL

    class Special(Order):
        class Meta:
            app_label = LABEL

    class Ticket(Model):
        id: Any = UUIDField(primary_key=True)

        class Meta:
            app_label = LABEL

    class Line(Model):
        pk: Any = CompositePrimaryKey("number", "item")
        number: Any = IntegerField()
        item: Any = CharField(max_length=9)
        place: Any = IntegerField()

        class Meta:
            app_label = LABEL
            constraints = (UniqueConstraint(fields=["number", "place"], name="one_at_a_place"),)

    for alias in ("lite", "pg"):
        with connections[alias].schema_editor() as editor:
            for each in (Customer, Order, Line):
                editor.create_model(each)
    connections.close_all()
    made = (Customer, Order, Special, Ticket, Line)
    return {each.__name__: each for each in made}


@pytest.fixture(params=["lite", "pg"])
def alias(request: pytest.FixtureRequest, models: dict[str, Any]) -> Iterator[str]:
    """A database without orders, outbox or triggers."""
    from django.db import connections

    from rhtmx_server.mirror.triggers import drop_outbox_statements, drop_statements

    name: str = request.param
    yield name
    with connections[name].cursor() as cursor:
        for each in drop_statements(connections[name].vendor, "shop_order"):
            cursor.execute(each)
        for each in drop_outbox_statements():
            cursor.execute(each)
    models["Order"].objects.using(name).all().delete()
    connections.close_all()


def migrate(alias: str, *operations: Any, back: bool = False) -> None:
    """Do what a migration of these operations does, or undo it."""
    from django.db import connections
    from django.db.migrations.state import ProjectState

    with connections[alias].schema_editor() as editor:
        for each in reversed(operations) if back else operations:
            state = ProjectState()
            move = each.database_backwards if back else each.database_forwards
            move(LABEL, editor, state, state)


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0))


async def in_thread(work: Any) -> Any:
    """Do what may block, as Django asks for."""
    from asgiref.sync import sync_to_async

    return await sync_to_async(work)()


async def test_what_a_program_writes_by_any_way_is_shown(
    alias: str, app: App, models: dict[str, Any]
) -> None:
    from django.db import connections, transaction

    from rhtmx_server.mirror.django import create_outbox, create_triggers

    order = models["Order"]
    orders = order.objects.using(alias)
    operations = (create_outbox(), create_triggers("shop_order"))
    await in_thread(lambda: migrate(alias, *operations))
    fields = ["title", "cost", "customer_id"]
    mirror = app.mirror("orders", table=order, fields=fields, source=alias)

    def write() -> None:
        with transaction.atomic(using=alias):
            orders.bulk_create([order(pk=number, title="tea") for number in range(1, 5)])
        orders.filter(pk=2).update(title="coffee", cost="2.50")
        with connections[alias].cursor() as cursor:
            cursor.execute("DELETE FROM shop_order WHERE id = 3")
        transaction.set_autocommit(False, using=alias)
        orders.filter(pk=4).update(title="never")
        transaction.rollback(using=alias)
        transaction.set_autocommit(True, using=alias)
        orders.create(pk=9, title="last")

    async with app:
        await in_thread(write)
        await shown(app, "orders", "9")
        # The comparison at the start may have come by the last row before the outbox did.
        await gone(app, "orders", "3")
        found = {name: await app.changes.get("orders", name) for name in "1234"}
        data = {name: change and change.data for name, change in found.items()}
        tea = {"title": "tea", "cost": None, "customer_id": None}
        coffee = {"title": "coffee", "cost": "2.50", "customer_id": None}
        assert data == {"1": tea, "2": coffee, "3": None, "4": tea}
        assert (await mirror.reconcile(repair=False)).differences == 0
    await in_thread(lambda: migrate(alias, *operations, back=True))


async def test_a_key_may_have_several_columns(alias: str, app: App, models: dict[str, Any]) -> None:
    from django.db import connections, transaction
    from django.db.models import signals

    from rhtmx_server.mirror.django import create_outbox, create_triggers, note_writes
    from rhtmx_server.mirror.django_tables import DjangoDatabase
    from rhtmx_server.mirror.host import MirrorSetupError

    line = models["Line"]
    lines = line.objects.using(alias)
    key = ["number", "item"]
    operations = (create_outbox(), create_triggers("shop_line", key))
    await in_thread(lambda: migrate(alias, *operations))
    mirror = app.mirror("lines", table=line, fields=["place"], source=alias)

    def begin() -> None:
        lines.bulk_create([line(number=n // 3, item=f"i{n}", place=n) for n in range(450)])

    def change() -> None:
        lines.filter(number__gt=0).delete()
        lines.filter(item="i1").update(item="a,b")

    async with app:
        await in_thread(begin)
        assert (await mirror.reconcile()).rows == 450
        await in_thread(change)
        await shown(app, "lines", "0,a%2Cb")
        await gone(app, "lines", "149,i449")
        assert sorted(row.id for row in await app.collection("lines").all()) == [
            "0,a%2Cb",
            "0,i0",
            "0,i2",
        ]
        assert (await mirror.reconcile(repair=False)).differences == 0
    database = DjangoDatabase(alias)
    assert database.table(line, ["number", "place"]).key == ["number", "place"]
    with pytest.raises(MirrorSetupError, match="'item, place' is not unique"):
        database.table(line, ["item", "place"])

    def noted() -> list[str]:
        with transaction.atomic(using=alias):
            line(number=7, item="x,y", place=1).save(using=alias)
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT DISTINCT row_key FROM rhtmx_outbox WHERE row_key LIKE '7%'")
            return [found for (found,) in cursor.fetchall()]

    try:
        await in_thread(lambda: migrate(alias, operations[1], back=True))
        note_writes(line)
        assert await in_thread(noted) == ["7,x%2Cy"]
    finally:
        for each in (signals.pre_save, signals.post_save, signals.post_delete):
            each.disconnect(sender=line, dispatch_uid="rhtmx rhtmx_outbox shop.Line")
    await in_thread(lambda: migrate(alias, operations[0], back=True))


async def test_what_is_saved_and_deleted_is_noted_by_signals(
    alias: str, app: App, models: dict[str, Any]
) -> None:
    from django.db import connections, transaction
    from django.db.models import signals

    from rhtmx_server.mirror.django import create_outbox, note_writes

    order = models["Order"]
    await in_thread(lambda: migrate(alias, create_outbox()))
    note_writes(order)
    app.mirror("orders", table=order, fields=["title"], source=alias, triggers=False)

    def write() -> None:
        with transaction.atomic(using=alias):
            order(pk=1, title="tea").save(using=alias)
            order(pk=2, title="milk").save(using=alias)
        order.objects.using(alias).get(pk=1).delete()
        with pytest.raises(RuntimeError, match=r"within transaction\.atomic"):
            order(pk=3, title="alone").save(using=alias)
        connections[alias].close()

    try:
        async with app:
            await in_thread(write)
            await shown(app, "orders", "2")
            await gone(app, "orders", "1")
            assert await app.changes.get("orders", "3") is None
    finally:
        for each in (signals.pre_save, signals.post_save, signals.post_delete):
            each.disconnect(sender=order, dispatch_uid="rhtmx rhtmx_outbox shop.Order")


def test_what_a_proxy_or_a_child_of_a_model_saves_is_noted(models: dict[str, Any]) -> None:
    from django.db import connections, transaction
    from django.db.models import signals

    from rhtmx_server.mirror.django import create_outbox, note_writes

    migrate("lite", create_outbox())
    order, special = models["Order"], models["Special"]
    note_writes(order)

    class Urgent(order):  # type: ignore[misc, valid-type]
        class Meta:
            app_label = LABEL
            proxy = True

    senders = (order, special, Urgent)
    try:
        with connections["lite"].schema_editor() as editor:
            editor.create_model(special)
        with transaction.atomic(using="lite"):
            Urgent(pk=1, title="tea").save(using="lite")
            special(pk=2, title="milk").save(using="lite")
        with pytest.raises(RuntimeError, match="Urgent is mirrored: save it within"):
            Urgent(pk=3, title="alone").save(using="lite")
        Urgent.objects.using("lite").filter(pk=1).delete()
        with connections["lite"].cursor() as cursor:
            cursor.execute("SELECT table_name, row_key FROM rhtmx_outbox ORDER BY id")
            noted = cursor.fetchall()
        assert noted == [("shop_order", "1"), ("shop_order", "2"), ("shop_order", "1")]
    finally:
        for each in (signals.pre_save, signals.post_save, signals.post_delete):
            for sender in senders:
                each.disconnect(sender=sender, dispatch_uid="rhtmx rhtmx_outbox shop.Order")
        signals.class_prepared.disconnect(dispatch_uid="rhtmx rhtmx_outbox shop.Order")
        special.objects.using("lite").all().delete()
        with connections["lite"].schema_editor() as editor:
            editor.delete_model(special)
        migrate("lite", create_outbox(), back=True)
        connections.close_all()


async def test_a_model_that_cannot_be_mirrored_is_refused_in_words(
    models: dict[str, Any], app: App
) -> None:
    with pytest.raises(ValueError, match="no database 'lit': did you mean 'lite'"):
        app.mirror("orders", table=models["Order"], fields=["title"], source="lit")
    with pytest.raises(TypeError, match="alias of a database"):
        app.mirror("orders", table=models["Order"], fields=["title"], source=7)
    from rhtmx_server.mirror.django_tables import DjangoDatabase
    from rhtmx_server.mirror.host import MirrorSetupError

    database = DjangoDatabase("lite")
    with pytest.raises(MirrorSetupError, match="in two tables"):
        database.table(models["Special"], None)
    with pytest.raises(MirrorSetupError, match="no field 'titel': did you mean 'title'"):
        database.table(models["Order"], "titel")
    with pytest.raises(MirrorSetupError, match="'title' is not unique"):
        database.table(models["Order"], "title")
    assert database.table(models["Ticket"], None).key == ["id"]


def test_a_file_that_has_been_replaced_is_opened_again(models: dict[str, Any]) -> None:
    from django.db import connections

    from rhtmx_server.mirror.django_tables import DjangoDatabase
    from rhtmx_server.mirror.host import TableName
    from rhtmx_server.mirror.triggers import outbox_statements

    database, orders = DjangoDatabase("lite"), models["Order"].objects.using("lite")
    with connections["lite"].cursor() as cursor:
        for each in outbox_statements("sqlite"):
            cursor.execute(each)
    asked = TableName("shop_order"), TableName("rhtmx_outbox")
    before = database.state(*asked)
    assert not before.anew(database.state(*asked))
    there = Path(connections["lite"].settings_dict["NAME"])
    copy = Path(shutil.copyfile(there, there.with_name("copy.db")))
    with closing(sqlite3.connect(copy)) as other, other:
        other.execute("INSERT INTO shop_order (id, title) VALUES (1, 'tea')")
    copy.replace(there)
    assert not orders.exists()
    assert before.anew(database.state(*asked))
    assert orders.exists()
    orders.delete()
    database.close()
