"""Whose work is next: owners take turns, each with so much under way at most. Pure.

Knows owners and their work in the order in which it came. Must not know what the
work is, where it runs, or how long it takes.

An owner with a thousand pieces of work waits behind one with a single piece as
soon as it has had its turn. An owner that has as much under way as it may is
passed over, however much is free: what it never finishes is its own to lose.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["RoundRobin"]

T = TypeVar("T", bound=Hashable)


class RoundRobin(Generic[T]):
    """Work that waits, by owner, and how much of each owner's is under way.

    Args:
        most: how much of one owner's work may be under way at a time.

    Example:
        >>> rotation = RoundRobin[str](1)
        >>> for owner, work in [("a", "a1"), ("a", "a2"), ("b", "b1")]:
        ...     rotation.put(owner, work)
        >>> rotation.next(), rotation.next(), rotation.next()
        (('a', 'a1'), ('b', 'b1'), None)
        >>> rotation.done("a")
        >>> rotation.next()
        ('a', 'a2')
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # In order, with the first one found at once: a plain dict from whose front
        # much was taken looks through what it once held.
        self._waiting: dict[Hashable, OrderedDict[T, None]] = {}
        self._ready: OrderedDict[Hashable, None] = OrderedDict()
        self._under_way: dict[Hashable, int] = {}

    @property
    def ready(self) -> bool:
        """Whether there is work that may begin."""
        return bool(self._ready)

    @property
    def waiting(self) -> int:
        """How much waits, over all owners."""
        return sum(map(len, self._waiting.values()))

    @property
    def empty(self) -> bool:
        """Whether nothing waits, and nothing is under way."""
        return not self._waiting and not self._under_way

    def put(self, owner: Hashable, work: T) -> None:
        """Add work to the end of what its owner waits for."""
        self._waiting.setdefault(owner, OrderedDict())[work] = None
        self._line_up(owner)

    def begin(self, owner: Hashable) -> bool:
        """Count something of this owner's as under way at once, if it need not wait.

        For work that nothing but its own owner's keeps waiting.
        """
        count = self._under_way.get(owner, 0)
        if count >= self._most or owner in self._waiting:
            return False
        self._under_way[owner] = count + 1
        return True

    def next(self) -> tuple[Hashable, T] | None:
        """Take what is next, with its owner: it is under way from now on.

        Returns:
            `None` if nothing waits that may begin.
        """
        if not self._ready:
            return None
        # Out of the line, and `_line_up` puts it at the end again: so owners take turns.
        owner, _ = self._ready.popitem(last=False)
        work, _ = self._waiting[owner].popitem(last=False)
        self._under_way[owner] = self._under_way.get(owner, 0) + 1
        self._line_up(owner)
        return owner, work

    def done(self, owner: Hashable) -> None:
        """Take note that something of this owner's that was under way has ended."""
        left = self._under_way[owner] - 1
        if left:
            self._under_way[owner] = left
        else:
            del self._under_way[owner]
        self._line_up(owner)

    def withdraw(self, owner: Hashable, work: T) -> bool:
        """Forget work that still waits.

        Returns:
            Whether it did: what is under way already is not stopped.
        """
        waiting = self._waiting.get(owner)
        if waiting is None or work not in waiting:
            return False
        del waiting[work]
        self._line_up(owner)
        return True

    def drop(self) -> list[T]:
        """Forget all that waits; what is under way goes on.

        Returns:
            What was forgotten.
        """
        dropped = [work for waiting in self._waiting.values() for work in waiting]
        self._waiting.clear()
        self._ready.clear()
        return dropped

    def _line_up(self, owner: Hashable) -> None:
        """Have the owner take its turn if it may, without losing the one that it has."""
        if not self._waiting.get(owner):
            self._waiting.pop(owner, None)
            self._ready.pop(owner, None)
        elif self._under_way.get(owner, 0) >= self._most:
            self._ready.pop(owner, None)
        else:
            # `setdefault`: an owner that stands in line already keeps its place.
            self._ready.setdefault(owner, None)
