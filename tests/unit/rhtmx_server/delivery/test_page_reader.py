"""Pages of an entity's log: who cannot go on from where it was."""

from __future__ import annotations

import pytest

from rhtmx_server.delivery.cursor import Cursor, Reading
from rhtmx_server.delivery.page_reader import is_void
from rhtmx_server.model import Clock, Departure, Granularity, Record, Scope
from tests.unit.rhtmx_server.fakes import BOTH, FIELDS, NOW, RECORDS, record

SCOPE: Scope = frozenset({"here"})
LEFT = Departure("tasks", "1", 6, NOW)


def came() -> Record:
    """A record that lost a field by version 5, by which it came before somebody new, too."""
    clocks = {"a": Clock(6, NOW), "old": Clock(5, NOW, None, True)}
    each = record("1", 6, b'{"a":1}', clocks=clocks)
    each.entered = 5
    return each


def cursor(
    sent: int, level: Granularity = FIELDS, scope: Scope = SCOPE, where: bytes | None = None
) -> Cursor:
    return Cursor("tasks", level, sent, {where: Reading("tasks", where, scope, "s")})


def void(each: Record | Departure, reader: Cursor) -> bool:
    return is_void([record("0", 3, b"{}"), each], reader, knows_parts=False)


@pytest.mark.parametrize("each", [came(), LEFT], ids=["a field", "the record"])
def test_a_reader_by_field_that_knows_no_parts_may_hold_what_went_without_a_name(
    each: Record | Departure,
) -> None:
    assert void(each, cursor(4))
    assert not is_void([each], cursor(4), knows_parts=True)
    assert not void(each, cursor(4, where=b"{}"))
    resumed = cursor(0)
    resumed.rewind(4)
    assert not void(each, resumed)


@pytest.mark.parametrize("each", [came(), LEFT], ids=["a field", "the record"])
def test_what_had_gone_before_is_none_of_it(each: Record | Departure) -> None:
    assert not void(each, cursor(6))
    loading = cursor(0)
    assert void(each, loading), "it went since the load began"
    loading.began = 6
    assert not void(each, loading)


@pytest.mark.parametrize("each", [came(), LEFT], ids=["a field", "the record"])
def test_a_reader_of_whole_records_or_of_the_whole_entity_goes_on(
    each: Record | Departure,
) -> None:
    assert not void(each, cursor(4, RECORDS))
    assert not void(each, cursor(4, BOTH))
    assert not void(each, cursor(4, scope=None))


def test_a_record_that_lost_nothing_is_no_reason() -> None:
    assert not void(record("1", 6, b'{"a":1}', clocks={"a": Clock(6, NOW)}), cursor(4))
