"""What becomes of writes when the connection to the database, or the database, is cut.

Everything is real but the cut: a proxy ends the connection after an exact number of bytes. A
control that takes an unknown end for a failure has to be wrong, or the test would prove nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.postgres import PostgresOptions, PostgresStore
from rhtmx_server.stores.postgres.batches import BatchWriter
from rhtmx_server.stores.postgres.failures import failed
from tests.contract.builders import put, record, versions
from tests.fault.counting import Counting, locked, through, wait_in_line
from tests.fault.cut_connections import Proxy, in_front_of
from tests.support.postgres import Postgres, running
from tests.support.waiting import eventually

CUTS = int(os.environ.get("RHTMX_CUTS", "60"))
"""As many as are wanted, for a campaign."""
BYTES = 800
"""About as many as a commit sends, and fewer than it is sent."""


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[Proxy]:
    async with in_front_of(postgres.folder) as made:
        yield made


@pytest.fixture
async def place(postgres: Postgres) -> str:
    return postgres.place()


async def work(proxy: Proxy, counting: Counting, seed: int) -> list[tuple[int, int]]:
    """Count up, each time with a cut somewhere; what was acknowledged, and what is there."""
    chance, found = random.Random(seed), []
    for _ in range(CUTS):
        await counting.one_more()  # on a connection that has prepared its statements
        proxy.arm(chance.randint(0, BYTES), downward=chance.random() < 0.7)
        with contextlib.suppress(RhtmxError):
            await counting.one_more()
        proxy.disarm()
        found.append((counting.done, await counting.counted()))
    return found


@pytest.mark.parametrize("numbered", [True, False])
async def test_what_is_acknowledged_is_there_once_and_nothing_else_is(
    proxy: Proxy, place: str, numbered: bool
) -> None:
    store = PostgresStore(through(proxy, place))
    await store.open()
    counting = Counting(store, numbered=numbered)
    found = await work(proxy, counting, seed=7)
    assert all(acknowledged == there for acknowledged, there in found)
    assert proxy.cuts > CUTS / 4
    entries = await store.history("tasks", limit=counting.done)
    assert [each.previous for each in entries] == list(range(len(entries)))
    assert len(entries) == counting.done
    await store.close()


async def test_the_control_that_takes_an_unknown_end_for_a_failure_is_wrong(
    proxy: Proxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give_up(*_: Any) -> bool:
        raise failed("it may not be there")

    store = PostgresStore(through(proxy, place))
    await store.open()
    monkeypatch.setattr(BatchWriter, "_found_out", give_up)
    counting = Counting(store, numbered=True)
    found = await work(proxy, counting, seed=7)
    assert any(acknowledged < there for acknowledged, there in found)
    await store.close()


async def test_a_batch_waits_for_the_database_to_find_out(
    proxy: Proxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 0.05)
    store = PostgresStore(through(proxy, place))
    await store.open()
    counting = Counting(store, numbered=False)
    await counting.one_more()
    writing = asyncio.create_task(counting.one_more())
    proxy.arm(0, downward=True)  # it is asked, and does not get through with the answer
    proxy.down = True
    await eventually(lambda: proxy.cuts == 1)
    await eventually(lambda: not store.ready() or writing.done())
    proxy.disarm()
    proxy.down = False
    await eventually(lambda: store.ready())
    await asyncio.wait([writing])
    assert await counting.counted() == counting.done
    await store.close()


async def test_what_no_standby_has_yet_is_not_acknowledged_because_it_shows() -> None:
    """The statement is given up while it waits for the standby, and has taken effect here."""
    with running({"synchronous_commit": "on"}) as server:
        store = PostgresStore(f"{server.place()}&timeout=0.5")
        await store.open()
        counting = Counting(store, numbered=False)
        await counting.one_more()
        server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.sql("SELECT pg_reload_conf()")
        while server.sql("SHOW synchronous_standby_names") != "nobody\n":
            pass
        writing = asyncio.create_task(counting.one_more())
        # The question, which is given up as well.
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        await eventually(
            lambda: writing.done() or server.sql(f"{asked} AND query LIKE '%meta%'") == "1\n"
        )
        assert not writing.done()
        server.sql("ALTER SYSTEM RESET synchronous_standby_names")
        server.sql("SELECT pg_reload_conf()")
        await writing
        assert await counting.counted() == counting.done == 2
        await store.close()


async def test_a_batch_that_overtakes_itself_is_written_once(
    postgres: Postgres, proxy: Proxy, place: str
) -> None:
    """The connection breaks, but the statement goes on, and ends after it was sent once more."""
    store = PostgresStore(through(proxy, place))
    await store.open()
    counting = Counting(store, numbered=False)
    await counting.one_more()
    async with locked(postgres, place, "records"):
        writing = asyncio.create_task(counting.one_more())
        await wait_in_line(postgres, place, 1)
        proxy.cut_all()
        await wait_in_line(postgres, place, 2)
    await writing
    assert await counting.counted() == counting.done == 2
    await store.close()


async def test_a_batch_that_may_be_under_way_has_not_failed(
    postgres: Postgres, proxy: Proxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent once more while there is no database: the first time may take effect yet."""
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 0.05)
    store = PostgresStore(through(proxy, place))
    await store.open()
    counting = Counting(store, numbered=False)
    await counting.one_more()
    found_out = BatchWriter._found_out

    gone = asyncio.Event()

    async def and_then_it_is_gone(*asked: Any) -> bool:
        found = await found_out(*asked)
        if not gone.is_set():
            proxy.down = True
            proxy.cut_all()
            await eventually(lambda: not store.ready())
            gone.set()
        return found

    monkeypatch.setattr(BatchWriter, "_found_out", and_then_it_is_gone)
    async with locked(postgres, place, "records"):
        writing = asyncio.create_task(counting.one_more())
        await wait_in_line(postgres, place, 1)
        proxy.cut_all()
        await gone.wait()
    proxy.down = False
    await writing
    assert await counting.counted() == counting.done == 2
    await store.close()


async def test_a_store_that_is_closed_waits_for_no_database(proxy: Proxy, place: str) -> None:
    store = PostgresStore(through(proxy, place))
    await store.open()
    counting = Counting(store, numbered=False)
    await counting.one_more()
    proxy.arm(0, downward=True)
    writing = asyncio.create_task(counting.one_more())
    await eventually(lambda: proxy.cuts == 1)
    proxy.down = True
    proxy.cut_all()
    await asyncio.wait_for(store.close(), 20)
    with pytest.raises(RhtmxError):
        await writing


async def test_a_process_of_the_database_that_is_frozen_tells_nothing(
    postgres: Postgres, place: str
) -> None:
    store = PostgresStore(place + "&timeout=0.2")
    await store.open()
    counting = Counting(store, numbered=False)
    await counting.one_more()
    schema = place.rpartition("=")[2]
    (pid,) = postgres.sql(
        f"SELECT pid FROM pg_stat_activity WHERE query LIKE '%{schema}%put%' "
        "AND pid <> pg_backend_pid()"
    ).split()
    async with locked(postgres, place, "records"):
        writing = asyncio.create_task(counting.one_more())
        await wait_in_line(postgres, place, 1)
        os.kill(int(pid), signal.SIGSTOP)
        await wait_in_line(postgres, place, 2)
    os.kill(int(pid), signal.SIGCONT)
    await writing
    assert await counting.counted() == counting.done == 2
    await store.close()


async def test_a_database_that_crashes_costs_time_and_no_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 0.05)
    with running({"fsync": "on", "synchronous_commit": "on"}) as server:
        store = PostgresStore(server.place())
        await store.open()
        counting = Counting(store, numbered=True)
        crashed = 0
        for round_ in range(3):
            ended = asyncio.Event()

            async def count_on(until: asyncio.Event = ended) -> None:
                while not until.is_set():
                    try:
                        await counting.one_more()
                    except RhtmxError:
                        await asyncio.sleep(0.01)

            before = counting.done
            working = asyncio.create_task(count_on())
            await eventually(lambda before=before: counting.done > before + 20)  # type: ignore[misc]
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            crashed = counting.done
            await eventually(lambda crashed=crashed: counting.done > crashed)  # type: ignore[misc]
            ended.set()
            await working
            assert await counting.counted() == counting.done, round_
        await store.close()


async def test_another_server_is_kept_away_until_the_first_is_gone(postgres: Postgres) -> None:
    url = postgres.place()
    first, second = PostgresStore(url), PostgresStore(url)
    await first.open()
    with pytest.raises(RhtmxError, match="another rhtmx-server uses this schema"):
        await second.open()
    other = PostgresStore(postgres.place())
    await other.open()
    await other.close()
    await first.close()
    await second.open()
    await second.close()


async def test_a_server_that_lost_its_place_to_another_one_writes_no_more(
    proxy: Proxy, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 0.05)
    store, other = PostgresStore(through(proxy, place)), PostgresStore(place)
    await store.open()
    await put(store, record("1", 1))
    proxy.down = True
    proxy.cut_all()
    await eventually(lambda: not store.ready())
    await other.open()
    await put(other, record("1", 2))
    await other.close()
    proxy.down = False
    with caplog.at_level(logging.ERROR):
        await eventually(lambda: "has to be started again" in caplog.text)
    with pytest.raises(RhtmxError, match="started again"):
        await put(store, record("1", 3))
    assert not store.ready()
    await store.close()


async def test_a_lock_that_nobody_else_has_is_taken_back(
    postgres: Postgres, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has not noticed that its connection is gone."""
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 0.05)
    store = PostgresStore(place)
    await store.open()
    await put(store, record("1", 1))
    schema = place.rpartition("=")[2]
    held = f"hashtext('{schema}')::bigint & 4294967295"
    (pid,) = postgres.sql(f"SELECT pid FROM pg_locks WHERE objid::bigint = {held}").split()
    os.kill(int(pid), signal.SIGSTOP)
    await eventually(lambda: not store.ready())
    other = PostgresStore(place)
    with pytest.raises(RhtmxError, match="another rhtmx-server uses this schema"):
        await other.open()
    assert not store.ready()
    os.kill(int(pid), signal.SIGCONT)
    await eventually(store.ready)
    await put(store, record("1", 2))
    assert await versions(store) == [2]
    await store.close()


async def test_a_server_that_was_replaced_writes_nothing_before_it_knows(
    postgres: Postgres, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx_server.stores.postgres.tenure._ASK_EVERY", 3600)
    store, other = PostgresStore(place), PostgresStore(place)
    await store.open()
    await put(store, record("1", 1))
    held = f"hashtext('{place.rpartition('=')[2]}')::bigint & 4294967295"
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid::bigint = {held}")
    await other.open()
    with pytest.raises(RhtmxError, match="started again"):
        await put(store, record("1", 2))
    assert not store.ready()
    assert await versions(other) == [1]
    await store.close()
    await other.close()


async def test_a_standby_is_refused_and_begins_anew_once_it_is_promoted() -> None:
    """It may lack what clients have seen."""
    with running({"wal_level": "replica", "max_wal_senders": "4"}) as primary:
        url = primary.place()
        store = PostgresStore(url)
        await store.open()
        epoch = store.epoch
        await put(store, record("1", 1))
        await store.close()
        folder = Path(tempfile.mkdtemp(prefix="pg"))
        standby = Postgres(folder)
        try:
            standby.copy(primary)
            standby.start()
            there = url.replace(str(primary.folder), str(folder))
            with pytest.raises(RhtmxError, match="is a standby"):
                await PostgresStore(there).open()
            standby.promote()
            store = PostgresStore(there)
            await store.open()
            assert store.epoch != epoch
            assert await versions(store) == [1]
            await store.close()
        finally:
            standby.stop()
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("user=app", "user=nobody_such"), "does not exist"),
        (lambda url: url.replace("/postgres?", "/nowhere?"), 'database "nowhere" does not exist'),
        (lambda url: url.replace("host=/", "host=/nowhere/"), "cannot be used"),
    ],
)
async def test_what_keeps_it_from_opening_is_said(
    postgres: Postgres, change: Callable[[str], str], said: str
) -> None:
    with pytest.raises(RhtmxError, match=said) as caught:
        await PostgresStore(change(postgres.place()), PostgresOptions(timeout=5)).open()
    assert caught.value.code is ErrorCode.STORAGE_FAILED


async def test_a_schema_of_somebody_else_is_left_alone(postgres: Postgres) -> None:
    postgres.sql("CREATE SCHEMA theirs CREATE TABLE meta(x int)")
    with pytest.raises(RhtmxError, match="has tables of another program"):
        await PostgresStore(f"{postgres.url()}&schema=theirs").open()
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'theirs'") == "1\n"


async def test_a_format_of_a_later_version_is_refused(postgres: Postgres) -> None:
    url = postgres.place()
    store = PostgresStore(url)
    await store.open()
    await store.close()
    schema = url.rpartition("=")[2]
    postgres.sql(f"UPDATE {schema}.meta SET value = '99' WHERE key = 'format'")
    with pytest.raises(RhtmxError, match="written by a later version"):
        await PostgresStore(url).open()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres: Postgres, encoding: str
) -> None:
    database = f"in_{encoding.lower()}"
    postgres.sql(f"CREATE DATABASE {database} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(RhtmxError, match=f"is in {encoding}"):
        await PostgresStore(postgres.url(database)).open()
    assert postgres.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'rhtmx'", database) == (
        "0\n"
    )


async def test_a_schema_may_be_called_like_a_word_of_sql(postgres: Postgres) -> None:
    store = PostgresStore(f"{postgres.url()}&schema=user")
    await store.open()
    await put(store, record("1", 1))
    assert await versions(store) == [1]
    await store.close()


async def test_a_dump_that_is_restored_in_its_place_begins_anew(postgres: Postgres) -> None:
    """It lacks what clients have seen since, and the cluster is the same."""
    url = postgres.place()
    schema = url.rpartition("=")[2]
    epochs = []
    for _ in range(2):
        store = PostgresStore(url)
        await store.open()
        epochs.append(store.epoch)
        await store.close()
    assert len(set(epochs)) == 1
    file = postgres.folder / f"{schema}.sql"
    dumped = postgres.dump(schema)
    file.write_text(dumped)
    postgres.sql(f"DROP SCHEMA {schema} CASCADE")
    postgres.restore(file)
    store = PostgresStore(url)
    await store.open()
    assert store.epoch not in epochs
    await store.close()
