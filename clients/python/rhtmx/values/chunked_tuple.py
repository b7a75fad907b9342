"""A tuple of many values that costs little to replace by one that is nearly the same.

Knows order and identity. Must not know what the values are, nor how they are kept in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, compress
from operator import index as as_index
from operator import is_, is_not
from typing import Generic, TypeVar, overload

__all__ = ["ChunkMemo", "ChunkedTuple", "choosing"]

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


class ChunkedTuple(Sequence[T_co]):
    """A tuple in chunks. One that differs from another in a few values shares all other chunks.

    It is used like a tuple: it never changes, is equal to a tuple of equal values, and is added to
    one. It has no order (`<`), and is no instance of `tuple`: what takes a real one can be given
    `tuple(rows)`.

    Args:
        chunks: the values, in order.

    Example:
        >>> rows = ChunkedTuple((("a", "b"), ("c",)))
        >>> len(rows), rows[2], rows[:2], rows == ("a", "b", "c"), rows + ("d",)
        (3, 'c', ('a', 'b'), True, ('a', 'b', 'c', 'd'))
    """

    __slots__ = ("_ends", "chunks")

    def __init__(self, chunks: tuple[tuple[T_co, ...], ...] = ()) -> None:
        self.chunks = chunks
        self._ends: list[int] | None = None

    def __len__(self) -> int:
        ends = self._offsets()
        return ends[-1] if ends else 0

    @overload
    def __getitem__(self, index: int) -> T_co: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...

    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        size = len(self)
        if isinstance(index, slice):
            return self._part(range(*index.indices(size)))
        place = as_index(index)
        place = place + size if place < 0 else place
        if not 0 <= place < size:
            raise IndexError("index out of range")
        ends = self._offsets()
        number = bisect_right(ends, place)
        return self.chunks[number][place - ends[number]]

    def __add__(self, other: ChunkedTuple[U] | tuple[U, ...]) -> tuple[T_co | U, ...]:
        if isinstance(other, ChunkedTuple | tuple):
            return (*self, *other)
        return NotImplemented

    def __radd__(self, other: tuple[U, ...]) -> tuple[U | T_co, ...]:
        return (*other, *self) if isinstance(other, tuple) else NotImplemented

    def __iter__(self) -> Iterator[T_co]:
        return chain.from_iterable(self.chunks)

    def __reversed__(self) -> Iterator[T_co]:
        return chain.from_iterable(map(reversed, reversed(self.chunks)))

    def __bool__(self) -> bool:
        return any(self.chunks)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ChunkedTuple | tuple):
            return len(self) == len(other) and tuple(self) == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({tuple(self)!r})"

    def holds_same(self, other: ChunkedTuple[object]) -> bool:
        """Whether the other one has the very same objects, in the same order.

        Costs next to nothing where nearly all chunks are shared.
        """
        if len(self.chunks) == len(other.chunks):
            others = map(is_not, self.chunks, other.chunks)
            pairs = list(compress(zip(self.chunks, other.chunks, strict=True), others))
            if all(len(one) == len(two) for one, two in pairs):
                return all(all(map(is_, one, two)) for one, two in pairs)
        return len(self) == len(other) and all(map(is_, self, other))

    def _part(self, places: range) -> tuple[T_co, ...]:
        """The values at these places; of the others only those in the same chunks are looked at."""
        if not places:
            return ()
        ends = self._offsets()
        first, last = (bisect_right(ends, each) for each in sorted((places[0], places[-1])))
        near = tuple(chain.from_iterable(self.chunks[first : last + 1]))
        start = ends[first] - len(self.chunks[first])
        return tuple(near[each - start] for each in places)

    def _offsets(self) -> list[int]:
        """How many values there are up to the end of each chunk."""
        if self._ends is None:
            self._ends = list(accumulate(map(len, self.chunks)))
        return self._ends


class ChunkMemo(Generic[T, U]):
    """What is made of a chunked tuple, chunk by chunk, made anew only where that has changed.

    What it gives is the same object as long as it holds the same objects.

    Args:
        make: gives what is made of some of the values, by these alone.
    """

    def __init__(self, make: Callable[[tuple[T, ...]], tuple[U, ...]]) -> None:
        self._make = make
        self._chunks: tuple[tuple[T, ...], ...] = ()
        self._parts: tuple[tuple[U, ...], ...] = ()
        self._made: ChunkedTuple[U] = ChunkedTuple()

    def of(self, source: ChunkedTuple[T]) -> ChunkedTuple[U]:
        """What is made of these values."""
        if source.chunks is not self._chunks:
            parts = self._parts_of(source.chunks)
            made = ChunkedTuple(parts)
            if not made.holds_same(self._made):
                self._made = made
            self._chunks, self._parts = source.chunks, parts
        return self._made

    def _parts_of(self, chunks: tuple[tuple[T, ...], ...]) -> tuple[tuple[U, ...], ...]:
        # Most of the time little has changed between a first and a last one.
        first = _shared(self._chunks, chunks)
        last = min(_shared(self._chunks[::-1], chunks[::-1]), len(chunks) - first)
        old, new = slice(first, len(self._chunks) - last), chunks[first : len(chunks) - last]
        # By identity: the chunks of before are still held, so nothing else can have their ids.
        known = dict(zip(map(id, self._chunks[old]), self._parts[old], strict=True))
        kept = set(map(id, new)) & known.keys()
        replaced = [pair for pair in self._pairs(old) if id(pair[0]) not in kept]
        make = self._maker(replaced)
        between = tuple(
            make(chunk) if (part := known.get(id(chunk))) is None else part for chunk in new
        )
        return self._parts[:first] + between + self._parts[old.stop :]

    def _pairs(self, places: slice) -> Iterator[tuple[tuple[T, ...], tuple[U, ...]]]:
        return zip(self._chunks[places], self._parts[places], strict=True)

    def _maker(
        self, replaced: Sequence[tuple[tuple[T, ...], tuple[U, ...]]]
    ) -> Callable[[tuple[T, ...]], tuple[U, ...]]:
        """What makes new parts in the place of these, of which each has its chunk."""
        return self._make


class _Chosen(ChunkMemo[T, T]):
    """The values that a condition holds for. It is asked about those that are new."""

    def __init__(self, condition: Callable[[T], bool]) -> None:
        super().__init__(lambda values: tuple(filter(condition, values)))
        self._condition = condition

    def _maker(
        self, replaced: Sequence[tuple[tuple[T, ...], tuple[T, ...]]]
    ) -> Callable[[tuple[T, ...]], tuple[T, ...]]:
        # By identity: the values of before are still held.
        asked = {id(each) for chunk, _ in replaced for each in chunk}
        chosen = {id(each) for _, part in replaced for each in part}

        def holds(value: T) -> bool:
            return id(value) in chosen if id(value) in asked else self._condition(value)

        return lambda values: tuple(filter(holds, values))


def _shared(one: tuple[object, ...], other: tuple[object, ...]) -> int:
    """How many of the first ones are the very same."""
    differs = list(map(is_not, one, other))
    return differs.index(True) if True in differs else len(differs)


def choosing(condition: Callable[[T], bool]) -> ChunkMemo[T, T]:
    """Make what gives the values that a condition holds for; it must depend on them alone."""
    return _Chosen(condition)
