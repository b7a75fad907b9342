"""Everything that is in one store, into another one.

Knows what there is, and in which order it goes. Must not know how a store keeps it.

A copy that was broken off goes on: what stands in the target is written once more, or left out. It
is a store only when all of it has been compared: until then a note in it says that it is none, and
no server starts on it. The epoch goes along, so that clients go on where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import ClientRow, Head, HistoryEntry, Outcome, PartRow, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store

__all__ = ["Mover", "StoreFacts", "Tell", "move"]

PAGE = 1000
"""Rows that are read and written at once."""

T = TypeVar("T")

Tell = Callable[[str], None]
"""Is told how far it is."""


@dataclass(slots=True)
class StoreFacts:
    """What a store knows besides its rows.

    Args:
        epoch: its life.
        horizon: up to when old rows were judged; microseconds.
        heads: of each entity that was ever written.
        divided: how entities are divided, by their names; empty for not finished.
    """

    epoch: str
    horizon: int | None = None
    heads: dict[str, Head] = field(default_factory=dict)
    divided: dict[str, str] = field(default_factory=dict)


class Mover(Protocol):
    """Reads all of a store, and writes what another one had."""

    @property
    def store(self) -> Store:
        """The store, open."""

    async def facts(self) -> StoreFacts:
        """Read what it knows besides its rows."""

    async def adopt(self, facts: StoreFacts) -> None:
        """Know what another store knew, and be it: takes the note away."""

    async def noted(self) -> str | None:
        """Read the note of a copy that is under way; `None` for none."""

    async def note(self, text: str) -> None:
        """Keep a note of a copy that is under way."""

    async def take_history(self, entity: str, entries: Sequence[HistoryEntry]) -> None:
        """Add entries to the history of an entity, all of each version, which ends there then."""

    async def records(self, entity: str, after: int, limit: int) -> list[Record]:
        """At most `limit` records after a version, with all that is kept of them.

        A page may be cut before `limit` to stay within about 1 MiB.
        """

    async def parts(self, entity: str, after: tuple[str, int], limit: int) -> list[PartRow]:
        """At most `limit` rows of parts after a part and a version."""

    async def clients(self, after: str, limit: int) -> list[ClientRow]:
        """At most `limit` clients after an id."""

    async def outcomes(self, after: tuple[str, int], limit: int) -> list[Outcome]:
        """At most `limit` outcomes after the id of a client and a number."""


class _Progress(msgspec.Struct):
    """What stands in the note: of which store it is a copy, and how far it is.

    Args:
        source: what told the source from any other when the copy began.
        done: of each kind of rows, the last one that is there.
    """

    source: str
    done: dict[str, Any] = {}


async def move(source: Mover, target: Mover, tell: Tell) -> int:
    """Copy a store into an empty one, or go on with it, and compare the two.

    Args:
        source: which; nobody writes to it meanwhile.
        target: where to.
        tell: is told how far it is.

    Returns:
        How many rows there are.

    Raises:
        RhtmxError: `STORAGE_FAILED`, in words for whoever copies.
    """
    facts = await source.facts()
    if await source.noted() is not None:
        raise _refused("the source is half of a copy itself: finish that one first")
    if not facts.heads and not await source.clients("", 1):
        raise _refused("the source is empty: is it the right one?")
    copy = _Copy(source, target, await _begun(target, facts), tell)
    for entity, head in sorted(facts.heads.items()):
        await copy.history(entity, head.version)
        await copy.records(entity)
        await copy.parts(entity)
    await copy.clients()
    await copy.outcomes()
    compared = 0
    entities: list[str | None] = [*sorted(facts.heads), None]
    for each in entities:
        what = "clients and their answers" if each is None else f"entity {each}"
        tell(f"comparing {what}")
        there = await _digest(target, each)
        if there != await _digest(source, each):
            raise _refused(
                f"{what}: what was written is not what was read; nothing was changed in "
                "the source, and the target is of no use: make it empty"
            )
        compared += there[0]
    await target.adopt(facts)
    return compared


async def _begun(target: Mover, facts: StoreFacts) -> _Progress:
    """How far the target is: at the beginning, if it is empty."""
    source = hashlib.sha256(msgspec.msgpack.encode(facts, order="deterministic")).hexdigest()
    noted = await target.noted()
    if noted is not None:
        progress = msgspec.json.decode(noted, type=_Progress)
        if progress.source != source:
            raise _refused(
                "the target is a part of another copy, or the source was written since this one "
                "began: make the target empty, and copy anew"
            )
        return progress
    if (await target.facts()).heads or await target.clients("", 1):
        raise _refused("the target holds records already: copy into an empty store")
    progress = _Progress(source)
    await _note(target, progress)
    return progress


async def _note(target: Mover, progress: _Progress) -> None:
    await target.note(msgspec.json.encode(progress).decode())


def _refused(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.STORAGE_FAILED, words)


class _Copy:
    """Writes what it reads, page by page, and notes how far it is."""

    def __init__(self, source: Mover, target: Mover, progress: _Progress, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._tell = tell

    async def history(self, entity: str, upto: int) -> None:
        # The target's own end says how far it is: written twice, entries would be there twice.
        after = (await self._target.store.head(entity)).version
        while entries := await _whole_versions(self._source.store, entity, after):
            after = entries[-1].record.version
            await self._target.take_history(entity, entries)
            self._tell(f"{entity}: history up to version {after} of {upto}")

    async def records(self, entity: str) -> None:
        async def read(after: Any) -> Sequence[Record]:
            return await self._source.records(entity, after or 0, PAGE)

        async for page in self._pages(f"{entity}: records", read, lambda one: one.version):
            await self._write(BatchWrites(records=page))

    async def parts(self, entity: str) -> None:
        async def read(after: Any) -> Sequence[PartRow]:
            return await self._source.parts(entity, tuple(after or ("", 0)), PAGE)

        place: Callable[[PartRow], Any] = lambda one: (one.part, one.version)  # noqa: E731
        async for page in self._pages(f"{entity}: parts", read, place):
            await self._write(BatchWrites(parts=page))

    async def clients(self) -> None:
        async def read(after: Any) -> Sequence[ClientRow]:
            return await self._source.clients(after or "", PAGE)

        async for page in self._pages("clients", read, lambda one: one.client_id):
            await self._write(BatchWrites(clients=page))

    async def outcomes(self) -> None:
        async def read(after: Any) -> Sequence[Outcome]:
            return await self._source.outcomes(tuple(after or ("", 0)), PAGE)

        async for page in self._pages("answers", read, lambda one: (one.client_id, one.seq)):
            await self._write(BatchWrites(outcomes=page))

    async def _pages(
        self,
        what: str,
        read: Callable[[Any], Awaitable[Sequence[T]]],
        place: Callable[[T], Any],
    ) -> AsyncIterator[Sequence[T]]:
        """Read from where it was, and note each page once it is written."""
        done, number = self._progress.done, 0
        while page := await read(done.get(what)):
            yield page
            done[what] = place(page[-1])
            await _note(self._target, self._progress)
            number += len(page)
            self._tell(f"{what}: {number}")

    async def _write(self, writes: BatchWrites) -> None:
        await self._target.store.commit(BatchNeeds(), lambda _: writes)


async def _whole_versions(store: Store, entity: str, after: int) -> Sequence[HistoryEntry]:
    """The next entries, all of each version: of the last one there may be more than fit a page."""
    entries: list[HistoryEntry] = []
    page = await store.history(entity, after=after, limit=PAGE)
    while page:
        last = page[-1].record.version
        entries += page
        page = await store.history(entity, after=page.end, limit=PAGE)
        if page and page[0].record.version != last:
            break
    return entries


async def _digest(mover: Mover, entity: str | None) -> tuple[int, str]:
    """How many rows there are of an entity, or of clients, and a hash of them."""
    number, hashed = 0, hashlib.sha256()
    rows = _client_rows(mover) if entity is None else _entity_rows(mover, entity)
    async for row in rows:
        number += 1
        hashed.update(msgspec.msgpack.encode(row, order="deterministic"))
    return number, hashed.hexdigest()


async def _entity_rows(mover: Mover, entity: str) -> AsyncIterator[object]:
    after: Any = 0
    while page := await mover.store.history(entity, after=after, limit=PAGE):
        for entry in page:
            yield entry
        after = page.end
    after = 0
    while records := await mover.records(entity, after, PAGE):
        for record in records:
            yield record
        after = records[-1].version
    place = ("", 0)
    while parts := await mover.parts(entity, place, PAGE):
        for part in parts:
            yield part
        place = parts[-1].part, parts[-1].version


async def _client_rows(mover: Mover) -> AsyncIterator[object]:
    after = ""
    while clients := await mover.clients(after, PAGE):
        for client in clients:
            yield client
        after = clients[-1].client_id
    place = ("", 0)
    while outcomes := await mover.outcomes(place, PAGE):
        for outcome in outcomes:
            yield outcome
        place = outcomes[-1].client_id, outcomes[-1].seq
