"""Facts about `rhtmx.stores.sqlite`: files, locks and full disks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rhtmx import calls
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.ops import Add, Held, KeptRow, PutRecord
from rhtmx.stores.sqlite import VERSION, SqliteStore
from tests.support.process import run


def write(name: str, size: int = 1) -> Add:
    return Add(KeptRow(name, 0, calls.push("tasks", name, "x" * size, None)))


def rows(path: Path) -> list[str]:
    """The writes in a file."""
    store = SqliteStore(path)
    ids = [row.id for row in store.load().rows]
    store.close()
    return ids


def failure(path: Path) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        SqliteStore(path).load()
    assert str(path) in caught.value.message
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replica.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    store.load()
    yield store
    store.close()


def test_a_file_that_is_open_is_refused_to_another_process(store: SqliteStore, path: Path) -> None:
    code = (
        "import sys; from rhtmx.stores.sqlite import SqliteStore\n"
        "try: SqliteStore(sys.argv[1]).load()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    out = run(sys.executable, "-c", code, path)
    assert out.output.startswith("RhtmxError")
    assert "another process has it open: end that one, or name another file" in out.output
    assert str(path) in out.output


def test_it_is_free_again_once_it_is_closed(store: SqliteStore, path: Path) -> None:
    assert "another process" in failure(path).message
    store.close()
    assert rows(path) == []


def test_it_is_written_without_a_write_ahead_log_and_to_the_disk(store: SqliteStore) -> None:
    db = store._connection()
    modes = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert modes == ["truncate", 2]


def test_a_file_of_a_newer_version_is_left_alone(store: SqliteStore, path: Path) -> None:
    store._connection().execute(f"PRAGMA user_version = {VERSION + 1}")
    store.close()
    before = path.read_bytes()
    error = failure(path)
    assert "newer rhtmx" in error.message
    assert "update this program" in error.message
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    assert "a database of something else" in failure(path).message


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    error = failure(path)
    assert (error.code, "no SQLite database" in error.message) == (ErrorCode.STORAGE_FAILED, True)
    assert path.read_text().startswith("Dear diary")


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    assert "does its folder exist" in failure(tmp_path / "nowhere" / "replica.db").message


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(RhtmxError, match="is closed"):
        store.add([write("a")])


def test_a_full_database_refuses_and_keeps_what_there_is(store: SqliteStore, path: Path) -> None:
    store.add([write("a")])
    store._connection().execute("PRAGMA max_page_count = 20")
    with pytest.raises(RhtmxError, match="its disk is full: make room") as caught:
        store.add([write("b")], [PutRecord("tasks", "1", Held(1, b"x" * 200_000))])
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert store.add([write("c")]) == [2]
    store.close()
    assert rows(path) == ["a", "c"]


def test_a_full_disk_refuses_and_keeps_what_there_is(tmp_path: Path) -> None:
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(mounted)]
    if os.geteuid() != 0 or run(*command, code=None).code:
        pytest.skip("needs the right to mount a small disk")
    try:
        store = SqliteStore(mounted / "replica.db")
        store.load()
        kept = 0
        with contextlib.suppress(RhtmxError):
            for kept in range(1000):
                store.add([write(str(kept), 2000)])
        with pytest.raises(RhtmxError, match="its disk is full") as caught:
            store.add([write("one more", 2000)])
        assert caught.value.code is ErrorCode.STORAGE_FULL
        store.close()
        assert rows(mounted / "replica.db") == [str(n) for n in range(kept)]
    finally:
        run("umount", mounted)


def test_a_disk_that_fails_refuses_and_keeps_what_there_is(path: Path) -> None:
    """A file that may not grow is what a failing disk looks like from here."""
    code = """
import resource, signal, sys
from rhtmx.errors import RhtmxError
from tests.unit.rhtmx.stores.test_sqlite import SqliteStore, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[1])
store.load()
store.add([write("a")])
resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))
try:
    store.add([write("b", 200_000)])
except RhtmxError as error:
    print(error.code.name)
print(store.add([write("c")]))
"""
    out = run(sys.executable, "-c", code, path)
    assert out.output.split() == ["STORAGE_FAILED", "[2]"]
    assert rows(path) == ["a", "c"]
