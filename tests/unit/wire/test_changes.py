"""Changes from columns: the very bytes that `encode` makes of the message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.messages import Change, ChangeAction, ChangeLog
from rhtmx.wire import Format, encode
from rhtmx.wire.changes import ChangeWriter, json_change_writer, proto_change_writer

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
