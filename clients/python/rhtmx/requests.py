"""Questions that wait for their answer.

Knows which answer belongs to which question, and how many may wait at a time.
Must not know the connection. A question changes nothing, so it is asked again
on the next connection.
"""

from __future__ import annotations

from typing import TypeAlias

from rhtmx.messages import Authenticate, ValidateField, ValidateForm

__all__ = ["Question", "Requests"]

Question: TypeAlias = Authenticate | ValidateField | ValidateForm
"""What can be asked. It is known by its `request_id`."""


class Requests:
    """The questions of one client, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, Question] = {}
        self._asked: set[str] = set()
        self._limit = 1

    def begin(self, limit: int) -> None:
        """A connection begins, on which `limit` questions may wait at a time."""
        self._asked.clear()
        self._limit = max(1, limit)

    def add(self, question: Question) -> None:
        """Put a question at the end."""
        self._waiting[question.request_id or ""] = question

    def due(self) -> list[Question]:
        """What is to be asked now; it counts as asked."""
        room = self._limit - len(self._asked)
        if room <= 0 or len(self._asked) == len(self._waiting):
            return []
        due = [each for each in self._waiting.values() if each.request_id not in self._asked][:room]
        self._asked.update(each.request_id or "" for each in due)
        return due

    def settle(self, request_id: str | None) -> bool:
        """Forget a question that was answered; returns whether it waited."""
        self._asked.discard(request_id or "")
        return self._waiting.pop(request_id or "", None) is not None
