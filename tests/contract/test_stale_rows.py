"""Pages of a SQLite store have each record once, whatever is written or cut off meanwhile.

The limits are made small, so that a few writes pass them: stale rows go, in every tier, and a walk
through the table takes several steps.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Collection
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rhtmx_server.model import Record
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite import versions
from tests.contract.builders import always, record, writing

T = TypeVar("T")

FAST = FileOptions(synchronous="NORMAL")  # what a sync is for is proved in tests/fault
ENTITIES = ["notes", "tasks"]
MOST = 4
"""Writes in one batch."""

batches = st.lists(
    st.tuples(st.sampled_from(ENTITIES), st.integers(0, 40), st.booleans()),
    min_size=1,
    max_size=MOST,
    unique_by=lambda one: one[:2],
)


class Reader:
    """Someone who reads an entity page by page, up to where it was when they began."""

    def __init__(self, entity: str, upto: int, there: dict[str, int]) -> None:
        self.entity, self.upto, self.after = entity, upto, 0
        self.still = dict(there)
        """Records that were not written since, and their versions."""
        self.got: dict[str, int] = {}

    def take(self, page: list[Record]) -> None:
        for one in page:
            assert one.version > self.after, "in the order of versions"
            assert one.entity_id not in self.got, "each once"
            self.got[one.entity_id] = self.after = one.version

    def lose(self, entity: str, entity_id: str) -> None:
        if entity == self.entity:
            self.still.pop(entity_id, None)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name, "0")
        self.place.mkdir()
        self.loop = asyncio.Runner()
        self.heads = dict.fromkeys(ENTITIES, 0)
        self.there: dict[str, dict[str, int]] = {entity: {} for entity in ENTITIES}
        self.deleted: dict[str, set[str]] = {entity: set() for entity in ENTITIES}
        self.readers: list[Reader] = []
        self.start()

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.loop.run(wait())

    def start(self) -> None:
        self.store = SqliteStore(self.place / "app.db", FAST)
        self.run(self.store.open())

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.run(self.store.query(lambda cursor: cursor.execute(statement).fetchall()))

    @rule(batch=batches)
    def write(self, batch: Collection[tuple[str, int, bool]]) -> None:
        self._write([(entity, str(number), deleted) for entity, number, deleted in batch])

    @rule(number=st.integers(0, 40), times=st.integers(1, 20))
    def write_one_often(self, number: int, times: int) -> None:
        for _ in range(times):
            self._write([("tasks", str(number), False)])

    @rule(first=st.integers(0, 30))
    def write_in_order(self, first: int) -> None:
        for number in range(first, first + 10):
            self._write([("tasks", str(number), False)])

    def _write(self, batch: list[tuple[str, str, bool]]) -> None:
        written = []
        for entity, entity_id, deleted in batch:
            self.heads[entity] += 1
            version = self.heads[entity]
            written.append(record(entity_id, version, entity=entity, deleted=deleted, time=version))
        needs = BatchNeeds(records=[(one.entity, one.entity_id) for one in written])
        self.run(self.store.commit(needs, always(writing(*written))))
        for one in written:
            self.there[one.entity][one.entity_id] = one.version
            deleted_ones = self.deleted[one.entity]
            (deleted_ones.discard if one.live else deleted_ones.add)(one.entity_id)
            for reader in self.readers:
                reader.lose(one.entity, one.entity_id)

    @rule(batch=batches)
    def fail(self, batch: Collection[tuple[str, int, bool]]) -> None:
        """A batch that the disk refuses at its end."""
        connection = self.store._use().writer
        written = [
            record(str(number), self.heads[entity] + at, entity=entity)
            for at, (entity, number, _) in enumerate(batch, 1)
        ]
        needs = BatchNeeds(records=[(one.entity, one.entity_id) for one in written])
        connection.set_commit_hook(lambda: True)
        with pytest.raises(Exception, match="nothing was acknowledged"):
            self.run(self.store.commit(needs, always(writing(*written))))
        connection.set_commit_hook(None)

    @rule(part=st.integers(0, 3))
    def collect(self, part: int) -> None:
        before = max(self.heads.values()) * part // 3
        self.run(self.store.collect(history_before=before, tombstones_before=before))
        for entity in ENTITIES:
            for entity_id in list(self.deleted[entity]):
                if self.there[entity][entity_id] < before:
                    del self.there[entity][entity_id]
                    self.deleted[entity].discard(entity_id)
                    for reader in self.readers:
                        reader.lose(entity, entity_id)
        assert self.store._unswept is None

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.start()
        assert self.rows("SELECT count(*) FROM versions") == [(self.number,)] or self.marked

    @rule(by_vacuum=st.booleans())
    def die(self, by_vacuum: bool) -> None:
        """Go on with what is on the disk now, or with a backup of it."""
        place = Path(self.folder.name, str(int(self.place.name) + 1))
        if by_vacuum:
            place.mkdir()
            copied = apsw.Connection(str(self.place / "app.db"))
            copied.execute("VACUUM INTO ?", (str(place / "app.db"),))
            copied.close()
        else:
            shutil.copytree(self.place, place)
        self.run(self.store.close())
        self.place = place
        self.start()

    @rule(entity=st.sampled_from(ENTITIES))
    def begin_to_read(self, entity: str) -> None:
        self.readers.append(Reader(entity, self.heads[entity], self.there[entity]))

    @rule(limit=st.integers(1, 5), clocks=st.booleans())
    def read_on(self, limit: int, clocks: bool) -> None:
        for reader in list(self.readers):
            asked = reader.entity, reader.after, reader.upto, limit
            page = self.run(self.store.since(*asked, clocks=clocks))
            reader.take(page)
            if not page:
                assert reader.still.items() <= reader.got.items(), "none is left out"
                self.readers.remove(reader)

    @property
    def number(self) -> int:
        return sum(map(len, self.there.values()))

    @property
    def marked(self) -> bool:
        return self.rows("SELECT count(*) FROM meta WHERE key = 'stale'") == [(1,)]

    @invariant()
    def all_is_there(self) -> None:
        for entity in ENTITIES:
            page = self.run(self.store.since(entity, 0, 10**9, 10**9))
            assert {one.entity_id: one.version for one in page} == self.there[entity]
            assert [one.version for one in page] == sorted(self.there[entity].values())

    @invariant()
    def every_stale_row_is_known_or_will_be_found(self) -> None:
        stale = set(
            self.rows(
                "SELECT entity, version FROM versions WHERE NOT EXISTS (SELECT * FROM records "
                "WHERE id = record AND records.version = versions.version)"
            )
        )
        known = {row[:2] for row in self.store._stale}
        if self.store._unswept is None:
            assert stale <= known
            most = self.run(self.store.query(versions.last_row)) / versions.PART
            assert len(stale) <= max(versions._FEW, most) + 4 * MOST
        assert self.marked or not stale

    @invariant()
    def the_file_is_sound(self) -> None:
        assert self.rows("PRAGMA integrity_check") == [("ok",)]

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_FEW", 2)
    monkeypatch.setattr(versions, "_FIRST_TIER", 2)
    monkeypatch.setattr(versions, "PART", 4)
    monkeypatch.setattr(versions, "STEP", 3)


TestStaleRows = Machine.TestCase
TestStaleRows.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
