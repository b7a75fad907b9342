"""The messages that wait to be sent, and no more of them than there is room for.

Knows their order and their size. Must not know when they are sent, or how.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Outbound"]


class Outbound:
    """A queue with room for so many bytes.

    Args:
        room: bytes of all messages together.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._bytes = 0
        self._messages: deque[bytes] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._messages)

    def put(self, message: bytes) -> bool:
        """Add one at the end, if there is room; returns whether there was."""
        if self._bytes + len(message) > self._room:
            return False
        self._bytes += len(message)
        self._messages.append(message)
        return True

    def take(self, most: int) -> list[bytes]:
        """Take out the first ones, of so many bytes together; always one, if there is any."""
        taken: list[bytes] = []
        left = most
        while self._messages and (not taken or len(self._messages[0]) <= left):
            message = self._messages.popleft()
            left -= len(message)
            taken.append(message)
        self._bytes -= sum(map(len, taken))
        return taken

    def clear(self) -> int:
        """Drop all of them; returns how many there were."""
        count = len(self._messages)
        self._messages.clear()
        self._bytes = 0
        return count
