"""How much one page of records may hold.

Knows sizes. Must not know where the records come from.
"""

from __future__ import annotations

from collections.abc import Iterable

from rhtmx_server.model import Record

__all__ = ["PAGE_BYTES", "cut"]

PAGE_BYTES = 256 * 1024
"""The data of one page, in bytes: as much as may wait for one reader (`Config.outbox`). One
larger record makes a page of its own."""


def cut(records: Iterable[Record], page_bytes: int = PAGE_BYTES) -> list[Record]:
    """Take the first records that fit into a page, and at least one.

    Args:
        records: in the order of the page; read no further than needed.
        page_bytes: what their data may weigh together.
    """
    page: list[Record] = []
    weight = 0
    for record in records:
        weight += len(record.data or b"")
        if page and weight > page_bytes:
            break
        page.append(record)
    return page
