"""The writes of one record, in order, and whether only their end has changed. Pure.

Knows order. Must not know what a write says, nor the queue.
"""

from __future__ import annotations

from rhtmx.core.queued_write import QueuedWrite

__all__ = ["RecordWrites"]


class RecordWrites(list[QueuedWrite]):
    """The writes of one record: those that are settled, then those that wait.

    Attributes:
        revision: another number whenever they show otherwise than before, and not only since
            another one has come at the end.
    """

    __slots__ = ("revision",)

    def __init__(self) -> None:
        super().__init__()
        self.revision = 0

    def put_before(self, row: QueuedWrite, part: QueuedWrite) -> None:
        """Put a write in before another one."""
        self.insert(self.index(row), part)
        self.revision += 1

    def take_out(self, row: QueuedWrite) -> None:
        """Take a write out."""
        self.remove(row)
        self.revision += 1
