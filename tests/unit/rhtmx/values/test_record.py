"""Facts about `rhtmx.values.record`."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, asdict, replace
from typing import Any

import pytest

from rhtmx.values.record import Record, TextRecord, same


def text(data: bytes | None, version: int = 1) -> TextRecord:
    return TextRecord("1", data, version, pending=False)


def test_data_is_read_from_its_text_once() -> None:
    record = text(b'{"a":[1]}')
    assert record.text == b'{"a":[1]}'
    assert record.data == {"a": [1]}
    assert record.data is record.data
    assert record.text is None
    assert text(None).data is None


def test_data_of_records_that_were_looked_at_long_ago_is_read_anew() -> None:
    record, length = text(b'{"a":[1]}'), 3 * 1024 * 1024
    others = [text(b'"%b"' % (b"x" * length)) for _ in range(3)]
    before = record.data
    for other in others:
        assert len(other.data) == length
        assert other.data is other.data  # the last one stays, however large it is
    assert record.text == b'{"a":[1]}'
    assert record.data == before
    assert [other.text is None for other in others] == [False, False, True]


def test_a_record_is_the_same_wherever_its_data_comes_from() -> None:
    plain, read = Record("1", {"a": 1}, 1, pending=False), text(b'{"a":1}')
    assert plain == read
    assert read == plain
    assert hash(plain) == hash(read)
    assert repr(plain) == repr(read)
    assert repr(read) == "Record(id='1', data={'a': 1}, version=1, pending=False)"
    assert pickle.loads(pickle.dumps(read)) == plain
    assert asdict(read) == asdict(plain)
    assert plain != text(b'{"a":2}')
    assert plain != "1"


def test_a_record_is_not_changed_but_replaced() -> None:
    record = text(b"1")
    with pytest.raises(FrozenInstanceError):
        record.version = 2  # type: ignore[misc]  # that is what is shown
    with pytest.raises((FrozenInstanceError, AttributeError)):
        record.data = 2  # type: ignore[misc]
    assert replace(Record("1", 1, 1, pending=False), version=2).version == 2


def test_a_copy_with_another_value_is_made_of_each() -> None:
    records: list[Record[Any]] = [text(b'{"a":1}'), text(None), Record("1", [2], 1, pending=False)]
    for record in records:
        other = replace(record, version=2)
        assert other == Record("1", record.data, 2, pending=False)
        assert replace(other, data={"b": 2}).data == {"b": 2}


def test_what_shows_the_same_is_the_same_to_the_digit() -> None:
    assert same(text(b"1"), text(b"1"))
    assert same(text(b"1 "), text(b"1"))
    assert not same(text(b"1"), text(b"true"))
    assert not same(text(b"1"), text(b"1", version=2))
    assert same(text(b"1"), Record("1", 1, 1, pending=False))
    assert not same(text(b"1"), Record("1", 1, 1, pending=True))
