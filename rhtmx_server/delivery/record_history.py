"""What has become of one record, and who wrote which of its fields.

Knows the commits of a record and what of them somebody may see. Must not know who asks, nor
how they are answered.

What a commit is to those who read some parts of its entity, by the record as the commit left
it, and as it was before:

==================  ==================  ===============================================
the record is then  and was before      shown
==================  ==================  ===============================================
in their scope      in it               the commit, and what it changed
in their scope      out of it           the commit; every field of it is new to them
out of it           in it               `delete` with `left`: it has gone from them
out of it           out of it           not at all
deleted             in it               the commit
deleted             out of it           not at all
==================  ==================  ===============================================

A record that is not in their scope now is not there, whatever was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeAction,
    ChangeLog,
    FieldAuthor,
    History,
    HistoryCommit,
    HistoryResult,
)
from rhtmx_server.access.reading import ReadAccess, visible
from rhtmx_server.encoding.render import departure_message, latest_fields, latest_record
from rhtmx_server.model import Departure, Granularity, Record, Scope
from rhtmx_server.ports import Store
from rhtmx_server.times import to_micros
from rhtmx_server.trackers import json_text as jsontext

__all__ = ["ANSWER_BYTES", "MOST_COMMITS", "RecordHistory"]

MOST_COMMITS = 1000
"""Commits in one answer."""

_USUAL = 100

ANSWER_BYTES = 256 * 1024
"""About what one answer weighs at most, if it holds more than one commit: what may wait for one
reader (`Config.outbox`)."""

_FRAME = 200
"""What a commit weighs without its data and its names."""


class RecordHistory:
    """Reads what has become of a record.

    Args:
        store: where it is kept.
        access: tells the parts of a record.
    """

    def __init__(self, store: Store, access: ReadAccess) -> None:
        self._store = store
        self._access = access

    async def commits(self, asked: History, scope: Scope = None) -> HistoryResult:
        """The commits of a record, newest first.

        Args:
            asked: which.
            scope: the parts of its entity that are read.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record, or none that may be seen;
                `BAD_MESSAGE` for an impossible limit.
        """
        limit = _USUAL if asked.limit is None else asked.limit
        if not 1 <= limit <= MOST_COMMITS:
            words = f"history.limit: a number from 1 to {MOST_COMMITS} expected, got {limit}"
            raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
        newest = await self._newest(asked, scope)
        until = None if asked.until is None else to_micros(asked.until)
        answer = _Answer(limit)
        after: Record | None = None  # the commit whose last one comes next
        start: int | None = None
        while True:
            page = await self._store.commits(
                newest, start=start, before=asked.before, until=until, limit=limit + 1
            )
            for entry in page:
                if after is not None:
                    shown = self._shown(after, entry.record, scope, newest)
                    if not answer.take(after.version, shown) or answer.full:
                        return await self._told(answer, asked.request_id)
                after = entry.record
            start = page.next
            if start is None:
                break
        if after is None or answer.take(after.version, self._last(after, scope, newest)):
            answer.before, answer.complete = None, page.whole
        return await self._told(answer, asked.request_id)

    async def blame(self, asked: Blame, scope: Scope = None) -> BlameResult:
        """Who wrote which field of a record, by name.

        Whoever reads a part is not told the subject of a field that was written before somebody
        got to see the record who could not before.

        Args:
            asked: which record.
            scope: the parts of its entity that are read.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record, or none that may be seen.
        """
        record = await self._store.record(asked.entity, asked.entity_id)
        if record is None or not self._visible(record, scope):
            raise _missing(asked)
        fields = [
            FieldAuthor(each.field, each.version, each.timestamp, each.client_id)
            for each in latest_fields(record)
        ]
        # Who wrote before the record was there for everybody who reads it now, as in its history.
        since = 0 if scope is None else record.entered
        told = [each for each in fields if each.version >= since]
        subjects = await self._subjects(each.client_id for each in told)
        for each in told:
            each.subject = subjects.get(each.client_id or "")
        return BlameResult(fields, asked.request_id)

    async def _newest(self, asked: History, scope: Scope) -> Record:
        """The record as it is, or its tombstone, if it may be seen."""
        record = await self._store.record(asked.entity, asked.entity_id)
        if record is None:
            raise _missing(asked)
        if record.live:
            seen = self._visible(record, scope)
        else:
            seen = scope is None or await self._was_visible(record, scope)
        if not seen:
            raise _missing(asked)
        return record

    async def _was_visible(self, tombstone: Record, scope: frozenset[str]) -> bool:
        """Whether a record was in a scope when it was deleted."""
        page = await self._store.commits(tombstone, limit=2)
        if len(page) > 1:
            return self._visible(page[1].record, scope)
        # What it was is not kept any more; of which parts it was is, as long as its tombstone.
        version = tombstone.version
        found = await self._store.since_in(
            tombstone.entity, scope, version - 1, version, 1, clocks=False
        )
        return bool(found)

    def _visible(self, record: Record, scope: Scope) -> bool:
        return record.live and visible(self._access, record.entity, scope, record.data)

    def _shown(
        self, record: Record, before: Record, scope: Scope, newest: Record
    ) -> HistoryCommit | None:
        """A commit as it is shown; `None` if it is not.

        Args:
            record: as the commit left it.
            before: as the commit before left it.
            scope: what may be seen.
            newest: the record as it is, of which it is known that it may be seen.
        """
        was = self._visible(before, scope)
        if self._visible(record, scope):
            # One who did not see what it was gets to know of it as of one that is new.
            return HistoryCommit(latest_record(record), _changed(record, before if was else None))
        if not record.live and (was or scope is None or record.version == newest.version):
            return HistoryCommit(latest_record(record), _changed(record, before))
        return HistoryCommit(_departure(record)) if was and record.live else None

    def _last(self, record: Record, scope: Scope, newest: Record) -> HistoryCommit | None:
        """The same of a commit of which it is not known what the record was before it."""
        shown = self._visible(record, scope)
        if not record.live:
            shown = scope is None or record.version == newest.version
        if not shown:
            return None
        first = record.action is ChangeAction.CREATE
        return HistoryCommit(latest_record(record), _changed(record, None) if first else [])

    async def _told(self, answer: _Answer, request_id: str | None) -> HistoryResult:
        """The answer, with the names of those who wrote it."""
        commits = answer.commits
        subjects = await self._subjects(_client(each) for each in commits)
        for each in commits:
            each.subject = subjects.get(_client(each) or "")
        return HistoryResult(commits, answer.before, answer.complete, request_id)

    async def _subjects(self, clients: Iterable[str | None]) -> Mapping[str, str]:
        known = {each for each in clients if each is not None}
        return await self._store.subjects(known) if known else {}


class _Answer:
    """Commits, as long as there is room for them.

    Args:
        limit: at most so many.

    Attributes:
        commits: those that were taken.
        before: the last one that was looked at.
        complete: there are no others.
    """

    def __init__(self, limit: int) -> None:
        self.commits: list[HistoryCommit] = []
        self.before: int | None = None
        self.complete = False
        self._limit = limit
        self._weight = 0

    @property
    def full(self) -> bool:
        """Whether there are as many as are wanted."""
        return len(self.commits) == self._limit

    def take(self, version: int, commit: HistoryCommit | None) -> bool:
        """Take the next commit; returns whether there was room for it.

        Args:
            version: its version.
            commit: as it is shown, if it is.
        """
        if commit is not None:
            weight = _weight(commit)
            if self.commits and self._weight + weight > ANSWER_BYTES:
                return False
            self._weight += weight
            self.commits.append(commit)
        self.before = version
        return True


def _changed(record: Record, before: Record | None) -> list[str]:
    """The fields that a commit set or removed; all that the record has if nothing was before."""
    if record.live and not jsontext.is_object(record.data):
        return []
    return jsontext.differing_keys(None if before is None else before.data, record.data)


def _departure(record: Record) -> ChangeLog:
    gone = Departure(record.entity, record.entity_id, record.version, record.time)
    message = departure_message(gone, Granularity.RECORDS)
    assert isinstance(message.change, ChangeLog)
    return message.change


def _client(commit: HistoryCommit) -> str | None:
    return None if commit.change is None else commit.change.client_id


def _weight(commit: HistoryCommit) -> int:
    """About what it takes in an answer."""
    change = commit.change
    assert change is not None
    names = (change.entity, change.entity_id, change.client_id or "", *commit.changed)
    return _FRAME + len(change.data or b"") + sum(map(len, names))


def _missing(asked: History | Blame) -> RhtmxError:
    name = f"{asked.entity[:40]}/{asked.entity_id[:40]}"
    return RhtmxError(ErrorCode.NOT_FOUND, f"there is no record {name}")
