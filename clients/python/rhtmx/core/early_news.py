"""What has arrived, and may not be shown yet. Pure.

Knows the order of what the streams say, and what each of it waits for. Must not know what is
done with it, nor connections or clocks.

What arrives is kept, and taken in its order, as long as the first of it waits for one of these:

- **An operation that was sent.** Whether it is in a value that arrives, only its answer says,
  and the value may be faster: it comes in a page of the past, or after a lost connection. It
  would be counted twice as long as it takes.
- **The rest of a transaction.** Half of it is no state that ever was. The server says when all
  of it has been sent; who was too slow for that is sent back, and told so.
- **A reader that catches up** from something that it had: the others are further on by then,
  and what is shown of all of them together never was. So what comes until all have caught up is
  taken as one. One that reads for the first time shows what comes, and nobody waits for it, but
  its end comes in order; so does one for which all comes anew.

If the connection ends first, it is as if nothing of it had ever come: it comes again. More than
`MOST` is not kept for the sake of the second and the third: then what is shown may be between
two states, as long as it takes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from rhtmx.core.cursor import Cursor
from rhtmx.core.events import Delivered, Synced
from rhtmx.core.write_queue import WriteQueue

__all__ = ["MOST", "EarlyNews", "News"]

MOST = 10_000
"""So much is kept until a transaction is whole, or everybody has caught up."""

News: TypeAlias = Delivered | Synced
"""What changes what is held."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Something that has arrived.

    Attributes:
        entity: what it is about.
        news: what it is.
        last: the number of the last operation that may be in it; 0 for none.
        transaction: that which it is a part of.
        meanwhile: somebody was catching up when it came.
    """

    entity: str
    news: News
    last: int
    transaction: str | None
    meanwhile: bool

    @property
    def wholes(self) -> set[str | bool]:
        """What is taken with all that belongs to it, or not at all."""
        return {each for each in (self.transaction, self.meanwhile) if each}


class EarlyNews:
    """What waits, in the order in which it came.

    Args:
        queue: the writes of this client: it knows which operations have no answer.
    """

    def __init__(self, queue: WriteQueue) -> None:
        self._queue = queue
        self._waiting: deque[_Waiting] = deque()
        self._behind: set[Cursor] = set()
        self._open: dict[str, set[Cursor]] = {}
        """Transactions that are not whole, each with the readers that have a part of it."""
        self._too_much = False

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def keeps(self, entity: str, news: News) -> bool:
        """Something has arrived; returns whether it is kept, and comes with `release`."""
        doubtful = self._queue.doubtful(entity)
        transaction = news.log.transaction if isinstance(news, Delivered) else None
        if not (doubtful or transaction or self._waiting or self._behind or self._open):
            return False  # which is nearly always so
        last, meanwhile = doubtful[1] if doubtful else 0, bool(self._behind)
        each = _Waiting(entity, news, last, transaction, meanwhile)
        self._note(each)
        if self._is_first_load(news) and not doubtful and not self._has(entity):
            return False
        if not self._waiting and not self._must_wait(each):
            return False
        self._waiting.append(each)
        self._too_much |= len(self._waiting) > MOST
        return True

    def release(self) -> list[News]:
        """What need not wait any more, in its order."""
        count = 0
        for each in self._waiting:
            if self._must_wait(each):
                break
            count += 1
        news = [self._waiting.popleft().news for _ in range(self._whole(count))]
        self._too_much = self._too_much and bool(self._waiting)
        return news

    def behind(self, cursor: Cursor) -> None:
        """A reader has yet to catch up with the others."""
        self._behind.add(cursor)

    def caught_up(self, cursor: Cursor) -> None:
        """A reader has all that there is, or gets no more."""
        self._behind.discard(cursor)
        for name, readers in list(self._open.items()):
            readers.discard(cursor)
            if not readers:  # all that have a part of it have been sent the rest since
                del self._open[name]

    def completed(self, transaction: str) -> None:
        """All of a transaction has arrived."""
        self._open.pop(transaction, None)

    def end(self, entity: str, cursor: Cursor) -> list[News]:
        """A reader ends, or begins anew; returns what waited of its entity until now."""
        found = [each.news for each in self._waiting if each.entity == entity]
        self._waiting = deque(each for each in self._waiting if each.entity != entity)
        self.caught_up(cursor)
        return found

    def lost(self) -> set[str]:
        """The connection is gone; returns the entities of which something had waited."""
        entities = {each.entity for each in self._waiting}
        self._waiting.clear()
        self._behind.clear()
        self._open.clear()
        self._too_much = False
        return entities

    def _note(self, each: _Waiting) -> None:
        if isinstance(each.news, Synced):
            self.caught_up(each.news.cursor)
        elif each.transaction is not None:
            self._open.setdefault(each.transaction, set()).add(each.news.cursor)

    def _whole(self, count: int) -> int:
        """How many of the first `count` can be taken without half of what belongs together.

        The transactions of one tick come entity by entity, each with its changes of all of them.
        """
        if not 0 < count < len(self._waiting) or self._too_much:
            return count
        later = self._wholes(count, None)
        first: dict[str | bool, int] = {}
        for index, each in enumerate(islice(self._waiting, count)):
            for name in each.wholes:
                first.setdefault(name, index)
        for name in sorted(first, key=lambda name: first[name], reverse=True):
            if name in later:
                # What is given back now may be the rest of an earlier one.
                later |= self._wholes(first[name], count)
                count = first[name]
        return count

    def _wholes(self, start: int, stop: int | None) -> set[str | bool]:
        return {name for each in islice(self._waiting, start, stop) for name in each.wholes}

    def _has(self, entity: str) -> bool:
        return any(each.entity == entity for each in self._waiting)

    def _must_wait(self, each: _Waiting) -> bool:
        doubtful = self._queue.doubtful(each.entity)
        if doubtful and doubtful[0] <= each.last:
            return True
        return not self._too_much and (bool(self._behind) or each.transaction in self._open)

    def _is_first_load(self, news: News) -> bool:
        """Whether it may show between two states; its end may not: from there on it is one."""
        cursor = news.cursor
        first = bool(self._behind) and cursor not in self._behind and not cursor.checked
        return first and isinstance(news, Delivered)
