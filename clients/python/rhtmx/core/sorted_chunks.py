"""Values in the order of their keys, for snapshots that cost little after a small change. Pure.

Knows keys and their order. Must not know what the values are.

A snapshot shares its chunks with the one before, so a change costs one chunk and the list of all
chunks, and no copy of everything: as a list of 100,000 would. A sorted list of a library
(`sortedcontainers`) has chunks, too, but changes them in place: it has no snapshots.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from rhtmx.values.chunked_tuple import ChunkedTuple

__all__ = ["MOST", "SortedChunks"]

MOST = 256
"""So many values are in one chunk, at most. What a change leaves of one is joined with a
chunk beside it where both together have no more than half as many."""


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


K = TypeVar("K", bound=_Ordered)
V = TypeVar("V")


class SortedChunks(Generic[K, V]):
    """Values, each under its key, in the order of the keys. `None` is no value."""

    def __init__(self) -> None:
        self._firsts: list[K] = []
        self._keys: list[list[K]] = []
        self._values: list[tuple[V, ...]] = []
        self._snapshot: ChunkedTuple[V] | None = ChunkedTuple()

    def get(self, key: K) -> V | None:
        """The value under a key."""
        if not self._firsts:
            return None
        number = self._chunk_of(key)
        keys = self._keys[number]
        place = bisect_left(keys, key)
        return self._values[number][place] if place < len(keys) and keys[place] == key else None

    def snapshot(self) -> ChunkedTuple[V]:
        """All values; the same object until `update` changes something."""
        if self._snapshot is None:
            self._snapshot = ChunkedTuple(tuple(self._values))
        return self._snapshot

    def update(self, changes: Mapping[K, V | None]) -> None:
        """Put values under their keys; `None` takes away what is there."""
        if not changes:
            return
        self._snapshot = None
        by_chunk: dict[int, dict[K, V | None]] = {}
        for key, value in changes.items():
            by_chunk.setdefault(self._chunk_of(key), {})[key] = value
        # From the end: what is split or joined there moves none of those that are still to come.
        for number in sorted(by_chunk, reverse=True):
            self._update_chunk(number, by_chunk[number])

    # Inside.

    def _chunk_of(self, key: K) -> int:
        """The number of the chunk in which a key has its place."""
        return max(bisect_right(self._firsts, key) - 1, 0)

    def _update_chunk(self, number: int, changes: Mapping[K, V | None]) -> None:
        keys: list[K] = self._keys[number] if self._keys else []
        values: tuple[V, ...] = self._values[number] if self._values else ()
        if len(changes) == 1:
            ((key, value),) = changes.items()
            place = bisect_left(keys, key)
            rest = place + (place < len(keys) and keys[place] == key)
            there = () if value is None else (value,)
            values = values[:place] + there + values[rest:]
            keys = keys[:place] + (keys[place:rest] or [key])[: len(there)] + keys[rest:]
        else:
            merged = {**dict(zip(keys, values, strict=True)), **changes}
            kept = [(key, merged[key]) for key in sorted(merged)]
            keys = [key for key, value in kept if value is not None]
            values = tuple(value for _, value in kept if value is not None)
        self._replace(number, keys, values)

    def _replace(self, number: int, keys: list[K], values: tuple[V, ...]) -> None:
        """Put these in the place of a chunk: joined with those beside it, or split, if need be."""
        start, stop = number, number + 1
        if stop < len(self._keys) and len(keys) + len(self._keys[stop]) <= MOST // 2:
            keys, values = keys + self._keys[stop], values + self._values[stop]
            stop += 1
        if start and len(self._keys[start - 1]) + len(keys) <= MOST // 2:
            start -= 1
            keys, values = self._keys[start] + keys, self._values[start] + values
        size = MOST if len(keys) <= MOST else MOST * 3 // 4  # room for those that come between
        places = range(0, len(keys), size)
        self._firsts[start:stop] = [keys[each] for each in places]
        self._keys[start:stop] = [keys[each : each + size] for each in places]
        self._values[start:stop] = [values[each : each + size] for each in places]
