"""Facts about `rhtmx_server.trackers.values`."""

from __future__ import annotations

from rhtmx.values.changes import Change, FieldChange
from rhtmx_server.model import Clock, Granularity, HistoryEntry
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.values import (
    HistoryChange,
    change_of,
    field_changes_of,
    history_change,
)
from tests.unit.rhtmx_server.trackers.builders import NOW, record, tombstone


def test_a_record_is_a_change_with_its_data_as_a_value() -> None:
    change = change_of(record(b'{"a":[1,null]}', version=7, client_id="c"))
    assert isinstance(change, Change)
    assert (change.entity, change.entity_id, change.version) == ("users", "1", 7)
    assert change.data == {"a": [1, None]}
    assert (change.client_id, change.created_at) == ("c", to_datetime(NOW))


def test_a_tombstone_is_a_delete_without_data() -> None:
    change = change_of(tombstone())
    assert (change.action, change.data) == ("delete", None)


def test_whole_numbers_keep_every_digit() -> None:
    assert change_of(record(b"9007199254740993")).data == 9_007_199_254_740_993


def test_fields_are_changes_by_name_with_their_values() -> None:
    clocks = {"a": Clock(3, NOW, "c")}
    found = field_changes_of(record(b'{"a":{"b":1}}', version=4, clocks=clocks))
    assert isinstance(found["a"], FieldChange)
    assert (found["a"].value, found["a"].version, found["a"].client_id) == ({"b": 1}, 3, "c")


def test_an_entry_of_the_history_is_a_change_that_says_whether_it_lost() -> None:
    held = record(b'{"a":1}', version=7)
    for lost in (True, False):
        change = history_change(HistoryEntry(held, Granularity.FIELDS, lost))
        assert isinstance(change, HistoryChange)
        assert change.lost is lost
        assert (change.data, change.version, change.action) == ({"a": 1}, 7, "update")
