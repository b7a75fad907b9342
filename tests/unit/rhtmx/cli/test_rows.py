"""Facts about `rhtmx.cli.rows`."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.cli.paint import Paint
from rhtmx.cli.rows import Table, TableRow
from rhtmx.cli.text import width
from tests.unit.rhtmx.cli.values_of import change, field_change

PLAIN = Paint(False)


def line(what: Any, columns: int | None = None) -> str:
    return Table(PLAIN, UTC).line(TableRow.of(what), columns)


def test_a_change_reads_as_in_the_tour() -> None:
    assert line(change()) == (
        '  41  create  tasks/7  {"title": "Write it down"}  2026-11-22 10:00:01  cafe…'
    )


def test_a_field_change_names_the_field() -> None:
    assert line(field_change()) == (
        '  41  update  tasks/7.title  "Write it down"  2026-11-22 10:00:01'
    )


def test_what_is_gone_has_no_data_and_null_is_data() -> None:
    assert line(change(action="delete", data=None)).split() == [
        "41", "delete", "tasks/7", "2026-11-22", "10:00:01", "cafe…",
    ]  # fmt: skip
    assert "  null  " in line(change(data=None))


def test_times_are_those_of_the_zone() -> None:
    table = Table(PLAIN, timezone(timedelta(hours=-11)))
    assert "2026-11-21 23:00:01" in table.line(TableRow.of(change()), None)


def test_columns_stay_where_they_are_once_there_was_a_wider_one() -> None:
    table = Table(PLAIN, UTC)
    for each in (change(), change(entity_id="a-longer-id", version=123_456)):
        table.see(TableRow.of(each))
    lines = [
        table.line(TableRow.of(each), None)
        for each in (change(), change(entity_id="a-longer-id", version=123_456))
    ]
    assert len({text.index("{") for text in lines}) == 1
    assert len({text.index("2026") for text in lines}) == 1


def test_one_enormous_change_does_not_move_those_that_follow() -> None:
    table = Table(PLAIN, UTC)
    table.line(TableRow.of(change(data="x" * 5000, entity_id="y" * 255)), None)
    assert len(table.line(TableRow.of(change()), None)) < 140


def test_in_a_pipe_data_is_whole() -> None:
    assert "x" * 5000 in line(change(data="x" * 5000))


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_on_a_terminal_data_is_cut_to_its_width(columns: int) -> None:
    text = line(change(data="x" * 5000), columns)
    assert width(text) == columns
    assert text.endswith("xxx…  2026-11-22 10:00:01  cafe…")


def test_on_a_narrow_terminal_the_last_columns_give_way() -> None:
    assert line(change(data="x" * 50), 60).endswith("xxx…")
    assert line(change(data="x" * 50), 70).endswith("2026-11-22 10:00:01")


@given(
    st.integers(40, 200),
    st.text(max_size=300),
    st.text(min_size=1, max_size=255),
    st.integers(1, 10**9),
)
def test_no_line_is_wider_than_the_terminal_or_more_than_one(
    columns: int, data: str, entity_id: str, version: int
) -> None:
    data = data.encode(errors="replace").decode()
    each = change(data=data, entity="e", entity_id=entity_id, version=version)
    text = line(each, columns)
    # What names the change is never given up, and takes at most this much.
    assert width(text) <= max(columns, 10 + 6 + 32 + 3 * 2 + 1)
    assert text.isprintable()


def test_each_action_has_its_colour_which_takes_no_column() -> None:
    for action, code in (("create", 32), ("update", 33), ("delete", 31)):
        text = Table(Paint(True), UTC).line(TableRow.of(change(action=action)), 90)
        assert f"\x1b[{code}m{action}\x1b[0m" in text
        assert re.sub(r"\x1b\[\d+m", "", text) == line(change(action=action), 90)


def test_a_departure_is_told_from_a_deletion() -> None:
    row = TableRow.of(change(action="delete", data=None, left=True))
    assert (row.action, row.path, row.data) == ("left", "tasks/7", "")
    row = TableRow.of(field_change(action="delete", field="", value=None, left=True))
    assert (row.action, row.path, row.data) == ("left", "tasks/7", "")
    assert "left" in Table(PLAIN, UTC).line(row, 80)
