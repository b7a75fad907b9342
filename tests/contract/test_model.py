"""The stores that last do what the memory store does, whatever is asked of them.

And whoever reads some parts of an entity from page to page has, in the end, what is in
them: found out here from the records alone.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Collection
from itertools import chain
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rhtmx_server.access.parts import Partitions
from rhtmx_server.model import ClientRow, Granularity, HistoryEntry, Outcome, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from rhtmx_server.record_page import HistoryPosition
from rhtmx_server.stores import FileOptions, MemoryStore, SqliteStore
from rhtmx_server.stores.postgres import PostgresStore
from tests.contract.builders import always, look, record, writing
from tests.contract.parts import BLUE, BOTH, GREEN, RED, TEAMS, Noting, keys_of, of
from tests.support.postgres import Postgres

T = TypeVar("T")

ENTITIES = ["tasks", "notes"]
IDS = ["1", "2", "3"]
CLIENTS = ["c", "d"]
FAST = FileOptions(synchronous="NORMAL")  # what a sync is for is proved in tests/fault
TIMES = st.integers(0, 9)

ITS_DATA = [of("red"), of("blue"), of("red", open=1), of("blue", open=1), of("green"), b"[]", None]
RED_OPEN, BLUE_OPEN = (f'{{"open":1,"team":"{team}"}}' for team in ("red", "blue"))
SCOPES = [[RED], [BLUE, GREEN], [RED_OPEN], [RED, BLUE_OPEN], [RED, RED_OPEN, BLUE, "unknown"]]
WHOLE = Partitions([])

one_write = st.tuples(
    st.sampled_from(ENTITIES),
    st.sampled_from(IDS),
    st.booleans(),
    st.booleans(),
    st.sampled_from(ITS_DATA),
)


class Reader:
    """Someone who reads some parts of `tasks`, as a client does."""

    def __init__(self, parts: Collection[str]) -> None:
        self.parts = parts
        self.position = 0
        self.has: dict[str, int] = {}

    def start_anew(self) -> None:
        self.position, self.has = 0, {}

    async def catch_up(self, store: Store, limit: int) -> None:
        head = await store.head("tasks")
        if self.position < head.floor:
            self.start_anew()
        while page := await store.since_in("tasks", self.parts, self.position, 10_000, limit):
            for one in page:
                assert one.version > self.position, "in version order, and nothing twice"
                self.position = one.version
                self.has.pop(one.entity_id, None)
                if isinstance(one, Record) and one.live:
                    self.has[one.entity_id] = one.version
        self.position = head.version


class StoreModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.make = self.place()
        self.loop = asyncio.Runner()
        self.memory = MemoryStore()
        self.lasting = self.make()
        self.run(self.lasting.open())
        self.heads = dict.fromkeys(ENTITIES, 0)
        self.last_seq = dict.fromkeys(CLIENTS, 0)
        self.by = WHOLE
        self.readers = [(Reader(parts), Reader(parts)) for parts in SCOPES]

    def place(self) -> Callable[[], Store]:
        """Makes the store; a second call makes it again from what the first one left."""
        path = Path(self.folder.name, "app.db")
        return lambda: SqliteStore(path, FAST)

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.loop.run(wait())

    def on_both(self, do: Callable[[Store], Awaitable[T]]) -> tuple[T, T]:
        return self.run(do(self.memory)), self.run(do(self.lasting))

    def same(self, do: Callable[[Store], Awaitable[object]]) -> None:
        reference, found = self.on_both(do)
        assert found == reference

    @rule(batch=st.lists(one_write, max_size=4), client=st.sampled_from(CLIENTS), time=TIMES)
    def commit(
        self,
        batch: list[tuple[str, str, bool, bool, bytes | None]],
        client: str,
        time: int,
    ) -> None:
        written: list[Record] = []
        lost: list[HistoryEntry] = []
        for entity, entity_id, deleted, loses, data in batch:
            self.heads[entity] += 1
            version = self.heads[entity]
            one = record(entity_id, version, data, entity=entity, deleted=deleted, time=time)
            written.append(one)
            if loses:
                lost.append(HistoryEntry(one, Granularity.FIELDS, lost=True))
        self.last_seq[client] += 1
        seq = self.last_seq[client]
        writes = writing(
            *written,
            clients=[ClientRow(client, "ada", seq, time)],
            outcomes=[Outcome(client, seq, b"digest", b"reply", rejected=not written)],
        )
        writes.history = [*writes.history, *lost]
        noting = Noting(self.by)
        for one in written:
            if one.entity == "tasks":
                noting.note(one, self.run(self.memory.record("tasks", one.entity_id)))
        writes.parts = noting.rows
        self.on_both(lambda store: store.commit(BatchNeeds(), always(writes)))

    @rule(client=st.sampled_from(CLIENTS), seq=st.integers(0, 5))
    def confirm(self, client: str, seq: int) -> None:
        writes = BatchWrites(confirmed={client: seq})
        self.on_both(lambda store: store.commit(BatchNeeds(), always(writes)))

    @rule(history=TIMES, tombstones=TIMES)
    def collect(self, history: int, tombstones: int) -> None:
        self.on_both(
            lambda store: store.collect(history_before=history, tombstones_before=tombstones)
        )

    @rule(horizon=TIMES)
    def note_horizon(self, horizon: int) -> None:
        self.on_both(lambda store: store.note_horizon(horizon))

    @rule()
    def restart(self) -> None:
        self.run(self.lasting.close())
        self.lasting = self.make()
        self.run(self.lasting.open())

    @rule(by=st.sampled_from([TEAMS, TEAMS, BOTH, WHOLE]))
    def divide(self, by: Partitions) -> None:
        self.on_both(lambda store: store.divide("tasks", by.spelt, keys_of(by)))
        if by is not self.by:
            for reader in chain.from_iterable(self.readers):
                reader.start_anew()
        self.by = by

    @rule(number=st.integers(0, len(SCOPES) - 1), limit=st.integers(1, 4))
    def read_parts(self, number: int, limit: int) -> None:
        stores: list[Store] = [self.memory, self.lasting]
        for reader, store in zip(self.readers[number], stores, strict=True):
            self.run(reader.catch_up(store, limit))
            assert reader.has == self.in_parts(reader.parts)

    def in_parts(self, parts: Collection[str]) -> dict[str, int]:
        found = [self.run(self.memory.record("tasks", entity_id)) for entity_id in IDS]
        return {
            one.entity_id: one.version
            for one in found
            if one is not None
            and one.live
            and not set(parts).isdisjoint(keys_of(self.by)(one.data))
        }

    @rule(
        parts=st.sampled_from(SCOPES),
        after=st.integers(0, 9),
        upto=st.integers(0, 20),
        limit=st.integers(1, 4),
        clocks=st.booleans(),
    )
    def read_a_page_of_parts(
        self, parts: Collection[str], after: int, upto: int, limit: int, clocks: bool
    ) -> None:
        self.same(lambda store: store.since_in("tasks", parts, after, upto, limit, clocks=clocks))

    @rule(
        entity=st.sampled_from(ENTITIES),
        after=st.integers(0, 9),
        upto=st.integers(0, 20),
        limit=st.integers(1, 4),
    )
    def read_a_page(self, entity: str, after: int, upto: int, limit: int) -> None:
        self.same(lambda store: store.since(entity, after, upto, limit))

    @rule(
        entity=st.sampled_from(ENTITIES),
        entity_id=st.none() | st.sampled_from(IDS),
        after=st.integers(0, 9),
        until=st.none() | TIMES,
        limit=st.integers(1, 4),
    )
    def read_history(
        self, entity: str, entity_id: str | None, after: int, until: int | None, limit: int
    ) -> None:
        self.same(
            lambda store: store.history(
                entity, entity_id=entity_id, after=after, until=until, limit=limit
            )
        )

    @rule(
        entity=st.sampled_from(ENTITIES),
        entity_id=st.none() | st.sampled_from(IDS),
        limit=st.integers(1, 4),
    )
    def read_all_history(self, entity: str, entity_id: str | None, limit: int) -> None:
        async def in_pages(store: Store) -> list[HistoryEntry]:
            found: list[HistoryEntry] = []
            after: int | HistoryPosition = 0
            while page := await store.history(
                entity, entity_id=entity_id, after=after, limit=limit
            ):
                found += page
                after = page.end
            return found

        self.same(in_pages)

    @invariant()
    def everything_is_the_same(self) -> None:
        wanted = BatchNeeds(
            records=[(entity, entity_id) for entity in ENTITIES for entity_id in IDS],
            clients=CLIENTS,
            outcomes=[(client, seq) for client in CLIENTS for seq in range(1, 9)],
        )
        self.same(lambda store: look(store, wanted))
        self.same(lambda store: store.heads())
        self.same(lambda store: store.kept())
        self.same(lambda store: store.divided())
        for parts in SCOPES:
            self.same(lambda store, parts=parts: store.since_in("tasks", parts, 0, 999, 999))  # type: ignore[misc]

    def teardown(self) -> None:
        self.run(self.lasting.close())
        self.loop.close()
        self.folder.cleanup()


class PostgresModel(StoreModel):
    server: ClassVar[Postgres]

    def place(self) -> Callable[[], Store]:
        url = self.server.place()
        return lambda: PostgresStore(url)


@pytest.fixture(autouse=True)
def _server(postgres: Postgres) -> None:
    PostgresModel.server = postgres


TestSqlite = StoreModel.TestCase
TestPostgres = PostgresModel.TestCase
TestSqlite.settings = TestPostgres.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
