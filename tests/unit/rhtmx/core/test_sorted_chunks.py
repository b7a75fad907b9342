"""Facts about `rhtmx.core.sorted_chunks`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.core import sorted_chunks
from rhtmx.core.sorted_chunks import SortedChunks

KEYS = st.integers(0, 40)
CHANGES = st.dictionaries(KEYS, st.none() | st.integers(), max_size=30)


def of(count: int) -> SortedChunks[int, object]:
    chunks = SortedChunks[int, object]()
    chunks.update({each: object() for each in range(count)})
    return chunks


@given(st.lists(CHANGES, max_size=20))
def test_it_has_what_a_dict_has_in_the_order_of_its_keys(
    steps: list[dict[int, int | None]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_chunks, "MOST", 4)
        chunks, model = SortedChunks[int, int](), dict[int, int]()
        for changes in steps:
            chunks.update(changes)
            merged: dict[int, Any] = {**model, **changes}
            model = {key: each for key, each in merged.items() if each is not None}
            assert chunks.snapshot() == tuple(model[key] for key in sorted(model))
            assert [chunks.get(key) for key in range(41)] == [model.get(key) for key in range(41)]
            sizes = [len(each) for each in chunks.snapshot().chunks]
            assert all(0 < each <= 4 for each in sizes)


def test_a_snapshot_shares_with_the_one_before_all_but_what_has_changed() -> None:
    chunks = of(10_000)
    before = chunks.snapshot()
    chunks.update({5000: object()})
    after = chunks.snapshot()
    pairs = list(zip(before.chunks, after.chunks, strict=True))
    assert sum(one is not two for one, two in pairs) == 1
    assert len(before) == len(after) == 10_000


def test_a_snapshot_stays_what_it_was() -> None:
    chunks = of(1000)
    before = chunks.snapshot()
    kept = tuple(before)
    chunks.update(dict.fromkeys(range(0, 1000, 3)))
    chunks.update({each: object() for each in range(1000, 2000)})
    assert before == kept
    assert chunks.snapshot() is chunks.snapshot()


def test_where_most_are_taken_away_chunks_are_joined() -> None:
    chunks = of(100_000)
    for each in range(100_000):
        if each % 100:
            chunks.update({each: None})
    sizes = [len(each) for each in chunks.snapshot().chunks]
    assert sum(sizes) == 1000
    assert len(sizes) < 20
