"""The line in front of the committer: whose mutation comes next, and how many at a time. Pure.

Knows sources, and what a mutation weighs. Must not know what it means, the store
or the loop.

Each source (a connection, a backend's call) has a line of its own, and they take
turns: one that has 256 large mutations in flight holds another's single one up
for a turn, not for all of them. The order within a source is the order in which
it sent them. Where all that waits is light, as is usual, the first ones go first
and none of this is looked at: 512 of those take 5 ms.

===========  ===========  ============  ===================  =============
state        `put`        `put_back`    take some            take all
===========  ===========  ============  ===================  =============
empty        in order     by turns      -                    -
in order     in order     by turns      in order, or by      empty
                                        turns if more than
                                        `MAX_BYTES` wait
by turns     by turns     by turns      by turns             empty
===========  ===========  ============  ===================  =============

By turns it is until nothing waits: what has begun to be fair stays so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence

from rhtmx.messages import Push, PushFields, Transaction, TransactionWrite
from rhtmx_server.model import Mutation

__all__ = ["FIELD", "MAX_BATCH", "MAX_BYTES", "FairQueue", "weigh"]

MAX_BATCH = 512
"""Mutations in one transaction: bounds how long the loop is busy with it."""

MAX_BYTES = 1024 * 1024
"""Bytes of the mutations in one transaction, each field counted as `FIELD` more. One that weighs
more than that goes alone."""

FIELD = 512
"""What a field weighs besides its value: 2,000 of them take 10 ms to merge, whatever they hold.
So does each write of a transaction, which counts as one mutation."""


def weigh(message: Push | PushFields | Transaction) -> int:
    """Return what a mutation weighs: its bytes, and what its fields cost."""
    if type(message) is Push:  # not `isinstance`: for messages that is a call
        return len(message.data or b"")
    if type(message) is PushFields:
        return _fields(message)
    assert type(message) is Transaction
    return sum([FIELD + len(each.data or b"") + _fields(each) for each in message.writes])


def _fields(write: PushFields | TransactionWrite) -> int:
    return sum([FIELD + len(update.value or b"") for update in write.fields])


class FairQueue:
    """Mutations that wait, by source."""

    def __init__(self) -> None:
        self._new: list[Mutation] = []
        self._bytes = 0
        self._sources: dict[Hashable, deque[Mutation]] = {}
        self._turns: deque[Hashable] = deque()

    def __bool__(self) -> bool:
        return bool(self._new or self._turns)

    def __len__(self) -> int:
        return len(self._new) + sum(map(len, self._sources.values()))

    def __iter__(self) -> Iterator[Mutation]:
        """Those that wait, in no order."""
        yield from self._new
        for waiting in self._sources.values():
            yield from waiting

    def put(self, mutation: Mutation) -> None:
        """Let a mutation wait, behind those of its source."""
        self._new.append(mutation)
        self._bytes += weigh(mutation.message)

    def put_back(self, mutations: Sequence[Mutation]) -> None:
        """Let mutations wait again that were taken last, before all others of their sources."""
        # From the last one on, each to the front: so they end up in the order they had.
        for mutation in reversed(mutations):
            self._of(mutation.source, first=True).appendleft(mutation)

    def take(self) -> list[Mutation]:
        """Take the next batch; empty if nothing waits."""
        if not self._turns and self._bytes <= MAX_BYTES:
            # No queue per source, no weighing: this is what every push of a quiet server costs.
            taken, self._new = self._new[:MAX_BATCH], self._new[MAX_BATCH:]
            if not self._new:
                self._bytes = 0  # else it stays: the rest weighs no more than that
            return taken
        self._sort()
        taken, room = [], MAX_BYTES
        while self._turns and len(taken) < MAX_BATCH:
            waiting = self._sources[self._turns[0]]
            # Weighed before it is taken: it stays at the front of its source if there is no room.
            room -= weigh(waiting[0].message)
            if taken and room < 0:
                break
            source = self._turns.popleft()
            taken.append(waiting.popleft())
            if waiting:
                self._turns.append(source)
            else:
                del self._sources[source]
        return taken

    def clear(self) -> list[Mutation]:
        """Take all of them."""
        self._sort()
        taken = [mutation for source in self._turns for mutation in self._sources[source]]
        self._turns.clear()
        self._sources.clear()
        return taken

    def _sort(self) -> None:
        new, self._new, self._bytes = self._new, [], 0
        for mutation in new:
            self._of(mutation.source).append(mutation)

    def _of(self, source: Hashable, *, first: bool = False) -> deque[Mutation]:
        waiting = self._sources.get(source)
        if waiting is None:
            waiting = self._sources[source] = deque()
            (self._turns.appendleft if first else self._turns.append)(source)
        return waiting
