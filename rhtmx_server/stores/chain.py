"""The commits of one record, newest first: a walk from each to the one before it.

Knows that a commit names the one before. Must not know where they are kept: it asks for one
after the other, and whoever has them answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeAlias

from msgspec.structs import replace

from rhtmx_server.model import Granularity, HistoryEntry, Record
from rhtmx_server.record_page import CommitPage
from rhtmx_server.stores.paging import PAGE_BYTES

__all__ = ["STEPS", "FindCommit", "Steps", "steps_back", "walk", "walk_afar"]

STEPS = 1000
"""Commits that are looked at for one page, so that others have their turn: a few milliseconds."""

FindCommit: TypeAlias = Callable[[int], HistoryEntry | None]
"""Finds the commit of the record that has this version; `None` if it is not kept, or none."""


Steps: TypeAlias = Generator[int, HistoryEntry | None, CommitPage]
"""Asks for one commit of the record after the other by its version, and returns the page."""


def walk(find: FindCommit, steps: Steps) -> CommitPage:
    """Make a page where commits are found at once.

    Args:
        find: finds a commit of the record.
        steps: which ones are asked for.
    """
    entry = None
    while True:
        try:
            version = steps.send(entry)
        except StopIteration as end:
            page: CommitPage = end.value
            return page
        entry = find(version)


async def walk_afar(
    find: Callable[[int], Awaitable[HistoryEntry | None]], steps: Steps
) -> CommitPage:
    """Make a page where a commit has to be waited for; see `walk`."""
    entry = None
    while True:
        try:
            version = steps.send(entry)
        except StopIteration as end:
            page: CommitPage = end.value
            return page
        entry = await find(version)


def steps_back(
    newest: Record,
    *,
    start: int | None,
    before: int | None,
    until: int | None,
    limit: int,
    page_bytes: int = PAGE_BYTES,
) -> Steps:
    """Go from commit to commit; the arguments are those of `Store.commits`.

    Args:
        newest: the record as it is: its last commit, also where that is kept nowhere else.
        start: where the page before has ended.
        before: only commits before this version.
        until: only commits up to this time.
        limit: at most so many.
        page_bytes: what their data may weigh together.
    """
    page = CommitPage()
    version = (yield from _start(newest, before)) if start is None else start
    weight = 0
    for _ in range(STEPS):
        entry = yield version
        if entry is None and version == newest.version:
            entry = HistoryEntry(replace(newest, hidden=None), Granularity.RECORDS)
        if entry is None:
            return page  # it is not kept any more, and nothing of before
        if _wanted(entry.record, before, until):
            weight += len(entry.record.data or b"")
            if page and weight > page_bytes:
                page.next = version
                return page
            page.append(entry)
        if not entry.previous:
            page.whole = entry.previous == 0
            return page
        version = entry.previous
        if len(page) == limit:
            break
    page.next = version
    return page


def _wanted(record: Record, before: int | None, until: int | None) -> bool:
    return (before is None or record.version < before) and (until is None or record.time <= until)


def _start(newest: Record, before: int | None) -> Generator[int, HistoryEntry | None, int]:
    """The first commit to look at. Those who read on, or ask for one commit, name it nearly."""
    if before is not None:
        for version in (before, before - 1):
            if 0 < version < newest.version and (yield version) is not None:
                return version
    return newest.version
