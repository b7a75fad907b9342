"""Facts about `rhtmx_server.trackers.state`."""

from __future__ import annotations

from rhtmx_server.model import DELETED, Clock
from rhtmx_server.trackers.merge import FieldWrite
from rhtmx_server.trackers.state import clocks_of, fields_of, live, stored_write
from tests.unit.rhtmx_server.trackers.builders import NOW, record, tombstone


def test_a_tombstone_is_not_live_and_has_no_fields() -> None:
    assert live(None) is None
    assert live(tombstone()) is None
    assert fields_of(None) == fields_of(tombstone()) == {}


def test_a_live_record_has_the_fields_of_its_object() -> None:
    current = record(b'{"b":1,"a":2}')
    assert live(current) is current
    assert list(fields_of(current)) == ["b", "a"]


def test_a_field_without_a_clock_was_written_with_the_record() -> None:
    current = record(b'{"a":1,"b":2}', version=7, client_id="c", clocks={"b": Clock(3, 30, "x")})
    assert clocks_of(current, fields_of(current)) == {
        "a": Clock(7, NOW, "c"),
        "b": Clock(3, 30, "x"),
    }


def test_clocks_are_a_copy() -> None:
    current = record(b'{"a":1}')
    clocks_of(current, fields_of(current)).clear()
    assert set(current.clocks) == {"a"}


def test_the_last_write_of_a_live_field_is_its_value() -> None:
    current = record(b'{"a":1,"b":null}', version=7)
    fields = fields_of(current)
    clocks = clocks_of(current, fields)
    assert stored_write("a", fields, clocks) == FieldWrite(b"1", Clock(7, NOW))
    assert stored_write("b", fields, clocks) == FieldWrite(None, Clock(7, NOW))


def test_the_last_write_of_a_deleted_field_is_its_tombstone() -> None:
    gone = Clock(6, 60, "x", True)
    current = record(b'{"a":1}', clocks={"a": Clock(1, 10), "b": gone})
    fields = fields_of(current)
    assert stored_write("b", fields, clocks_of(current, fields)) == FieldWrite(None, gone)


def test_a_field_that_a_live_record_never_had_was_never_written() -> None:
    assert stored_write("a", {}, {}) is None
    assert stored_write("a", {}, {"b": Clock(1, 10)}) is None


def test_the_delete_of_a_record_is_the_last_write_of_every_field() -> None:
    current = tombstone(version=7, time=NOW, fields=["a"])
    clocks = clocks_of(current, {})
    deleted = FieldWrite(None, Clock(7, NOW, None, True))
    assert stored_write("a", {}, clocks) == deleted
    assert stored_write("never there", {}, clocks) == deleted


def test_the_delete_stays_the_last_write_after_the_record_came_back() -> None:
    delete = Clock(7, NOW, None, True)
    back = record(b'{"a":1}', version=8, clocks={"a": Clock(8, NOW + 1), DELETED: delete})
    clocks = clocks_of(back, fields_of(back))
    assert stored_write("never there", fields_of(back), clocks) == FieldWrite(None, delete)
