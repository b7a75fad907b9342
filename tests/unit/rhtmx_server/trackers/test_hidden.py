"""Facts about `rhtmx_server.trackers.hidden`."""

from __future__ import annotations

import pytest

from rhtmx.messages import ChangeAction
from rhtmx_server.model import DELETED, Clock, Record
from rhtmx_server.trackers.hidden import apart, hidden_object, mentions, together, whole

HIDES = frozenset({"note"})


def record(data: bytes | None, hidden: bytes | None = None, *clocks: str) -> Record:
    action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
    stamps = {name: Clock(1, 5) for name in clocks}
    return Record("tasks", "1", 1, action, data, None, 5, stamps, 0, hidden)


@pytest.mark.parametrize(
    ("data", "hidden", "seen"),
    [
        (b'{"a":1}', b'{"note":"x"}', b'{"a":1,"note":"x"}'),
        (b'{ "a": 1.50 }', None, b'{ "a": 1.50 }'),
        (b'{"a":1}', b'{"a":2,"b":3}', b'{"a":1,"b":3}'),
        (b"[1]", b'{"note":"x"}', b"[1]"),
        (None, b'{"note":"x"}', None),
    ],
)
def test_the_program_sees_a_record_together_with_what_is_hidden(
    data: bytes | None, hidden: bytes | None, seen: bytes | None
) -> None:
    assert together(data, hidden) == seen
    assert whole(record(data, hidden)).data == seen
    assert whole(record(data, hidden)).hidden is None


def test_what_was_told_once_is_taken_apart() -> None:
    told = apart(record(b'{"a":1,"note":"x"}', b'{"b":2}', "a", "note"), HIDES)
    assert (told.data, told.hidden) == (b'{"a":1}', b'{"note":"x","b":2}')
    assert told.clocks.keys() == {"a"}


def test_what_is_written_of_a_field_that_is_hidden_comes_before_what_was_told_of_it() -> None:
    told = apart(record(b'{"note":"old"}', b'{"note":"new"}'), HIDES)
    assert (told.data, told.hidden) == (b"{}", b'{"note":"new"}')


def test_a_tombstone_tells_no_name_of_a_hidden_field() -> None:
    told = apart(record(None, None, "note", DELETED), HIDES)
    assert told.clocks.keys() == {DELETED}


def test_a_record_that_tells_nothing_is_left_as_it_is() -> None:
    for each in (record(b'{"a":"note"}', None, "a"), record(b'["note"]'), record(None)):
        assert apart(each, HIDES) is each


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"note":1}', True),
        (b'{"no\\u0074e":1}', True),
        (b'{"a":"note"}', False),
        (b'{"a":{"note":1}}', False),
        (b'{"a":"\\n"}', False),
        (b'["note"]', False),
        (b"{}", False),
        (None, False),
    ],
)
def test_a_key_is_found_however_it_is_written(data: bytes | None, *, found: bool) -> None:
    assert mentions(data, HIDES) is found


def test_nothing_hidden_is_kept_as_nothing() -> None:
    assert hidden_object({}) is None
