"""Facts about `rhtmx.values.chunked_tuple`."""

from __future__ import annotations

import copy
import pickle
from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.values import chunked_tuple
from rhtmx.values.chunked_tuple import ChunkedTuple, ChunkMemo, choosing

CHUNKS = st.lists(st.lists(st.integers(), max_size=3).map(tuple), max_size=5).map(tuple)


@given(CHUNKS, st.data())
def test_it_is_used_like_a_tuple(chunks: tuple[tuple[int, ...], ...], data: st.DataObject) -> None:
    rows, plain, more = ChunkedTuple(chunks), sum(chunks, ()), (1, 2)
    assert rows == plain
    assert plain == rows
    assert (len(rows), bool(rows), list(rows)) == (len(plain), bool(plain), list(plain))
    assert list(reversed(rows)) == list(reversed(plain))
    assert [rows[each] for each in range(-len(plain), len(plain))] == [*plain, *plain]
    part = data.draw(st.slices(len(plain)))
    assert rows[part] == plain[part]
    assert hash(rows) == hash(plain)
    sums = rows + more, more + rows, rows + rows
    assert sums == (plain + more, more + plain, plain + plain)
    assert {type(each) for each in (*sums, rows[:])} == {tuple}
    for each in {*plain, 0}:
        assert (each in rows, rows.count(each)) == (each in plain, plain.count(each))
    assert [rows.index(each) for each in plain] == [plain.index(each) for each in plain]
    assert [copy.copy(rows), copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))] == [plain] * 3


def test_beyond_its_end_there_is_nothing() -> None:
    rows = ChunkedTuple(((1,), (), (2,)))
    for index in (2, 3, -3):
        with pytest.raises(IndexError, match=r"^index out of range$"):
            rows[index]


@given(CHUNKS, st.integers(), st.integers(), st.integers(-5, 5).filter(bool))
def test_a_slice_is_a_tuples_wherever_it_ends(
    chunks: tuple[tuple[int, ...], ...], start: int, stop: int, step: int
) -> None:
    rows, plain = ChunkedTuple(chunks), sum(chunks, ())
    for part in (slice(start, stop, step), slice(None, stop, step), slice(start, None, step)):
        assert rows[part] == plain[part]


def test_a_slice_costs_what_it_takes_and_not_a_search_for_each_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches = 0

    def search(ends: list[int], place: int) -> int:
        nonlocal searches
        searches += 1
        return bisect_right(ends, place)

    monkeypatch.setattr(chunked_tuple, "bisect_right", search)
    rows = ChunkedTuple(tuple((each,) * 100 for each in range(1000)))
    assert len(rows[100:-100]) == 99_800
    assert searches == 2


def test_what_is_no_place_is_refused_in_words() -> None:
    rows: Any = ChunkedTuple(((1,), (2,)))
    for place in ("0", 0.0, None):
        with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
            rows[place]
    for more in ([1], 1, "x"):
        with pytest.raises(TypeError):
            rows + more
        with pytest.raises(TypeError):
            more + rows


def test_it_matches_what_a_tuple_matches() -> None:
    match ChunkedTuple(((1, 2), (3,))):
        case (first, *rest):
            assert (first, rest) == (1, [2, 3])
        case _:
            pytest.fail("no sequence")


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

    def evens(values: tuple[int, ...]) -> tuple[int, ...]:
        asked.extend(values)
        return tuple(value for value in values if value % 2 == 0)

    first, last = (1, 2), (5, 6)
    memo = ChunkMemo(evens)
    made = memo.of(ChunkedTuple((first, (3, 4), last)))
    assert made == (2, 4, 6)
    asked.clear()
    assert memo.of(ChunkedTuple((first, (3, 4, 8), last))) == (2, 4, 8, 6)
    assert asked == [3, 4, 8]
    assert memo.of(ChunkedTuple((last, first))) == (6, 2)
    assert asked == [3, 4, 8], "both are known"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bcde", "xce"),  # one goes, behind one that is another
        ("bce", "xcde"),  # one comes, likewise
        ("aa", "a"),  # the first one is the last one, too
        ("a", "aa"),
        ("aba", "a"),
        ("a", "aba"),
    ],
)
def test_chunks_come_and_go_between_those_that_stay(before: str, after: str) -> None:
    chunks = {name: (name,) for name in "abcdex"}
    memo = ChunkMemo[str, str](lambda values: tuple(each.upper() for each in values))
    memo.of(ChunkedTuple(tuple(chunks[name] for name in before)))
    assert memo.of(ChunkedTuple(tuple(chunks[name] for name in after))) == tuple(after.upper())


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


def test_a_condition_is_asked_about_new_values_alone() -> None:
    asked: list[int] = []

    def large(value: list[int]) -> bool:
        asked.append(value[0])
        return value[0] > 2

    rows = [[number] for number in range(6)]
    first = ChunkedTuple(((rows[0], rows[1], rows[2]), (rows[3], rows[4])))
    chosen = choosing(large)
    assert chosen.of(first) == ([3], [4])
    asked.clear()
    moved = ChunkedTuple(((rows[0], rows[5]), (rows[2], rows[3], rows[4])))
    assert chosen.of(moved) == ([5], [3], [4])
    assert asked == [5]
