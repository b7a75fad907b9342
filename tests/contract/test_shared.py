"""A store that several servers use: what each of them may count on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.horizon import wall_clock
from rhtmx_server.log_body import unpack
from rhtmx_server.model import ClientRow, Granularity, Head, HistoryEntry, Record
from rhtmx_server.ports import EVERY_VERSION, BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.sharing import SubjectNotice
from rhtmx_server.stores.postgres import PostgresStore
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.postgres.tenure import SharedTenure
from tests.contract.builders import record
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually


@pytest.fixture(params=["postgres", "pgbouncer"])
def place(request: pytest.FixtureRequest) -> str:
    """A schema that is empty, reached directly or through a pooler."""
    server: Postgres | PgBouncer = request.getfixturevalue(request.param)
    return server.place()


@pytest.fixture
async def both(place: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Two servers on one store."""
    stores = PostgresStore(place, shared=True), PostgresStore(place, shared=True)
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


def one_more(
    *entities: str, client: str | None = None, seen: list[Snapshot] | None = None
) -> tuple[BatchNeeds, Callable[[Snapshot], BatchWrites]]:
    """What counts up in a record of each of these entities."""

    def decide(snapshot: Snapshot) -> BatchWrites:
        if seen is not None:
            seen.append(snapshot)
        found: list[Record] = []
        for entity in entities:
            before = snapshot.records.get((entity, "1"))
            count = 1 if before is None else int(before.data or b"0") + 1
            version = snapshot.heads[entity].version + 1
            at = 0 if snapshot.moment is None else snapshot.moment.now
            found.append(record("1", version, b"%d" % count, entity=entity, time=at))
        last = 0 if client not in snapshot.clients else snapshot.clients[client].last_seq
        return BatchWrites(
            records=found,
            heads={each.entity: each.version for each in found},
            history=[
                HistoryEntry(each, Granularity.RECORDS, previous=each.version - 1) for each in found
            ],
            clients=[] if client is None else [ClientRow(client, "", last + 1, 0)],
        )

    needs = BatchNeeds(
        records=[(entity, "1") for entity in entities],
        clients=[] if client is None else [client],
    )
    return needs, decide


async def count(store: PostgresStore, entity: str = "tasks") -> int:
    found = await store.record(entity, "1")
    return 0 if found is None else int(found.data or b"0")


@pytest.mark.parametrize("client", [None, "ada"])
async def test_what_two_servers_write_at_once_is_written_one_after_the_other(
    both: tuple[PostgresStore, PostgresStore], client: str | None
) -> None:
    async def write(store: PostgresStore) -> None:
        for _ in range(40):
            await store.commit(*one_more("tasks", client=client))

    await asyncio.gather(*map(write, both))
    assert await count(both[0]) == 80
    assert (await both[0].head("tasks")).version == 80
    history = await both[1].history("tasks", limit=100)
    assert [each.record.version for each in history] == [*range(1, 81)]
    if client is not None:
        known = await both[0].client(client)
        assert known is not None
        assert known.last_seq == 80


async def test_batches_of_several_entities_in_any_order_wait_for_each_other_at_most(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    async def write(store: PostgresStore, *entities: str) -> None:
        for _ in range(30):
            await store.commit(*one_more(*entities))

    await asyncio.gather(write(both[0], "a", "b"), write(both[1], "b", "a"))
    assert [await count(both[0], entity) for entity in "ab"] == [60, 60]


async def test_a_batch_is_decided_by_the_clock_of_the_store_and_later_than_what_it_sees(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    seen: list[Snapshot] = []
    ahead = record("1", 1, b"1", time=2_000_000_000_000_000)  # written by a clock that was wrong
    await both[0].commit(BatchNeeds(), lambda _: BatchWrites(records=[ahead], heads={"tasks": 1}))
    await both[1].commit(*one_more("tasks", seen=seen))
    await both[0].commit(*one_more("carts", seen=seen))
    moments = [each.moment for each in seen]
    assert moments[0] is not None
    assert moments[1] is not None
    assert moments[0].now == ahead.time + 1
    assert moments[0].epoch == moments[1].epoch == both[0].epoch
    assert abs(moments[1].now - both[0].ahead - wall_clock()) < 60_000_000


async def test_a_page_of_before_what_another_server_has_written_is_read_anew(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    assert await both[1].since("tasks", 0, EVERY_VERSION, 10) == []
    await both[0].commit(*one_more("tasks"))
    both[1].moved()
    assert [each.version for each in await both[1].since("tasks", 0, EVERY_VERSION, 10)] == [1]


async def test_it_says_where_the_logs_end(both: tuple[PostgresStore, PostgresStore]) -> None:
    await both[0].commit(*one_more("tasks", "carts"))
    assert await both[1].look_up(["tasks", "never"]) == {"tasks": Head(1, 0)}


async def test_it_says_what_was_committed_after_a_place_batch_by_batch(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    for entities in (["tasks"], ["tasks", "carts"], ["carts"], ["notes"]):
        await both[0].commit(*one_more(*entities))
    found = await both[1].log_after({"tasks": 1, "carts": 0})
    assert found is not None
    assert [[(each.entity, each.base, each.upto) for each in batch] for batch in found] == [
        [("carts", 0, 1), ("tasks", 1, 2)],
        [("carts", 1, 2)],
    ]
    assert found[1][0].body is not None
    assert [each.record.version for each in unpack("carts", found[1][0].body)] == [2]


async def test_of_a_batch_of_which_something_was_forgotten_no_part_is_told(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    await both[0].commit(*one_more("tasks", "carts"))
    await both[0].query(
        lambda session: session.run("UPDATE rhtmx.log SET body = NULL WHERE entity = 'carts'")
    )
    (batch,) = await both[1].log_after({"tasks": 0, "carts": 0}) or []
    assert [(each.entity, each.body) for each in batch] == [("carts", None), ("tasks", None)]


async def test_much_that_was_committed_is_not_told_batch_by_batch(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    rows = "SELECT 'tasks', n, n + 1, gen_random_uuid(), 0, NULL FROM generate_series(0, 999) AS n"
    await both[0].query(lambda session: session.run(f"INSERT INTO rhtmx.log {rows}"))
    assert await both[1].log_after({"tasks": 0}) is None
    assert await both[1].log_after({"tasks": 900}) is not None


async def test_what_was_committed_is_not_told_batch_by_batch_where_some_is_kept_no_more(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    for _ in range(3):
        await both[0].commit(*one_more("tasks", "carts"))
    await both[0].query(
        lambda session: session.run("DELETE FROM rhtmx.log WHERE entity = 'carts' AND base = 0")
    )
    assert await both[1].log_after({"tasks": 0, "carts": 0}) is None
    assert await both[1].log_after({"tasks": 0, "carts": 1}) is not None


async def test_a_server_that_had_lost_its_database_finds_it_again_in_another_life(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    await both[0].commit(*one_more("tasks"))
    before = both[1].epoch
    assert both[1]._database is not None
    tenure = both[1]._database.tenure
    assert isinstance(tenure, SharedTenure)
    tenure.lost()
    await both[0].query(
        lambda session: session.run("UPDATE rhtmx.meta SET value = 'x' WHERE key = 'lineage'")
    )
    assert not both[1].ready()
    await both[1].look_up(())
    assert both[1].ready()
    assert both[1].epoch != before
    assert both[1].counts(before, "tasks") == 1


async def test_what_one_server_tells_of_a_subject_each_other_one_hears_once(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    one, other = both
    await one.note(SubjectNotice("before", ends=True))
    assert await other.notices() == ()
    await one.note(SubjectNotice("ada", ends=True))
    await one.note(SubjectNotice("bob", ends=False))
    assert await other.notices() == [SubjectNotice("ada", True), SubjectNotice("bob", False)]
    assert await other.notices() == []
    assert [*await one.notices(), *await one.notices()] == []


async def test_one_server_leads_until_it_resigns_or_its_lease_is_over(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    one, other = both
    assert await one.lead(60)
    assert not await other.lead(60)
    assert await one.lead(60)
    await one.resign()
    assert await other.lead(0.001)
    async with asyncio.timeout(PATIENCE):
        while not await one.lead(60):
            pass


async def test_servers_that_show_themselves_are_counted(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    one, other = both
    assert await one.count_nodes(60) == 1
    assert await other.count_nodes(60) == 2
    await one.resign()
    assert await other.count_nodes(60) == 1


async def test_where_a_locked_batch_fails_it_is_decided_anew_and_nothing_is_left_of_it(
    both: tuple[PostgresStore, PostgresStore], postgres: Postgres
) -> None:
    """Within a transaction: an error that is caught in there would end it in silence."""
    one, other = both
    await one.commit(*one_more("tasks"))
    await other.commit(*one_more("tasks"))
    needs, decide = one_more("tasks")
    schema, tries = place_of(one), 0

    def interrupted(snapshot: Snapshot) -> BatchWrites:
        nonlocal tries
        tries += 1
        if tries == 1:  # by somebody who takes no lock
            row = "'tasks', 2, 3, gen_random_uuid(), 0, NULL"
            postgres.sql(f"INSERT INTO {schema}.log SELECT {row}")
        return decide(snapshot)

    await one.commit(needs, interrupted)
    assert tries == 2
    assert await count(other) == 3
    assert (await other.head("tasks")).version == 4


async def test_who_was_overtaken_once_waits_for_its_turn_and_is_overtaken_no_more(
    both: tuple[PostgresStore, PostgresStore], postgres: Postgres
) -> None:
    """Also one that has never written there: else it would be overtaken until it gives up."""
    one, other = both
    await other.commit(*one_more("tasks"))
    needs, decide = one_more("tasks")
    schema, tries = place_of(one), 0

    def interrupted(snapshot: Snapshot) -> BatchWrites:
        nonlocal tries
        tries += 1
        head = snapshot.heads["tasks"].version  # by somebody who would wait for a lock
        row = f"'tasks', {head}, {head + 1}, gen_random_uuid(), 0, NULL"
        lock = f"pg_try_advisory_xact_lock(hashtextextended('{schema} tasks', 0))"
        postgres.sql(f"INSERT INTO {schema}.log SELECT {row} WHERE {lock}")
        return decide(snapshot)

    await one.commit(needs, interrupted)
    assert tries == 2
    assert await count(other) == 2


@pytest.mark.parametrize("commits", [True, False])
async def test_whoever_has_its_turn_writes_next_or_gives_it_back(
    both: tuple[PostgresStore, PostgresStore], postgres: Postgres, *, commits: bool
) -> None:
    one, other = both
    for store in (one, other, one, other):  # now both know that they are not alone there
        await store.commit(*one_more("tasks"))
    seen: list[Snapshot] = []
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    async with one.turn(lambda: ["tasks", "others"]):
        writing = asyncio.create_task(other.commit(*one_more("tasks", seen=seen)))
        await eventually(lambda: postgres.sql(waits).strip() == "1")
        if commits:
            await one.commit(*one_more("tasks"))
    await writing
    assert [each.heads["tasks"].version for each in seen] == [4 + commits]
    assert await count(one) == 5 + commits


def place_of(store: PostgresStore) -> str:
    return store._options.schema


async def test_hooks_begin_with_what_comes_and_later_where_they_were(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    one, other = both
    await one.commit(*one_more("tasks"))
    assert await one.begin_telling(["tasks"]) == {"tasks": 1}
    await one.note_told("tasks", 1)
    for entity in ("tasks", "carts"):
        await other.commit(*one_more(entity))
    # Nobody has been told of `carts`, whose first commit is later than hooks were ready.
    assert await other.begin_telling(None) == {"tasks": 1, "carts": 0}
    await one.note_told("tasks", 2)
    await other.note_told("tasks", 1)  # by one that had been frozen
    assert await other.begin_telling(["tasks"]) == {"tasks": 2, "carts": 0}


async def test_hooks_are_told_of_what_comes_in_the_place_of_what_was_lost(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    one, other = both
    await one.commit(*one_more("tasks"))
    await one.begin_telling(["tasks"])
    await one.note_told("tasks", 9)  # of a life in which there was more
    await one.renew_epoch()
    await other.note_told("tasks", 9)  # which does not know yet that it is over
    assert await one.begin_telling(["tasks"]) == {"tasks": 1}
    await other.look_up(())
    await other.note_told("tasks", 2)
    assert await one.begin_telling(["tasks"]) == {"tasks": 2}


async def test_a_hook_that_is_new_begins_about_where_servers_last_were(
    both: tuple[PostgresStore, PostgresStore],
) -> None:
    for _ in range(3):
        await both[0].commit(*one_more("carts"))
    await both[0].begin_telling(["tasks"])
    await both[0].commit(*one_more("carts"))
    assert await both[1].begin_telling(["carts"]) == {"carts": 3}


async def test_who_divides_an_entity_otherwise_than_a_later_version_writes_no_more(
    place: str,
) -> None:
    old, new = PostgresStore(place, shared=True), PostgresStore(place, shared=True)
    await old.open()
    await old.divide("tasks", "team", lambda data: [])
    await old.divide("carts", "", lambda data: [])
    await old.commit(*one_more("tasks"))
    await new.open()
    await new.divide("tasks", "owner", lambda data: [])
    await new.commit(*one_more("tasks"))
    await old.commit(*one_more("carts"))  # which is divided as it was
    with pytest.raises(RhtmxError, match="a later version of the program divides"):
        await old.commit(*one_more("tasks"))
    assert (old.ready(), old.void, new.ready()) == (False, True, True)
    assert await count(new) == 2
    await old.close()
    await new.close()


async def test_where_servers_share_a_schema_one_that_is_alone_is_refused_or_the_others_are(
    postgres: Postgres,
) -> None:
    place = postgres.place()
    alone = PostgresStore(place)
    await alone.open()
    with pytest.raises(RhtmxError, match="each of them is started with --bus"):
        await PostgresStore(place, shared=True).open()
    await alone.close()
    shared = PostgresStore(place, shared=True)
    await shared.open()
    assert await shared.lead(60)
    with pytest.raises(RhtmxError, match="servers of a cluster use this schema"):
        await alone.open()
    await shared.commit(*one_more("tasks"))
    await shared.resign()
    await shared.close()
    await alone.open()
    await alone.close()


async def test_servers_that_start_at_once_make_the_tables_once(place: str) -> None:
    stores = [PostgresStore(place, shared=True) for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    assert len({store.epoch for store in stores}) == 1
    assert len({store.cluster for store in stores}) == 1
    assert len({store.node for store in stores}) == 6
    for store in stores:
        await store.close()


async def test_what_is_committed_through_a_pooler_is_on_the_disk_whatever_the_database_is_set_to(
    postgres: Postgres, pgbouncer: PgBouncer
) -> None:
    """As with a connection of one's own; the server of these tests is set to off."""
    assert postgres.sql("SHOW synchronous_commit").strip() == "off"
    store = PostgresStore(pgbouncer.place(), shared=True)
    await store.open()
    assert await store.query(lambda session: session.value("SHOW synchronous_commit")) == "on"
    await store.close()


async def test_what_fails_through_a_pooler_leaves_nothing_and_its_connection_serves_the_next(
    pgbouncer: PgBouncer,
) -> None:
    store = PostgresStore(f"{pgbouncer.place()}&connections=2", shared=True)
    await store.open()

    async def half(session: Session) -> None:
        await session.run("INSERT INTO rhtmx.meta VALUES ('half', '1')")
        await session.run("SELECT 1 / 0")

    for _ in range(10):
        with pytest.raises(RhtmxError, match="the server's database failed"):
            await store.query(half)
    found = await store.query(
        lambda session: session.rows("SELECT value FROM rhtmx.meta WHERE key = 'half'")
    )
    assert found == []
    await store.close()


async def test_whoever_stops_waiting_for_a_pooler_leaves_no_transaction_behind(
    postgres: Postgres, pgbouncer: PgBouncer
) -> None:
    store = PostgresStore(f"{pgbouncer.place()}&connections=2", shared=True)
    await store.open()
    busy = """SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle'
        AND query LIKE 'SELECT pg_sleep%'"""

    def sleepers() -> str:
        return postgres.sql(busy).strip()

    waiting = asyncio.create_task(store.query(lambda session: session.run("SELECT pg_sleep(600)")))
    await eventually(lambda: sleepers() == "1")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await eventually(lambda: sleepers() == "0")
    assert await store.look_up(()) == {}
    await store.close()
