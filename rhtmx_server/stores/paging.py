"""How much one page of records may hold, and how much a batch of writes may read.

Knows sizes. Must not know where the records come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rhtmx_server.model import Departure, HistoryEntry, Record
from rhtmx_server.record_page import HistoryPage, HistoryPosition

__all__ = ["BATCH_BYTES", "PAGE_BYTES", "cut", "cut_history"]

PAGE_BYTES = 256 * 1024
"""The data of one page, in bytes: as much as may wait for one reader (`Config.outbox`). One
larger record makes a page of its own."""

R = TypeVar("R", Record, Record | Departure)

BATCH_BYTES = 1 << 20
"""Data and clocks of the records that are read for one transaction: about 10 ms. The last one
may go beyond it."""


def cut(records: Iterable[R], page_bytes: int = PAGE_BYTES) -> list[R]:
    """Take the first records that fit into a page, and at least one.

    Args:
        records: in the order of the page; read no further than needed.
        page_bytes: what their data may weigh together.
    """
    page: list[R] = []
    weight = 0
    for record in records:
        weight += len(record.data or b"")
        # `page and`: a record that is too large for any page would else never be read.
        if page and weight > page_bytes:
            break
        page.append(record)
    return page


def cut_history(
    entries: Iterable[tuple[int, HistoryEntry]],
    after: HistoryPosition,
    page_bytes: int = PAGE_BYTES,
) -> HistoryPage[HistoryEntry]:
    """Take the first entries that fit into a page, and at least one.

    Args:
        entries: each with its row, in the order of the page; read no further than
            needed.
        after: where the page begins.
        page_bytes: what their data may weigh together.
    """
    page = HistoryPage[HistoryEntry](after)
    weight = 0
    for row, entry in entries:
        weight += len(entry.record.data or b"")
        if page and weight > page_bytes:
            break
        page.append(entry)
        page.end = HistoryPosition(entry.record.version, row)
    return page
