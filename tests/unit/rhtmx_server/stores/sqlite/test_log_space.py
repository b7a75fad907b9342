from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from rhtmx_server.stores.sqlite import SqliteStore
from rhtmx_server.stores.sqlite.file import FileOptions
from rhtmx_server.stores.sqlite.log_space import FIRST, STEP, LogSpace, most_bytes
from tests.contract.builders import put, record

KIB = 1024


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "app.db-wal", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def size(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def test_a_log_is_made_twice_as_long_each_time_it_has_grown_beyond_that(log: int) -> None:
    space = LogSpace(log, 2000 * KIB)
    os.write(log, b"x" * 10 * KIB)
    sizes = []
    for _ in range(5):
        if space.is_outgrown():
            space.extend()
        sizes.append(size(log))
        assert not space.is_outgrown()
        os.pwrite(log, b"x" * KIB, size(log))
    assert sizes == [FIRST, 1026 * KIB, 2000 * KIB, 2001 * KIB, 2002 * KIB]


def test_a_long_log_grows_by_steps(log: int) -> None:
    os.ftruncate(log, 2 * STEP)
    LogSpace(log, 10 * STEP).extend()
    assert size(log) == 3 * STEP


def test_what_is_in_the_log_stays_and_zeros_follow(log: int) -> None:
    os.write(log, b"frames")
    LogSpace(log, 2 * FIRST).extend()
    assert os.pread(log, FIRST, 0) == b"frames".ljust(FIRST, b"\0")


def test_zeros_are_written_and_not_left_out(log: int) -> None:
    os.write(log, b"x")
    LogSpace(log, 2 * FIRST).extend()
    assert os.fstat(log).st_blocks * 512 >= FIRST  # a hole would have no blocks


def test_a_log_that_is_left_alone_never_grows() -> None:
    space = LogSpace(None, 2 * FIRST)
    assert not space.is_outgrown()
    space.extend()


def test_a_full_disk_gives_back_what_was_taken_and_is_not_asked_again(
    log: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    left = [100 * KIB]

    def pwrite(descriptor: int, data: bytes, at: int) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[: left.pop()], at)

    os.write(log, b"frames")
    space = LogSpace(log, 2 * FIRST)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", pwrite)
        space.extend()
    assert os.pread(log, FIRST, 0) == b"frames"
    assert not space.is_outgrown()


def test_a_log_that_begins_anew_after_so_many_pages_has_room_for_more_than_these() -> None:
    assert most_bytes(4000) > 4000 * (4096 + 24)


async def test_commits_leave_the_length_of_the_log_as_it_is(tmp_path: Path) -> None:
    store, log = SqliteStore(tmp_path / "app.db"), tmp_path / "app.db-wal"
    await store.open()
    try:
        lengths = set()
        for version in range(1, 11):
            await put(store, record("1", version))
            lengths.add(log.stat().st_size)
        assert lengths == {FIRST}
    finally:
        await store.close()


@pytest.mark.parametrize("options", [FileOptions(synchronous="NORMAL"), FileOptions(vfs="unix")])
async def test_a_log_for_which_nothing_waits_or_of_another_file_system_is_left_alone(
    tmp_path: Path, options: FileOptions
) -> None:
    store = SqliteStore(tmp_path / "app.db", options)
    await store.open()
    try:
        await put(store, record("1", 1))
        assert 0 < (tmp_path / "app.db-wal").stat().st_size < FIRST
    finally:
        await store.close()


async def test_what_a_killed_server_leaves_is_read_by_sqlite_zeros_and_all(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    try:
        await put(store, record("1", 1))
        for name in ("app.db", "app.db-wal"):
            (tmp_path / f"copy-{name}").write_bytes((tmp_path / name).read_bytes())
    finally:
        await store.close()
    copy = apsw.Connection(str(tmp_path / "copy-app.db"))
    assert copy.execute("SELECT version FROM records").get == 1
    assert copy.pragma("integrity_check") == "ok"
    copy.close()
