"""Questions that wait for their answer.

Knows which answer belongs to which question, and how many may wait at a time: the
others wait here for their turn, in the order in which they came. A token waits for no
answer: others may wait for it. Must not know the connection, nor clocks: times are
arguments. A question changes nothing, so it is asked again on the next connection, and
when the server was too busy for it.

========  =======  ==========  ==================  =========  ========
state     `due`    `answered`  `refused`, busy     `refused`  `lost`
========  =======  ==========  ==================  =========  ========
unasked   asked    gone        unasked, all wait   gone       unasked
asked     asked    gone        unasked, all wait   gone       unasked
========  =======  ==========  ==================  =========  ========

`cancel` forgets a question. If it was asked, the server still counts it among those that
wait, and so does this, until the answer is there.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection

from rhtmx.core.error_policy import busy
from rhtmx.core.events import Answered, Event, Refused, Told
from rhtmx.core.retry_after import RetryAfter
from rhtmx.errors import RhtmxError
from rhtmx.messages import Authenticate, ValidationResult
from rhtmx.messages.tables import Answer, Question

__all__ = ["Question", "Requests"]


class Requests:
    """The questions of one client, oldest first.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        tell: reports an event.

    Attributes:
        hold: the wait after a refusal that may pass.
    """

    def __init__(self, random: Callable[[], float], tell: Callable[[Event], None]) -> None:
        self.hold = RetryAfter(random)
        self._tell = tell
        self._waiting: dict[str, tuple[int, Question]] = {}
        self._unasked: list[tuple[int, str]] = []
        """A heap: the oldest first, wherever it was put back. It may name some that are gone."""
        self._tokens: list[tuple[int, str]] = []
        """The same, of those that present a token."""
        self._asked: set[str] = set()
        self._count = 0
        self._limit = 1

    def begin(self, limit: int) -> None:
        """A connection begins, on which `limit` questions may wait at a time."""
        self.lost()
        self.hold.clear()
        self._limit = max(1, limit)

    def add(self, question: Question) -> None:
        """Put a question at the end."""
        self._count += 1
        request_id = question.request_id or ""
        self._waiting[request_id] = (self._count, question)
        heap = self._heap(question)
        heap.append((self._count, request_id))  # the largest: the heap stays one

    def cancel(self, request_id: str) -> None:
        """Nobody waits for the answer any more: what was not asked is not, nor is it again."""
        self._waiting.pop(request_id, None)

    @property
    def asked(self) -> Collection[str]:
        """The ids of those that were asked on this connection, and have no answer."""
        return self._asked

    def waits(self, request_id: str) -> bool:
        """Whether a question has no answer yet."""
        return request_id in self._waiting

    def lost(self) -> None:
        """The connection is gone."""
        self._asked.clear()
        self._unasked, self._tokens = [], []
        for request_id, (number, question) in self._waiting.items():
            self._heap(question).append((number, request_id))

    def due(self, most: int | None = None) -> list[Question]:
        """What is to be asked now, `most` of it; it counts as asked."""
        if self.hold.until is not None:
            return []
        most = len(self._waiting) if most is None else most
        due = self._ask(self._tokens, most)
        room = self._limit - len(self._asked)
        return due + self._ask(self._unasked, min(room, most - len(due)))

    def answered(self, answer: Answer) -> None:
        """An answer came; nobody may wait for it any more."""
        if self._settle(answer.request_id):
            self.hold.passed()
            self._tell(Answered(answer.request_id or "", answer))
        elif isinstance(answer, ValidationResult) and not answer.request_id:
            self._tell(Told(answer))  # to no question: of an open form it is another verdict now

    def refused(self, error: RhtmxError, now: float) -> bool:
        """Something was refused; returns whether the server was only too busy for it.

        Then it is asked again after a while. An error that names no question may be
        about anything but a write.
        """
        request_id = error.request_id
        if busy(error) and (request_id is None or request_id in self._waiting):
            if request_id in self._asked:
                self._asked.remove(request_id)
                number, question = self._waiting[request_id]
                heapq.heappush(self._heap(question), (number, request_id))
            self.hold.refused(error, now)
            return True
        self.refuse(error)
        return False

    def refuse(self, error: RhtmxError) -> None:
        """The question that an error names is refused."""
        if self._settle(error.request_id):
            self._tell(Refused(error.request_id or "", error))

    def _heap(self, question: Question) -> list[tuple[int, str]]:
        return self._tokens if isinstance(question, Authenticate) else self._unasked

    def _ask(self, heap: list[tuple[int, str]], most: int) -> list[Question]:
        """The oldest of a heap, `most` of it."""
        due: list[Question] = []
        while heap and len(due) < most:
            _, request_id = heapq.heappop(heap)
            if request_id in self._waiting:
                self._asked.add(request_id)
                due.append(self._waiting[request_id][1])
        return due

    def _settle(self, request_id: str | None) -> bool:
        self._asked.discard(request_id or "")
        return self._waiting.pop(request_id or "", None) is not None
