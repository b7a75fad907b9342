"""Facts about `rhtmx.values.chunked_tuple`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.values.chunked_tuple import ChunkedTuple, ChunkMemo, choosing

CHUNKS = st.lists(st.lists(st.integers(), max_size=3).map(tuple), max_size=5).map(tuple)


@given(CHUNKS, st.data())
def test_it_is_used_like_a_tuple(chunks: tuple[tuple[int, ...], ...], data: st.DataObject) -> None:
    rows, plain = ChunkedTuple(chunks), sum(chunks, ())
    assert rows == plain
    assert plain == rows
    assert (len(rows), bool(rows), list(rows)) == (len(plain), bool(plain), list(plain))
    assert list(reversed(rows)) == list(reversed(plain))
    assert [rows[each] for each in range(-len(plain), len(plain))] == [*plain, *plain]
    part = data.draw(st.slices(len(plain)))
    assert rows[part] == plain[part]
    assert hash(rows) == hash(plain)


def test_beyond_its_end_there_is_nothing() -> None:
    rows = ChunkedTuple(((1,), (), (2,)))
    for index in (2, -3):
        with pytest.raises(IndexError):
            rows[index]


def test_it_is_equal_to_tuples_only() -> None:
    assert ChunkedTuple(((1,),)) != [1]
    assert ChunkedTuple(((1,),)) != (2,)
    assert repr(ChunkedTuple(((1,), (2,)))) == "ChunkedTuple((1, 2))"


def test_what_holds_the_same_objects_is_told_from_what_is_only_equal() -> None:
    one, two, other = [1], [2], [1]
    rows = ChunkedTuple(((one,), (two,)))
    assert rows.holds_same(ChunkedTuple(((one,), (two,))))
    assert rows.holds_same(ChunkedTuple(((one, two),))), "in other chunks"
    assert not rows.holds_same(ChunkedTuple(((other,), (two,))))
    assert not rows.holds_same(ChunkedTuple(((one, two), (one,))))


def test_only_what_has_changed_is_made_anew() -> None:
    asked: list[int] = []

    def is_even(value: int) -> bool:
        asked.append(value)
        return value % 2 == 0

    first, last = (1, 2), (5, 6)
    memo = choosing(is_even)
    made = memo.of(ChunkedTuple((first, (3, 4), last)))
    assert made == (2, 4, 6)
    asked.clear()
    assert memo.of(ChunkedTuple((first, (3, 4, 8), last))) == (2, 4, 8, 6)
    assert asked == [3, 4, 8]
    assert memo.of(ChunkedTuple((last, first))) == (6, 2)
    assert asked == [3, 4, 8], "both are known"


def above_two(value: int) -> bool:
    return value > 2


def test_what_is_made_is_the_same_object_as_long_as_it_holds_the_same() -> None:
    memo = choosing(above_two)
    made = memo.of(ChunkedTuple(((1, 3),)))
    assert memo.of(ChunkedTuple(((0, 3),))) is made
    assert memo.of(ChunkedTuple(((0,), (3,)))) is made, "in other chunks"
    assert memo.of(ChunkedTuple(((0,), (4,)))) is not made


@given(st.lists(CHUNKS, max_size=5))
def test_however_chunks_come_and_go_what_is_made_is_of_the_last_ones(
    steps: list[tuple[tuple[int, ...], ...]],
) -> None:
    memo = ChunkMemo[int, int](lambda values: tuple(-each for each in values))
    for chunks in steps:
        assert memo.of(ChunkedTuple(chunks)) == tuple(-each for each in sum(chunks, ()))
