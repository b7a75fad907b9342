"""The writes of one client, from the call until their answer.

Knows order and numbers. Must not know the connection, clocks or disks: times
are arguments, and where writes wait is a port. It is the one place that numbers
a write and the one place that forgets it.

A write is sent on every connection until it is answered. The server knows by
its number whether it has taken effect, and then only repeats the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

from rhtmx.backoff import Backoff
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldConflict, Push, PushFields

__all__ = ["MemoryQueue", "Mutation", "Mutations", "Queue"]

Mutation: TypeAlias = Push | PushFields
"""One write. It is known by its `request_id`; `seq` is given when it is first sent."""

_NOTHING_WRITTEN = frozenset(
    {ErrorCode.STORAGE_FULL, ErrorCode.STORAGE_FAILED, ErrorCode.SHUTTING_DOWN}
)
"""Refusals that did not use up the number: the write is sent again, later."""


class Queue(Protocol):
    """Where writes wait for their answer, oldest first."""

    def put(self, mutation: Mutation) -> None:
        """Add a write at the end, or replace the one of that `request_id` where it stands."""

    def remove(self, request_id: str) -> None:
        """Forget a write, if it is there."""

    def __iter__(self) -> Iterator[Mutation]:
        """All of them, oldest first."""


class MemoryQueue:
    """A queue that lives as long as the process."""

    def __init__(self) -> None:
        self._mutations: dict[str, Mutation] = {}

    def put(self, mutation: Mutation) -> None:
        """Add a write at the end, or replace the one of that `request_id` where it stands."""
        self._mutations[mutation.request_id or ""] = mutation

    def remove(self, request_id: str) -> None:
        """Forget a write, if it is there."""
        self._mutations.pop(request_id, None)

    def __iter__(self) -> Iterator[Mutation]:
        return iter(self._mutations.values())


class Mutations:
    """Sends writes in order, each until it is answered.

    Args:
        queue: where they wait; what is in it already is sent first.
        random: for the wait after a refusal that may pass.
    """

    def __init__(self, queue: Queue, random: Callable[[], float]) -> None:
        self._queue = queue
        self._random = random
        self._backoff: Backoff | None = None
        self._last: int | None = None
        self._known = {each.request_id or "": each for each in queue}
        self._unsent = dict(self._known)
        self._conflicts: dict[int, list[FieldConflict]] = {}
        self.retry_at: float | None = None

    @property
    def confirmed(self) -> int | None:
        """Every answer up to this number has arrived; `None` while that is unknown."""
        first = next(iter(self._known.values()), None)
        if first is not None and first.seq is not None:
            return first.seq - 1
        return self._last

    def add(self, mutation: Mutation) -> None:
        """Put a write at the end."""
        assert mutation.request_id is not None
        self._queue.put(mutation)
        self._known[mutation.request_id] = mutation
        self._unsent[mutation.request_id] = mutation

    def begin(self, settled: int) -> None:
        """A connection begins; `settled` is the last number that the server knows."""
        self._conflicts.clear()
        self.retry_at = None
        self._unsent = dict(self._known)
        numbers = [each.seq for each in self._known.values() if each.seq is not None]
        if numbers and numbers[0] > settled + 1:
            self._renumber(settled)
        else:
            self._last = max(settled, numbers[-1] if numbers else 0)

    def tick(self, now: float) -> None:
        """Time passed: what waits for another attempt may be due."""
        if self.retry_at is not None and now >= self.retry_at:
            self.retry_at = None

    def due(self) -> Iterable[Mutation]:
        """What is to be sent, numbered; it counts as sent."""
        if self.retry_at is not None:
            return ()
        unsent, self._unsent = self._unsent, {}
        for mutation in unsent.values():
            if mutation.seq is None:
                self._last = (self._last or 0) + 1
                mutation.seq = self._last
                self._queue.put(mutation)
        return unsent.values()

    def conflict(self, conflict: FieldConflict) -> None:
        """Keep a conflict until the answer to its write."""
        if conflict.seq is not None:
            self._conflicts.setdefault(conflict.seq, []).append(conflict)

    def answered(self, request_id: str | None) -> list[FieldConflict] | None:
        """A write is durable.

        Returns:
            The conflicts that were told before; `None` if no such write waits.
        """
        mutation = self._settle(request_id)
        if mutation is None:
            return None
        self._backoff = None
        return self._conflicts.pop(mutation.seq or 0, [])

    def refused(self, error: RhtmxError, now: float) -> bool | None:
        """A write was refused.

        Returns:
            Whether that is final; if not, it is sent again. `None` if no such
            write waits.
        """
        mutation = self._known.get(error.request_id or "")
        if mutation is None:
            return None
        if error.seq is not None and error.seq != mutation.seq:
            return False  # said of a number that it no longer has
        if error.code in _NOTHING_WRITTEN:
            self._rewind(mutation, now)
            return False
        if error.code is ErrorCode.OUT_OF_ORDER and self._leaves_gap(mutation, error):
            return False
        self._settle(mutation.request_id)
        self._conflicts.pop(mutation.seq or 0, None)
        return True

    def _leaves_gap(self, mutation: Mutation, error: RhtmxError) -> bool:
        """Close a gap between the server's last number and ours, if there is one."""
        if mutation.request_id in self._unsent:
            return True  # it follows one that is sent again before it
        settled = json.loads(error.details or b"{}").get("last_seq")
        if not isinstance(settled, int) or mutation.seq is None or mutation.seq <= settled:
            return False
        self._renumber(settled)
        return True

    def _renumber(self, settled: int) -> None:
        """The server knows nothing above `settled`, as after a restore: go on from there."""
        self._last = settled
        for mutation in self._known.values():
            mutation.seq = None
        self._unsent = dict(self._known)

    def _rewind(self, mutation: Mutation, now: float) -> None:
        """Send a write and all after it again, after a while."""
        if mutation.request_id in self._unsent:
            return
        ids = list(self._known)
        again = ids[ids.index(mutation.request_id or "") :]
        self._unsent = {each: self._known[each] for each in again}
        self._backoff = self._backoff or Backoff(self._random)
        self.retry_at = now + self._backoff.wait(now)

    def _settle(self, request_id: str | None) -> Mutation | None:
        mutation = self._known.pop(request_id or "", None)
        if mutation is not None:
            self._unsent.pop(request_id or "", None)
            self._queue.remove(request_id or "")
        return mutation
