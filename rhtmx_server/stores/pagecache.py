"""The last pages that were read, for those who read the same.

Knows how much is worth keeping. Must not know where the pages come from, nor
when they are outdated: whoever writes says so.

After a restart everybody reads from the same place, and whoever opens a popular
page of the web reads all of it: the same pages, one reader soon after the other.
"""

from __future__ import annotations

from collections.abc import Hashable

from rhtmx_server.model import Record
from rhtmx_server.record_page import RecordPage

__all__ = ["KEPT_BYTES", "PageCache"]

KEPT_BYTES = 8 * 1024 * 1024
"""What the records of the kept pages may weigh; each encoding of them is as much again."""

_SEEN = 1024
"""How many questions are remembered that were asked once."""

_AROUND = 512
"""What a record weighs besides its data: the objects that hold it."""

_AROUND_FIELD = 256
"""What a field of it weighs, where it is read by field: its clock, and what a change repeats."""


class PageCache:
    """Pages by what was asked for; those that were asked for last.

    A page is kept when it is asked for the second time: most are read by one
    only, and to keep those as well takes a sixth of the speed of that one.

    Args:
        kept_bytes: what they may weigh together.
    """

    __slots__ = ("_kept_bytes", "_pages", "_seen", "_weight")

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._pages: dict[Hashable, RecordPage] = {}
        self._seen: set[Hashable] = set()
        self._weight = 0

    def get(self, asked: Hashable) -> RecordPage | None:
        """Return the page that was asked for; `None` if it has to be read."""
        # Taken out to be put back at the end: so the dict is in the order of use.
        page = self._pages.pop(asked, None)
        if page is not None:
            self._pages[asked] = page
        return page

    def put(self, asked: Hashable, records: list[Record]) -> list[Record]:
        """Take note of a page that was read, and return what to give out in its place."""
        if asked not in self._seen:
            if len(self._seen) == _SEEN:
                # All at once: to keep them in order costs more than to see some of them once more.
                self._seen.clear()
            self._seen.add(asked)
            return records
        page = RecordPage(records)
        weight = _weight(page)
        if weight <= self._kept_bytes:
            self._weight += weight
            self._pages[asked] = page
        while self._weight > self._kept_bytes:
            self._weight -= _weight(self._pages.pop(next(iter(self._pages))))
        return page

    def clear(self) -> None:
        """Forget all of them: something was written."""
        self._pages.clear()
        self._seen.clear()
        self._weight = 0


def _weight(page: RecordPage) -> int:
    return _AROUND + sum(
        _AROUND + _AROUND_FIELD * len(record.clocks) + len(record.data or b"") for record in page
    )
