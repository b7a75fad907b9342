"""Entities that are divided into parts, and readers with rights to some of them.

The store works out by itself which parts a commit concerns, so that the reading side
can be tested whatever writes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config
from rhtmx_server.access.access import Access
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import WHOLE, Part, Partitions
from rhtmx_server.model import NOWHERE, Commit, PartRow, Record, Scope
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.server import RunningServer
from rhtmx_server.stores.memory import MemoryStore

__all__ = ["DIVIDED", "DividedApp", "DividedStore", "SimpleAccess", "part"]

DIVIDED: Mapping[str, Partitions] = {"tasks": Partitions([["team"], ["owner"], ["owner", "team"]])}


def part(**values: Any) -> str:
    """A part as stores and scopes know it."""
    return Part.of(values).key


class SimpleAccess(Access):
    """Rights as a table: who may read which parts of which entity.

    Args:
        divided: the entities that are divided.
        ask: is awaited before each answer; without it every answer comes at once.

    Attributes:
        rights: for a subject and an entity, the values that its records must have, any
            of them; whoever is not here may read everything.
        forbidden: for which subject and entity there is no rule that could allow it.
        asked: how often it was asked.
    """

    def __init__(
        self,
        divided: Mapping[str, Partitions] = DIVIDED,
        ask: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self.divided = divided
        self.ask = ask
        self.rights: dict[tuple[str, str], Sequence[Mapping[str, Any]]] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.asked = 0

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(self.divided)

    def whole(self, entity: str) -> bool:
        return False

    def waits(self, entity: str) -> bool:
        return self.ask is not None

    async def readable(self, entity: str, who: Grant | None, where: bytes | None = None) -> Scope:
        self.asked += 1
        if self.ask is not None:
            await self.ask()
        subject = "" if who is None else who.subject
        rights = self.rights.get((subject, entity), [{}])
        if (subject, entity) in self.forbidden:
            raise RhtmxError(ErrorCode.FORBIDDEN, f"'{entity}' may not be read")
        mine = [Part.of(each) for each in rights]
        both = {a.within(b) for a in mine for b in wanted(where)} - {None}
        if WHOLE in both:
            return None
        if any(not self.divided[entity].reach(each) for each in both if each is not None):
            raise RhtmxError(ErrorCode.NOT_SUPPORTED, f"'{entity}' is not divided like that")
        return frozenset(each.key for each in both if each is not None)

    def declared(self, entity: str) -> str:
        return self.divided[entity].spelt if entity in self.divided else ""

    def parts_of(self, entity: str, data: bytes | None) -> frozenset[str]:
        return parts_of(self.divided, entity, data)


def wanted(where: bytes | None) -> list[Part]:
    """The parts of a `where`: equality, and IN where there is a list."""
    fields = {} if where is None else json.loads(where)
    lists = [each if isinstance(each, list) else [each] for each in fields.values()]
    return [Part.of(dict(zip(fields, values, strict=True))) for values in itertools.product(*lists)]


def parts_of(divided: Mapping[str, Partitions], entity: str, data: bytes | None) -> frozenset[str]:
    if data is None or entity not in divided:
        return NOWHERE
    return frozenset(each.key for each in divided[entity].parts_of(data))


class DividedStore(MemoryStore):
    """A memory store that keeps the parts of what is written to it."""

    def __init__(self, divided: Mapping[str, Partitions] = DIVIDED, **options: Any) -> None:
        super().__init__(**options)
        self.divided_by = divided
        self._passages: dict[tuple[str, int], tuple[frozenset[str], frozenset[str]]] = {}

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        def divide(snapshot: Snapshot) -> BatchWrites:
            writes = decide(snapshot)
            now: dict[tuple[str, str], frozenset[str]] = {}
            rows: dict[tuple[str, str, str], PartRow] = {}
            for entry in sorted(writes.history, key=lambda entry: entry.record.version):
                if not entry.lost:
                    self._note(entry.record, now, rows)
            writes.parts = list(rows.values())
            return writes

        await super().commit(wanted, divide)

    def _note(
        self,
        record: Record,
        now: dict[tuple[str, str], frozenset[str]],
        rows: dict[tuple[str, str, str], PartRow],
    ) -> None:
        entity, key = record.entity, (record.entity, record.entity_id)
        before = now.get(key)
        if before is None:
            old = self._records.get(key)
            before = parts_of(self.divided_by, entity, None if old is None else old.data)
        after = now[key] = parts_of(self.divided_by, entity, record.data)
        self._passages[entity, record.version] = before, after
        for each in before | after:
            rows[entity, each, record.entity_id] = PartRow(
                entity, each, record.entity_id, record.version, record.time, each not in after
            )

    def fill(self, commits: Collection[Commit]) -> list[Commit]:
        """The commits, each with the parts that its record was in and is in."""
        filled = []
        for commit in commits:
            before, after = self._passages[commit.record.entity, commit.record.version]
            filled.append(replace(commit, before=before, after=after))
        return filled


class DividedApp(App):
    """An app whose readers have the rights of a table, whatever its writes know of parts."""

    def __init__(self, access: SimpleAccess, **options: Any) -> None:
        self.divided_store = DividedStore(access.divided)
        super().__init__(store=self.divided_store, **options)
        self.access = access

    def _compose(self, config: Config) -> RunningServer:
        server = super()._compose(config)
        services = server.services
        services.access = self.access
        deliver, store = services.hub.deliver, self.divided_store
        services.hub.deliver = lambda commits: deliver(store.fill(commits))  # type: ignore[method-assign]
        return server
