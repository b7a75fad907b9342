"""A table is read as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.patterns import compact
from rhtmx.patterns.table import Table, read, write


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count, width = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    state = st.integers(0, count - 1)
    starts = [0, *sorted(draw(st.sets(st.integers(1, 0x10FFFF), max_size=8)))]
    classes = [draw(st.integers(0, width - 1)) for _ in starts]
    rows = [[draw(state) for _ in range(width)] for _ in range(count - 2)]
    return Table(
        draw(st.integers(1, count - 1)),
        draw(state),
        starts,
        classes,
        [[0] * width, *rows, [count - 1] * width],
    )


@given(tables())
def test_a_table_is_read_as_it_was_written(table: Table) -> None:
    assert read(write(table)) == table


@given(st.lists(st.integers(0, 2**40)))
def test_numbers_are_read_as_they_were_written(values: list[int]) -> None:
    assert compact.numbers(compact.text(values)) == values


@pytest.mark.parametrize(("value", "length"), [(0, 1), (33, 1), (34, 2), (1937, 2), (1938, 3)])
def test_a_small_number_is_short(value: int, length: int) -> None:
    assert len(compact.text([value])) == length
