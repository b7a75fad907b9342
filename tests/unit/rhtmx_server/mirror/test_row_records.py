"""What becomes of a row: which fields, which JSON, and which words if it cannot be."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest

from rhtmx.wire import check_json
from rhtmx_server.mirror.host import HostRow, MirrorSetupError
from rhtmx_server.mirror.row_records import made_of, record_maker, require_columns


class State(enum.Enum):
    PAID = "paid"


def json(value: Any) -> bytes | str | None:
    return made_of({"v": value}, lambda row: [row["v"]], check_json)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (2**60, str(2**60)),
        (0.5, "0.5"),
        (True, "true"),
        ("tea", '"tea"'),
        (Decimal("12.50"), '"12.50"'),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (State.PAID, '"paid"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (time(3, 4), '"03:04:00"'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (datetime(2026, 1, 2), '"2026-01-02T00:00:00"'),
        (timedelta(days=1, hours=2), '"P1DT7200S"'),
        (b"\x00\xff", '"AP8="'),
        ({"a": [1, None]}, '{"a":[1,null]}'),
    ],
)
def test_values_of_a_database_in_json(value: object, text: str) -> None:
    assert json(value) == f"[{text}]".encode()


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
def test_what_json_cannot_express_is_said_in_words(value: object) -> None:
    assert isinstance(json(value), str)


def test_addresses_are_texts_also_in_arrays() -> None:
    make = record_maker("hosts", ["a", "b"])
    row = {"a": ip_address("::1"), "b": [[ip_interface("10.0.0.1/8"), None]]}
    assert made_of(row, make, check_json) == b'{"a":"::1","b":[["10.0.0.1/8",null]]}'


def test_a_function_that_fails_is_named_without_what_the_row_held() -> None:
    def shown(row: HostRow) -> Any:
        raise KeyError(row["secret"])

    words = made_of({"secret": "ada's"}, shown, check_json)
    assert isinstance(words, str)
    assert "KeyError" in words
    assert "ada" not in words


def test_a_function_may_say_that_a_row_is_shown_to_nobody() -> None:
    assert made_of({}, lambda row: None, check_json) is None


def test_columns_can_be_listed_renamed_or_left_to_a_function() -> None:
    row = {"id": 7, "title": "tea", "cost": 3}
    assert record_maker("orders", ["title", "cost"])(row) == {"title": "tea", "cost": 3}
    assert record_maker("orders", {"name": "title"})(row) == {"name": "tea"}
    assert record_maker("orders", lambda row: row["id"])(row) == 7


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ("title", TypeError, "a list of columns"),
        (7, TypeError, "a list of columns"),
        ([], ValueError, "at least one column"),
        ([7], TypeError, "names of columns"),
        (lambda: None, TypeError, r"takes \(row\)"),
    ],
)
def test_what_says_nothing_is_refused(fields: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        record_maker("orders", fields)


def test_a_column_that_is_not_there_is_refused_with_the_one_that_may_be_meant() -> None:
    require_columns("orders", lambda row: row, ["title"])
    require_columns("orders", {"name": "title"}, ["title"])
    with pytest.raises(MirrorSetupError, match="no column 'titel': did you mean 'title'"):
        require_columns("orders", ["titel"], ["title"])


def test_a_record_is_as_its_schema_keeps_it() -> None:
    """Else it would differ from its row for ever."""

    def trimmed(record: Mapping[str, Any], keys: Collection[str]) -> Mapping[str, Any]:
        return {key: record[key].strip() for key in keys if record[key] != record[key].strip()}

    made = [
        made_of({"title": text}, record_maker("orders", ["title"]), check_json, trimmed)
        for text in ("tea", " tea ")
    ]
    assert made == [b'{"title":"tea"}', b'{"title":"tea"}']
