"""Brings what the nodes of a cluster commit into the order of each entity's log.

Knows versions. Must not know the bus, the store, the hub, or the loop: it is told what was
committed and what time it is, hands out what is next, and says what is missing.

What others have committed may come late, twice, in another order, or never; one's own may come
before what others have committed before it. A batch that wrote several entities is handed out when
it is its turn in all of them, so that nobody gets a half of it.

===========================  ================================================================
the batch, in each entity    becomes
===========================  ================================================================
goes on where the log is     handed out, and after it what waited for it
is behind that               dropped: it was handed out
leaves a gap                 held; after `HOLD` seconds what is missing is `due` to be read
has no body, from the bus    held, and due at once
has no body, from the store  handed out like the others: there is no more to be had
===========================  ================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rhtmx_server.model import CommittedBatch, LogRow

__all__ = ["HOLD", "Follower"]

HOLD = 0.05
"""Seconds that a gap may take to close by itself: the bus is mostly there within a few thousandths,
and one's own commits are there sooner."""

_MOST = 1000
"""Batches that are held at most. Of one more only what is missing is noted."""


@dataclass(slots=True, eq=False)
class _Held:
    """A batch whose turn it is not, and from when on what is missing is to be read."""

    batch: CommittedBatch
    due: float


class Follower:
    """Hands out batches in the order of the logs.

    Args:
        position: everything of an entity up to this version has been handed out.
        hand_out: takes a batch whose turn it is; `position` is at its end then.
    """

    def __init__(
        self, position: Callable[[str], int], hand_out: Callable[[CommittedBatch], None]
    ) -> None:
        self._position = position
        self._hand_out = hand_out
        self._held: list[_Held] = []
        self._missing: dict[str, int] = {}

    @property
    def held(self) -> int:
        """How many batches wait for what comes before them."""
        return len(self._held)

    def take(self, batch: CommittedBatch, now: float, *, stored: bool = False) -> None:
        """Take what was committed, here or by another node.

        Args:
            batch: what.
            now: seconds, of a clock that does not jump.
            stored: it was read from the store: there is no more to be had of it.
        """
        if not self._try(batch, stored=stored):
            lacks_body = any(_lacks_body(each) for each in batch) and not stored
            self._hold(_Held(batch, now if lacks_body else now + HOLD))
        elif self._held:
            self._release()

    def due(self, now: float) -> Mapping[str, int]:
        """Where what is missing is to be read from, by entity.

        Args:
            now: seconds.
        """
        found = dict(self._missing)
        for held in self._held:
            if held.due <= now:
                found |= {each.entity: each.upto for each in held.batch}
        return {entity: self._position(entity) for entity in found}

    def wait(self, now: float) -> float | None:
        """Seconds until something is due; `None` if nothing will be.

        Args:
            now: seconds.
        """
        if self._missing:
            return 0.0
        return min((max(0.0, each.due - now) for each in self._held), default=None)

    def were_read(self, heads: Mapping[str, int], now: float) -> None:
        """What was due has been read, or cannot be: so far these logs have been handed out.

        Args:
            heads: by entity.
            now: seconds. What is not there even so is asked for once more, after a while.
        """
        for entity in heads:
            self._missing.pop(entity, None)
        self._release()
        for held in self._held:
            held.due = max(held.due, now + HOLD)

    def forget(self) -> None:
        """Hold nothing any more: it is of an epoch that is over."""
        self._held.clear()
        self._missing.clear()

    def _try(self, batch: CommittedBatch, *, stored: bool) -> bool:
        """Hand a batch out if it is its turn; whether it need not be held."""
        news: list[LogRow] = []
        for row in batch:
            position = self._position(row.entity)
            if row.upto <= position:
                continue
            if row.base != position or (_lacks_body(row) and not stored):
                return False
            news.append(row)
        if news:
            self._hand_out(news)
        return True

    def _hold(self, held: _Held) -> None:
        if len(self._held) < _MOST:
            self._held.append(held)
        else:
            self._missing |= {row.entity: row.upto for row in held.batch}

    def _release(self) -> None:
        """Hand out what waited for what has been handed out, as far as that goes."""
        more = True
        while more:
            before, self._held = self._held, []
            self._held = [each for each in before if not self._try(each.batch, stored=False)]
            more = 0 < len(self._held) < len(before)


def _lacks_body(row: LogRow) -> bool:
    return row.body is None and row.commits is None
