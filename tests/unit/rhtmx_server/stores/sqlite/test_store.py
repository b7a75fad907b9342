"""What is special to the SQLite store; tests/contract has what all stores do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import apsw
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import Head, Outcome, PartRow
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite import SqliteMover, queries, schema
from rhtmx_server.stores.sqlite import versions as versions_of_records
from rhtmx_server.stores.sqlite.placement import SLOW, Placement
from tests.contract.builders import always, put, record, versions, writing
from tests.contract.parts import BLUE, GREEN, RED, TEAMS, keys_of, of, told, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(path)
    await made.open()
    yield made
    await made.close()


async def refusal(store: SqliteStore) -> str:
    with pytest.raises(RhtmxError) as refused:
        await store.open()
    assert refused.value.code is ErrorCode.STORAGE_FAILED
    return refused.value.message


async def test_a_second_store_on_the_file_is_refused_by_whatever_name(
    store: SqliteStore, path: Path
) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    for name in (path, link):
        assert f"{path} is in use by another rhtmx server" in await refusal(SqliteStore(name))
    await store.close()
    second = SqliteStore(link)
    await second.open()
    await second.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"# a text file\n" * 1000)


def a_short_text(path: Path) -> None:
    path.write_bytes(b"hello")


def database_of_another_program(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs(a)")
    other.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_database, "not a SQLite database"),
        (a_short_text, "not a SQLite database"),
        (database_of_another_program, "the database of another program"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_left_alone(
    path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(path)
    before = path.read_bytes()
    assert words in asyncio.run(refusal(SqliteStore(path)))
    assert path.read_bytes() == before


async def test_a_file_that_another_program_is_writing_to_is_refused(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN EXCLUSIVE")
    assert "another program keeps it locked" in await refusal(SqliteStore(path))
    other.close()


async def test_a_refused_file_can_be_opened_when_it_is_put_right(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs(a)")
    store = SqliteStore(path)
    await refusal(store)
    other.execute("DROP TABLE theirs")
    other.close()
    await store.open()
    await store.close()


async def test_what_fails_once_the_file_is_open_is_made_again_by_the_next_attempt(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filling = SqliteStore(path, filling=True)
    await filling.open()
    await SqliteMover(filling).note("half")
    await filling.close()
    store = SqliteStore(path)

    def fail(cursor: apsw.Cursor) -> bool:
        raise apsw.IOError

    with monkeypatch.context() as once:
        once.setattr(versions_of_records, "is_marked", fail)
        with pytest.raises(RhtmxError, match="disk failed"):
            await store.open()
    with pytest.raises(RhtmxError, match="half of a copy"):
        await store.open()


async def test_opening_twice_changes_nothing(store: SqliteStore) -> None:
    epoch = store.epoch
    await store.open()
    assert store.epoch == epoch


async def test_a_write_lock_of_another_program_refuses_the_commit_and_no_more(
    store: SqliteStore, path: Path
) -> None:
    await put(store, record("1", 1))
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RhtmxError, match="locked") as refused:
        await put(store, record("2", 2))
    assert refused.value.code is ErrorCode.STORAGE_FAILED
    assert await versions(store) == [1]
    other.close()
    await put(store, record("2", 2))
    assert await versions(store) == [1, 2]


async def test_a_file_at_its_limit_refuses_writes_until_there_is_room(path: Path) -> None:
    store = SqliteStore(path, FileOptions(max_pages=60))
    await store.open()
    versions_put = count(1)

    async def put_next() -> None:
        await put(store, record("1", next(versions_put), b'"' + b"x" * 20_000 + b'"'))

    async def fill() -> None:
        while True:
            await put_next()

    with pytest.raises(RhtmxError) as refused:
        await fill()
    assert refused.value.code is ErrorCode.STORAGE_FULL
    (last,) = await versions(store)
    assert await store.heads() == {"tasks": Head(last)}
    await store.collect(history_before=10**18, tombstones_before=0)
    await put_next()
    assert await versions(store) == [last + 2]
    await store.close()


async def test_a_closed_store_says_so(store: SqliteStore) -> None:
    await store.close()
    for use in (store.heads, lambda: put(store, record("1", 1)), lambda: store.history("tasks")):
        with pytest.raises(RhtmxError, match="closed"):
            await use()
    with pytest.raises(RhtmxError, match="closed"):
        _ = store.epoch


async def test_a_renewed_epoch_stays(path: Path) -> None:
    numbers = count()
    for expected in (0, 1):
        store = SqliteStore(path, new_epoch=lambda: f"epoch-{next(numbers)}")
        await store.open()
        assert store.epoch == f"epoch-{expected}"
        if expected == 0:
            assert await store.renew_epoch() == "epoch-1"
            assert store.epoch == "epoch-1"
        await store.close()


async def test_commits_move_to_the_worker_when_the_clock_says_that_they_are_slow(
    path: Path,
) -> None:
    times = count(step=SLOW * 20)
    store = SqliteStore(path, clock=lambda: next(times))
    await store.open()
    for version in range(1, 5):
        await put(store, record("1", version))
    assert store.placement.in_worker
    assert await versions(store) == [4]
    await store.close()


async def test_a_head_is_never_older_than_what_was_read_before_it(path: Path) -> None:
    times = count(step=SLOW * 20)  # or a quick commit ends the worker's turn
    store = SqliteStore(path, placement=Placement(worker_runs=9), clock=lambda: next(times))
    await store.open()
    await put(store, record("1", 1))
    assert await store.head("tasks") == Head(1, 0)
    with contextlib.closing(apsw.Connection(str(path))) as beside:
        writing = asyncio.create_task(put(store, record("1", 2)))
        await asyncio.sleep(0)  # it begins, and hands COMMIT to the worker
        while beside.execute("SELECT version FROM entities").get == 1:
            pass  # the loop stands still: it cannot hear that COMMIT has ended
        assert await versions(store) == [2]
        assert not writing.done()
        assert await store.head("tasks") == Head(2, 0)
    await writing
    await store.close()


async def test_a_kept_head_is_not_changed_by_who_got_it(store: SqliteStore) -> None:
    await put(store, record("1", 1))
    (await store.head("tasks")).version = 7
    assert await store.head("tasks") == Head(1, 0)


async def test_a_cancelled_history_read_leaves_the_store_in_order(store: SqliteStore) -> None:
    await put(store, record("1", 1))
    reading = asyncio.ensure_future(store.history("tasks"))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(await store.history("tasks")) == 1


async def test_a_page_is_kept_until_something_is_written(store: SqliteStore) -> None:
    await put(store, record("1", 1))
    await store.since("tasks", 0, 10, 10)
    page = await store.since("tasks", 0, 10, 10)
    assert await store.since("tasks", 0, 10, 10) is page
    await put(store, record("2", 2))
    assert await store.since("tasks", 0, 10, 10) is not page


async def test_a_page_of_parts_is_of_one_moment(path: Path, store: SqliteStore) -> None:
    await write(store, record("1", 1, of("red")))
    reader = store._use().reader
    writer = store._use().writer

    def moves_meanwhile(_: apsw.Cursor, statement: str, bindings: object) -> bool:
        if "json_each" in statement:  # the rows of the part were read, the records were not
            reader.exec_trace = None
            moved = writing(record("1", 2, of("blue", secret=True)))
            moved.parts = [
                PartRow("tasks", RED, "1", 2, 0, left=True),
                PartRow("tasks", BLUE, "1", 2, 0),
            ]
            queries.write(writer.cursor(), moved)
        return True

    reader.exec_trace = moves_meanwhile
    assert await store.since_in("tasks", [RED], 0, 9, 9) == [record("1", 1, of("red"))]
    assert await told(store, RED) == [("left", "1", 2)]


async def test_a_part_that_was_forgotten_is_made_anew(store: SqliteStore) -> None:
    await write(store, record("1", 1, of("red")))
    await write(store, record("1", 2, of("blue")))
    await store.collect(history_before=0, tombstones_before=2**60)
    await write(store, record("2", 3, of("red")))
    await write(store, record("3", 4, of("green")))
    assert await told(store, RED) == [("is", "2", 3)]
    assert await told(store, BLUE) == [("is", "1", 2)]
    assert await told(store, GREEN) == [("is", "3", 4)]


async def test_a_part_that_came_with_a_failed_write_is_not_taken_for_another_one(
    store: SqliteStore,
) -> None:
    failing = writing(record("1", 1, of("red")), outcomes=[Outcome("nobody", 1, b"", b"")])
    failing.parts = [PartRow("tasks", RED, "1", 1, 0)]
    with pytest.raises(RhtmxError):
        await store.commit(BatchNeeds(), always(failing))
    await write(store, record("1", 1, of("blue")))
    await write(store, record("2", 2, of("red")))
    assert await told(store, RED) == [("is", "2", 2)]
    assert await told(store, BLUE) == [("is", "1", 1)]


async def test_a_file_of_before_the_parts_is_divided_when_it_is_opened(path: Path) -> None:
    with contextlib.closing(apsw.Connection(str(path))) as old:
        for step in schema._STEPS[:2]:
            old.execute(step)
        old.pragma("application_id", schema.APPLICATION_ID)
        old.pragma("user_version", 2)
        old.execute("INSERT INTO meta VALUES ('epoch', 'e')")
        old.execute("INSERT INTO entities VALUES ('tasks', 3, 0)")
        old.executemany(
            "INSERT INTO records VALUES (?, 'tasks', ?, ?, ?, ?, 'client-1', ?, NULL)",
            [
                (1, "1", 1, 2, of("red"), 1_000_000),
                (2, "2", 2, 2, of("blue"), 2_000_000),
                (3, "3", 3, 3, None, 3_000_000),
            ],
        )
    store = SqliteStore(path)
    await store.open()
    assert store.epoch == "e"
    assert await versions(store) == [1, 2, 3]
    await store.divide("tasks", TEAMS.spelt, keys_of(TEAMS))
    await write(store, record("1", 4, of("blue")), record("4", 5, of("red")))
    await store.close()
    await store.open()
    assert await told(store, RED) == [("left", "1", 4), ("is", "4", 5)]
    assert await told(store, BLUE) == [("is", "2", 2), ("is", "1", 4)]
    assert await store.record("tasks", "2") == record("2", 2, of("blue"))
    await store.close()
    with contextlib.closing(apsw.Connection(str(path))) as now:
        assert now.pragma("user_version") == schema.FORMAT
        assert now.pragma("integrity_check") == "ok"


async def test_a_closed_store_gives_out_no_page_that_it_had(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await put(store, record("1", 1))
    for _ in range(2):
        await store.since("tasks", 0, 10, 10)
    await store.close()
    with pytest.raises(RhtmxError):
        await store.since("tasks", 0, 10, 10)
