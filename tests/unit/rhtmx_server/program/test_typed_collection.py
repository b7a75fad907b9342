"""Facts about `rhtmx_server.program.typed_collection`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rhtmx import Increment
from rhtmx.errors import Invalid
from rhtmx.schema.convert import Unreadable
from rhtmx_server import App, ErrorCode, Grant, RhtmxError
from tests.support.generated import schema_package

SCHEMA = """
message Order {
  option (rhtmx.v1.entity) = {name: "orders", partition: {fields: "team"}};
  string goods = 1 [(buf.validate.field) = {required: true, string: {max_len: 10}}];
  int64 count = 2 [(rhtmx.v1.field).merge = MERGE_COUNTER];
  string team = 3;
  string note = 4 [(rhtmx.v1.field).server_only = true];
  string state = 5 [(rhtmx.v1.field).read_only = true];
}
message Price {
  option (rhtmx.v1.entity) = {name: "prices", whole: true};
  int64 cents = 1;
  string unit = 2;
}
"""
MADE: Any = schema_package(SCHEMA)
Order, Price = MADE.Order, MADE.Price


@pytest.fixture
async def typed() -> AsyncIterator[App]:
    app = App(store="memory://", schema=MADE.schema)
    async with app.asgi():
        yield app


async def test_records_are_written_and_read_as_dataclasses(typed: App) -> None:
    orders = typed.of(Order)
    created = await orders.create(Order(goods="tea", count=2, team="red"))
    row = await orders.get(created.entity_id)
    assert row is not None
    assert row.data == Order(goods="tea", count=2, team="red")
    await orders.edit(created.entity_id, count=Increment(1), goods="rice")
    (row,) = await orders.all()
    assert (row.data.goods, row.data.count) == ("rice", 3)
    await orders.delete(created.entity_id)
    assert await orders.get(created.entity_id) is None


async def test_records_are_found_by_the_names_of_the_schema(typed: App) -> None:
    orders = typed.of(Order)
    await orders.create(Order(goods="tea", count=2, team="red"), "1")
    await orders.create(Order(goods="rice", count=2, team="blue"), "2")
    found = [
        await orders.where({"team": ["red", "green"], "count": 2}),
        await orders.where(lambda row: row.data.goods == "tea"),
        await typed.of(Order, where={"team": "red"}).all(),
    ]
    assert [[row.id for row in each] for each in found] == [["1"]] * 3
    with pytest.raises(RhtmxError, match="Order has no field 'tem'"):
        await orders.where({"tem": "red"})


async def test_rules_are_judged_in_the_transaction(typed: App) -> None:
    orders = typed.of(Order)
    await orders.create(Order(goods="tea"), "1")
    for write, code in (
        (orders.create(Order(goods="x" * 11)), ErrorCode.INVALID),
        (orders.edit("1", goods="x" * 11), ErrorCode.INVALID),
        (orders.create(Order(goods="rice"), "1"), ErrorCode.CONFLICT),
    ):
        with pytest.raises(RhtmxError) as caught:
            await write
        assert caught.value.code is code


async def test_the_program_writes_every_field_and_somebody_what_is_theirs(typed: App) -> None:
    orders = typed.of(Order)
    await orders.create(Order(goods="tea", note="late", state="paid"), "1")
    await orders.edit("1", state="sent")
    row = await orders.get("1")
    assert row is not None
    assert (row.data.note, row.data.state) == ("late", "sent")
    hers = typed.of(Order, who=Grant("ada"))
    for write in (hers.create(Order(goods="tea", state="paid")), hers.edit("1", note="x")):
        with pytest.raises(Invalid):
            await write
    row = await hers.get("1")
    assert row is not None
    assert row.data.note == ""


async def test_an_entity_that_is_written_whole_is_edited_by_what_was_read(typed: App) -> None:
    prices = typed.of(Price)
    await prices.create(Price(cents=250, unit="kg"), "tea")
    await prices.edit("tea", cents=300)
    row = await prices.get("tea")
    assert row is not None
    assert row.data == Price(cents=300, unit="kg")
    with pytest.raises(RhtmxError, match="there is no record prices/rice"):
        await prices.edit("rice", cents=1)


async def test_what_does_not_fit_the_schema_is_left_out_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = f"sqlite:///{tmp_path / 'old.db'}"
    old = App(store=place)
    async with old.asgi():
        await old.collection("orders").set("1", {"goods": 7})
    app = App(store=place, schema=MADE.schema)
    orders = app.of(Order)
    async with app.asgi():
        with caplog.at_level(logging.WARNING, "rhtmx_server"):
            for _ in range(2):
                assert await orders.all() == []
        assert [each.record for each in orders.unreadable] == ["orders/1"]
        assert [each.getMessage() for each in caplog.records if "left out" in each.message] == [
            "a record is left out, it does not fit the schema: orders/1: goods: a text expected"
        ]
        with pytest.raises(Unreadable, match="orders/1: goods: a text expected"):
            await orders.get("1")
        (raw,) = await orders.raw.all()
        assert raw.data == {"goods": 7}


async def test_what_is_used_wrongly_says_how_it_is_used(typed: App) -> None:
    orders: Any = typed.of(Order)
    with pytest.raises(TypeError, match="create: a Order expected"):
        await orders.create({"goods": "tea"})
    with pytest.raises(TypeError, match="edit: fields by their names expected"):
        await orders.edit("1", {"goods": "tea"})
    with pytest.raises(TypeError, match="has no field 'good'"):
        await orders.edit("1", good="tea")
    with pytest.raises(TypeError, match=r"a dataclass of the schema: write it with app\.of\(Order"):
        await orders.raw.set("1", Order(goods="tea"))
    with pytest.raises(TypeError):
        typed.of(dict)
    assert orders.new_id() != orders.new_id()
