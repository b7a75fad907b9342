"""Which writes of the queue have come, gone or changed since somebody looked last. Pure.

Knows that somebody may look. Must not know what a write is, nor what is done with it.
"""

from __future__ import annotations

from rhtmx.core.queued_write import QueuedWrite

__all__ = ["MOST", "AlteredWrites"]

MOST = 10_000
"""So many are noted, at most: whoever looks less often than that, looks at the whole queue."""


class AlteredWrites:
    """The writes about which something may have changed. For one who looks, now and then."""

    def __init__(self) -> None:
        self._rows: dict[int, QueuedWrite] | None = None

    def note(self, row: QueuedWrite) -> None:
        """Something about a write has changed."""
        if self._rows is not None:
            self._rows[row.place] = row
            if len(self._rows) > MOST:
                self._rows = None

    def take(self) -> dict[int, QueuedWrite] | None:
        """Those since the last call, each under its place; `None`: any may have changed."""
        rows, self._rows = self._rows, {}
        return rows
