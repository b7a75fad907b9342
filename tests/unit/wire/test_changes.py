"""Changes from columns: the very bytes that `encode` makes of the message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldChange,
    FieldChangeLog,
)
from rhtmx.wire import Format, encode
from rhtmx.wire.generated.changes import (
    ChangeWriter,
    FieldChangeWriter,
    json_change_writer,
    json_field_change_writer,
    proto_change_writer,
    proto_field_change_writer,
)

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
COLUMNS = st.tuples(
    TEXT,
    TEXT,
    st.sampled_from([ChangeAction.CREATE, ChangeAction.UPDATE, ChangeAction.DELETE]),
    st.none() | st.sampled_from([b'{"a": [1, 2]}', b"9007199254740993", b'"\xc3\xa9"', b"{}"]),
    st.integers(0, 2**53),
    st.none() | TEXT,
    st.datetimes(timezones=st.just(UTC)),
)


@pytest.fixture(
    params=[(Format.JSON, json_change_writer), (Format.PROTO, proto_change_writer)],
    ids=["json", "proto"],
    scope="module",
)
def writing(request: pytest.FixtureRequest) -> tuple[Format, ChangeWriter]:
    """A format, and one writer of it for all tests: nothing of one change stays in the next."""
    form, make = request.param
    return form, make()


@given(columns=COLUMNS)
def test_a_change_is_written_as_its_message_is(
    writing: tuple[Format, ChangeWriter], columns: Any
) -> None:
    form, write = writing
    assert write(*columns) == encode(Change(ChangeLog(*columns)), form)


def test_what_one_change_has_and_the_next_one_lacks_is_gone(
    writing: tuple[Format, ChangeWriter],
) -> None:
    form, write = writing
    write("tasks", "1", ChangeAction.UPDATE, b"1", 5, "ada", TEN)
    lacking = ("tasks", "1", ChangeAction.DELETE, None, 6, None, TEN)
    assert write(*lacking) == encode(Change(ChangeLog(*lacking)), form)


VALUES = [None, b"null", b'{"a": [1, 2]}', b"9007199254740993", b'"\xc3\xa9"', b"[\n]"]
FIELD_COLUMNS = st.tuples(
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(VALUES),
    st.integers(0, 2**53),
    st.none() | TEXT,
    st.datetimes(timezones=st.just(UTC)),
)


def field_change(
    entity: str, entity_id: str, field: str, value: bytes | None, *rest: Any
) -> FieldChange:
    """The message of these columns: `null` is no value, and so is none."""
    action = FieldAction.DELETE if value is None else FieldAction.UPDATE
    told = None if value == b"null" else value
    log = FieldChangeLog(entity, entity_id, field, told, action, *rest)
    log.more = True
    return FieldChange(log)


def columns_of(value: bytes | None, client_id: str | None = "ada", time: datetime = TEN) -> Any:
    return ("tasks", "1", "a", value, 5, client_id, time)


@pytest.fixture(
    params=[(Format.JSON, json_field_change_writer), (Format.PROTO, proto_field_change_writer)],
    ids=["json", "proto"],
    scope="module",
)
def writing_fields(request: pytest.FixtureRequest) -> tuple[Format, FieldChangeWriter]:
    """As `writing`, by field."""
    form, make = request.param
    return form, make()


def written(write: FieldChangeWriter, columns: Any) -> bytes:
    entity, entity_id, field, value, *rest = columns
    return write(entity, entity_id, field, None if value is None else Raw(value), *rest)


@given(columns=FIELD_COLUMNS)
def test_a_field_change_is_written_as_its_message_with_more_is(
    writing_fields: tuple[Format, FieldChangeWriter], columns: Any
) -> None:
    form, write = writing_fields
    assert written(write, columns) == encode(field_change(*columns), form)


@pytest.mark.parametrize("value", [None, b"null"])
def test_what_one_field_change_has_and_the_next_one_lacks_is_gone(
    writing_fields: tuple[Format, FieldChangeWriter], value: bytes | None
) -> None:
    form, write = writing_fields
    written(write, columns_of(b"1"))
    lacking = columns_of(value, None, TEN.replace(year=2025))
    assert written(write, lacking) == encode(field_change(*lacking), form)
