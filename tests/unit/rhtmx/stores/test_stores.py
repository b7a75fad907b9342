"""Facts about every store of `rhtmx.stores`: what was stored is what is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rhtmx.core import build_message
from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    AddWrite,
    DropRecord,
    DropRejection,
    DropWrite,
    HeldRecord,
    Image,
    PutRecord,
    PutRejection,
    PutWrite,
    SetIdentity,
    SetLast,
    SetPosition,
    Settled,
    Store,
    StoredRejection,
    StoredWrite,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.stores.memory import MemoryStore
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.unknown_enum_values import unknown

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
PATCH = build_message.push_fields("tasks", "1", {"ü": 9007199254740993}, ["gone"], 4, AT)


def write(name: str, seq: int = 0) -> StoredWrite:
    return StoredWrite(name, seq, build_message.push("tasks", name, {"n": 1}, None), "e", 12.5)


@pytest.fixture(params=["memory", "sqlite"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Store | None], Store]:
    """Ends the process that has a store, and starts another one."""
    memory = MemoryStore("c")

    def start(store: Store | None = None) -> Store:
        if store is not None:
            store.close()
        return memory if request.param == "memory" else SqliteStore(tmp_path / "replica.db")

    return start


def reread(again: Callable[[Store | None], Store], store: Store) -> Image:
    after = again(store)
    image = after.load()
    after.close()
    return image


def test_a_new_store_has_an_id_and_nothing_else(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    image = store.load()
    assert image.client_id
    assert image == Image(image.client_id)
    assert reread(again, store) == image


def test_who_the_client_is_is_kept_and_its_number_with_it(
    again: Callable[[Store | None], Store],
) -> None:
    store = again(None)
    name = store.load().client_id
    store.add([AddWrite(write("a"))], [SetIdentity(name, "s1")])
    image = reread(again, store)
    assert (image.client_id, image.secret, image.last) == (name, "s1", 1)
    store = again(None)
    store.load()
    store.add([], [SetIdentity("new", None), SetLast(0)])
    image = reread(again, store)
    assert (image.client_id, image.secret, image.last) == ("new", None, 0)


def test_records_and_positions_are_kept(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    store.load()
    place = SetPosition("tasks", Position(epoch="e", version=7), Granularity.FIELDS)
    store.add(
        [],
        [
            place,
            PutRecord("tasks", "1", HeldRecord(3, b'{"a":1}')),
            PutRecord("tasks", "2", HeldRecord(4, None)),
            PutRecord("tasks", "3", HeldRecord(5, b"1")),
        ],
    )
    store.add([], [PutRecord("tasks", "1", HeldRecord(7, b"2")), DropRecord("tasks", "3")])
    kept = reread(again, store).entities["tasks"]
    assert kept.records == {"1": HeldRecord(7, b"2"), "2": HeldRecord(4, None)}
    assert (kept.position, kept.granularity) == (place.position, Granularity.FIELDS)


def test_the_position_of_each_part_is_kept_with_its_scope(
    again: Callable[[Store | None], Store],
) -> None:
    store = again(None)
    store.load()
    seven, eight = '{"c":"7"}', '{"c":"8"}'
    fields, records = Granularity.FIELDS, Granularity.RECORDS
    first, later = (Position(epoch="e", version=n, scope=f"s{n}") for n in (3, 9))
    store.add([], [SetPosition("tasks", first, fields, seven)])
    store.add([], [PutRecord("tasks", "1", HeldRecord(3, b"{}"))])
    store.add([], [SetPosition("tasks", first, records, eight)])
    store.add([], [SetPosition("tasks", later, records, seven)])
    kept = reread(again, store).entities["tasks"]
    assert kept.parts == {seven: (later, records), eight: (first, records)}
    assert kept.place(seven) == (later, records)
    assert kept.place("")[0] == Position(epoch="", version=0)
    assert list(kept.records) == ["1"]
    store = again(None)
    store.load()
    store.add([], [SetPosition("tasks", later, records), SetPosition("users", first, fields)])
    entities = reread(again, store).entities
    assert (entities["tasks"].position, entities["users"].position) == (later, first)


def test_new_writes_get_the_numbers_after_the_last(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    store.load()
    assert store.add([AddWrite(write("a")), AddWrite(write("b"))]) == [1, 2]
    assert store.add([AddWrite(write("c"))], [SetLast(7)]) == [8]
    image = reread(again, store)
    assert image.last == 8
    assert image.rows == [write("a", 1), write("b", 2), write("c", 8)]


def test_a_write_comes_back_as_it_was_to_the_digit(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    store.load()
    answer = Settled(9, "e", {"x": b'"\xc3\xbc"', "y": None})
    prepared = replace(answer, prepared=b'{"id":12345678901234567890,"f":1.50}')
    rows = [
        StoredWrite(name, 1, PATCH, "e", 12.5, settled)
        for name, settled in (("a", answer), ("b", prepared))
    ]
    store.add([], [PutWrite(row) for row in rows])
    assert reread(again, store).rows == rows


def test_settled_writes_come_before_those_that_wait(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    store.load()
    answered = StoredWrite("old", 9, PATCH, None, 0, Settled(3, "e"))
    store.add([], [PutWrite(write("b", 2)), PutWrite(answered), PutWrite(write("a", 1))])
    assert [row.id for row in reread(again, store).rows] == ["old", "a", "b"]


def test_a_write_leaves_with_its_answer(again: Callable[[Store | None], Store]) -> None:
    store = again(None)
    store.load()
    store.add([AddWrite(write("a"))])
    store.add([], [DropWrite("a")])
    image = reread(again, store)
    assert (image.rows, image.last) == ([], 1)


def test_refused_writes_are_kept_until_one_takes_their_place(
    again: Callable[[Store | None], Store],
) -> None:
    store = again(None)
    store.load()
    refused = [
        StoredRejection(name, PATCH, code, "no", b'{"v":1}', 3.5, "e")
        for name, code in [
            ("b", ErrorCode.CONFLICT),
            ("a", ErrorCode.UNSPECIFIED),
            ("d", unknown(ErrorCode, "quota_exceeded")),
        ]
    ]
    store.add([], [PutRejection(each) for each in refused])
    store.add([AddWrite(write("c"), instead="b")])
    kept = reread(again, store).rejected
    assert kept == refused[1:]
    assert [each.code.name for each in kept] == ["UNSPECIFIED", "quota_exceeded"]
    store = again(None)
    store.load()
    store.add([], [DropRejection("a"), DropRejection("d")])
    assert reread(again, store).rejected == []


def test_a_failure_leaves_everything_as_it_was() -> None:
    store = MemoryStore("c")
    store.failure = RhtmxError(ErrorCode.STORAGE_FULL, "full")
    with pytest.raises(RhtmxError, match="full"):
        store.add([AddWrite(write("a"))], [SetLast(4)])
    store.failure = None
    assert store.load() == Image("c")
