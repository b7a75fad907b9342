"""Pages of an entity's log, as one cursor needs them.

Knows the reading side of a store, and which part of a page is for whom. Must not know
connections, the hub or formats.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeAlias

from rhtmx_server.delivery.cursor import Cursor
from rhtmx_server.encoding.render import is_untold
from rhtmx_server.model import Departure, Granularity, Record
from rhtmx_server.ports import Store

__all__ = ["PAGE", "Page", "handed_out", "is_void", "read_page", "unseen"]

PAGE = 128
"""Records that are read at a time."""

Page: TypeAlias = Sequence[Record | Departure]

_END = 2**63 - 1


def read_page(store: Store, cursor: Cursor) -> Awaitable[Page]:
    """Read what comes next for a cursor, whatever has been handed out."""
    # Whole records are sent without their clocks, so those are not even read.
    clocks = cursor.catches_up_by is Granularity.FIELDS
    entity, sent, scope = cursor.entity, cursor.sent, cursor.scope
    if scope is None:
        return store.since(entity, sent, _END, PAGE, clocks=clocks)
    if not scope:
        return _nothing()
    return store.since_in(entity, scope, sent, _END, PAGE, clocks=clocks)


async def _nothing() -> Page:
    return ()


def handed_out(page: Page, position: int) -> Page:
    """What of a page the hub has handed out."""
    if page and page[-1].version > position:
        return [each for each in page if each.version <= position]
    return page


def is_void(page: Page, cursor: Cursor, *, knows_parts: bool) -> bool:
    """Whether a reader by field cannot go on from where it was, as it does not know of parts.

    Such a client takes away fields one by one, by their names. What a record had that has left
    all that it reads, nobody knows any more; what had gone from one before it came before
    somebody new is not told.

    Args:
        page: what comes next.
        cursor: for which it was read.
        knows_parts: its peer is known to know of parts, by whatever it said.
    """
    if cursor.scope is None or cursor.catches_up_by is not Granularity.FIELDS:
        return False
    # What it holds it had before, or was sent since its load began.
    had = cursor.base or cursor.began
    if knows_parts or cursor.knows_parts:
        return False
    return any(
        each.version > had if isinstance(each, Departure) else is_untold(each, had) for each in page
    )


def unseen(page: Page, cursor: Cursor, noted: Mapping[str, int]) -> Page:
    """Leave out what must not be sent, or need not.

    Args:
        page: as it was read.
        cursor: for which it was read.
        noted: records that were handed out meanwhile, and their versions, where the same
            peer may have been sent that already: an older state may not come after it. What
            is left out comes again, with its newer version.
    """
    if cursor.scope is None:
        if not noted:
            return page
        return [each for each in page if each.version >= noted.get(each.entity_id, 0)]
    fresh, wanted = cursor.fresh, list[Record | Departure]()
    for each in page:
        older = each.version < noted.get(each.entity_id, 0)
        if each.version <= fresh and (isinstance(each, Departure) or not each.live):
            # Gone before a first load began: not for this reader to know that it ever was.
            continue
        if isinstance(each, Departure) or not older:
            wanted.append(each)
        elif not each.live:
            # Made anew since, maybe elsewhere, so that it may not come again. As a departure it
            # takes away only what is older.
            wanted.append(Departure(each.entity, each.entity_id, each.version, each.time))
    return wanted
