"""The last pages that were read, for those who read the same.

Knows how many pages are worth keeping. Must not know where they come from, nor
when they are outdated: whoever writes says so.

After a restart everybody reads from the same place, and whoever opens a popular
page of the web reads all of it: the same pages, one reader after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from rhtmx_server.model import Record
from rhtmx_server.page import Page

__all__ = ["KEPT", "PageCache"]

KEPT = 8
"""Pages that are kept: readers of one log are rarely further apart."""


class PageCache:
    """Pages by what was asked for; those that were asked for last.

    Args:
        kept: how many.
    """

    __slots__ = ("_kept", "_pages")

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pages: dict[Hashable, Page] = {}

    def get(self, asked: Hashable, read: Callable[[], list[Record]]) -> Page:
        """Return the page that was asked for, read now if it is not there."""
        page = self._pages.pop(asked, None)
        if page is None:
            page = Page(read())
            if len(self._pages) >= self._kept:
                del self._pages[next(iter(self._pages))]
        self._pages[asked] = page  # at the end: the first one is the next to go
        return page

    def clear(self) -> None:
        """Forget all of them: something was written."""
        self._pages.clear()
