"""Records that were read together, and what was made of them; and pages of the history.

Knows that a page does not change, and where the next one begins. Must not know
stores, formats, or how long a page is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from rhtmx.messages import FieldChange
from rhtmx_server.model import HistoryEntry, Record

__all__ = ["CommitPage", "FieldFrames", "HistoryPage", "HistoryPosition", "RecordPage", "place"]


class FieldFrames(NamedTuple):
    """The field changes of some records.

    Args:
        frames: all but the last as bytes, one after the other; each with `more`.
        number: how many those are.
        last: the last one, with `more`; `None` if there is none at all.
    """

    frames: bytes = b""
    number: int = 0
    last: FieldChange | None = None


class RecordPage(list[Record]):
    """A page that several readers may be sent: what encodes it leaves the bytes here.

    Attributes:
        encoded: the page as bytes, by the encoding that made them.
        by_field: its field changes, with the version after which they were
            written; of one such version, as those who read the same pages began
            at the same one.
    """

    __slots__ = ("by_field", "encoded")

    def __init__(self, records: list[Record]) -> None:
        super().__init__(records)
        self.encoded: dict[object, bytes] = {}
        self.by_field: dict[object, tuple[int, FieldFrames]] = {}


class HistoryPosition(NamedTuple):
    """A place in an entity's history: finer than a version, which may have many entries.

    Args:
        version: that of the entry.
        row: which of its entries; only the store that gave it knows how it counts.
    """

    version: int
    row: int


_LAST_ROW = 2**63 - 1

T = TypeVar("T")
U = TypeVar("U")


def place(after: int | HistoryPosition) -> HistoryPosition:
    """Return the place behind all entries of a version, or the place itself."""
    return after if isinstance(after, HistoryPosition) else HistoryPosition(after, _LAST_ROW)


class HistoryPage(list[T]):
    """Entries of the history, oldest first, in one form or another.

    Attributes:
        end: behind its last entry: what to give as `after` for the next page.
            Only an empty page says that there are no more.
    """

    __slots__ = ("end",)

    def __init__(self, end: HistoryPosition) -> None:
        super().__init__()
        self.end = end

    def map(self, change: Callable[[T], U]) -> HistoryPage[U]:
        """Return the same page in another form."""
        page = HistoryPage[U](self.end)
        page.extend(map(change, self))
        return page


class CommitPage(list[HistoryEntry]):
    """Commits of one record, newest first.

    Attributes:
        next: the version of the commit with which the next page begins; `None` if there is
            none that is kept.
        whole: there is none because the last one is the record's first.
    """

    __slots__ = ("next", "whole")

    def __init__(self) -> None:
        super().__init__()
        self.next: int | None = None
        self.whole = False
