"""Facts about `rhtmx.stores.sqlite`: files, locks and full disks."""

from __future__ import annotations

import contextlib
import copy
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rhtmx.core import build_message
from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    AddWrite,
    HeldRecord,
    PutRecord,
    PutRejection,
    SetIdentity,
    SetPosition,
    StoredRejection,
    StoredWrite,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position, Push
from rhtmx.stores.sqlite import _STEPS, VERSION, SqliteStore
from rhtmx.wire import Format, decode, encode
from tests.support.lost_files import deleted, moved, replaced_by_a_copy
from tests.support.process import run


def write(name: str, size: int = 1) -> AddWrite:
    return AddWrite(StoredWrite(name, 0, build_message.push("tasks", name, "x" * size, None)))


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
    assert "another client has it open, here or in another process: close it" in out.output
    assert str(path) in out.output


def test_a_file_of_before_the_secrets_keeps_its_client_and_its_queue(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(_STEPS[0])
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO client VALUES ('c', 7)")
        message = '{"type":"push","entity":"tasks","entity_id":"a","action":"update","data":1}'
        db.execute("INSERT INTO queue VALUES ('a', 7, ?, NULL, 0, NULL)", (message.encode(),))
    for secret in (None, "s1"):
        store = SqliteStore(path)
        image = store.load()
        assert (image.client_id, image.last, image.secret) == ("c", 7, secret)
        assert [row.id for row in image.rows] == ["a"]
        store.add([], [SetIdentity("c", "s1")])
        store.close()


def test_a_file_of_before_the_parts_keeps_its_records_and_positions(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for step in _STEPS[:2]:
            db.executescript(step)
        db.execute("PRAGMA user_version = 2")
        db.execute("INSERT INTO client VALUES ('c', 7, 's1')")
        db.execute("INSERT INTO entities VALUES ('tasks', 'e', 9, 'records')")
        db.execute("INSERT INTO records VALUES ('tasks', '1', 4, x'35')")
    place = Position(epoch="e", version=3, scope="s7")
    for parts in ({}, {"{}": (place, Granularity.RECORDS)}):
        store = SqliteStore(path)
        kept = store.load().entities["tasks"]
        assert (kept.position, list(kept.records)) == (Position(epoch="e", version=9), ["1"])
        assert kept.parts == parts
        store.add([], [SetPosition("tasks", place, Granularity.RECORDS, "{}")])
        store.close()


def test_it_is_free_again_once_it_is_closed(store: SqliteStore, path: Path) -> None:
    assert "another process" in failure(path).message
    store.close()
    assert rows(path) == []


def test_it_is_written_without_a_write_ahead_log_and_to_the_disk(store: SqliteStore) -> None:
    db, _ = store._connection()
    modes = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert modes == ["truncate", 2]


def test_a_file_of_a_newer_version_is_left_alone(store: SqliteStore, path: Path) -> None:
    store._connection()[0].execute(f"PRAGMA user_version = {VERSION + 1}")
    store.close()
    before = path.read_bytes()
    error = failure(path)
    assert "newer rhtmx" in error.message
    assert "update this program" in error.message
    assert path.read_bytes() == before


def add_to_message(store: SqliteStore, table: str, more: bytes) -> None:
    """A newer program has written something into the messages of a table."""
    change = f"UPDATE {table} SET message = CAST(replace(message, ?, ?) AS BLOB)"
    store._connection()[0].execute(change, (b'{"type"', b"{" + more + b',"type"'))


@pytest.mark.parametrize("table", ["queue", "refused"])
@pytest.mark.parametrize("more", [b'"if_match":"7"', b'"fields":[]', b'"entity":"a"'])
def test_a_file_with_a_write_of_a_newer_program_is_left_alone(
    store: SqliteStore, path: Path, table: str, more: bytes
) -> None:
    message = build_message.push("tasks", "a", {"n": 1}, 4)
    refused = StoredRejection("b", message, ErrorCode.CONFLICT, "no")
    store.add([AddWrite(StoredWrite("a", 0, message))], [PutRejection(refused)])
    add_to_message(store, table, more)
    store.close()
    before = path.read_bytes()
    error = failure(path)
    assert error.code is ErrorCode.STORAGE_FAILED
    assert "a newer rhtmx has made: update this program" in error.message
    assert path.read_bytes() == before


def test_what_a_newer_program_adds_to_a_field_is_not_lost_either(
    store: SqliteStore, path: Path
) -> None:
    patch = build_message.push_fields(
        "tasks", "a", {"n": 1}, (), None, datetime(2026, 1, 1, tzinfo=UTC)
    )
    store.add([AddWrite(StoredWrite("a", 0, patch))])
    change = "UPDATE queue SET message = CAST(replace(message, ?, ?) AS BLOB)"
    store._connection()[0].execute(change, (b'{"field"', b'{"by":1,"field"'))
    store.close()
    assert "a newer rhtmx has made" in failure(path).message


def test_a_write_that_says_the_same_in_another_spelling_is_read(
    store: SqliteStore, path: Path
) -> None:
    store.add(
        [AddWrite(StoredWrite("a", 0, build_message.push("tasks", "a", {"n": 2**53 + 1}, 4)))]
    )
    text = (
        f'{{ "base_version": 4, "data": {{"n": {2**53 + 1}}}, "entity_id": "a", "entity": "tasks",'
    )
    spelled = (text + '"action": "update", "type": "push" }').encode()
    store._connection()[0].execute("UPDATE queue SET message = ?", (spelled,))
    store.close()
    assert rows(path) == ["a"]


def test_what_betterproto2_does_not_know_is_gone_with_a_copy() -> None:
    """Why a store with such a write is not opened: seen in betterproto2 0.10, `__copy__`."""
    message = Push.parse(bytes(Push(entity="a")) + bytes([0xFA, 0x07, 1, 0x41]))
    assert message._unknown_fields
    copied = copy.copy(message)
    assert copied == message
    assert not copied._unknown_fields


@pytest.mark.parametrize("form", list(Format))
def test_the_wire_reads_nothing_that_a_copy_could_lose(form: Format) -> None:
    said = encode(build_message.push("tasks", "a", 1, None), form)
    more = said[:-1] + b',"newer":1}' if form is Format.JSON else said + bytes([0xFA, 0x07, 1, 65])
    assert not decode(more, form)._unknown_fields


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


_PUSH = '{"type":"push","entity":"tasks","entity_id":"a","action":"update","data":1}'


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM client",
        "INSERT INTO client VALUES ('d', 7, NULL)",
        "DROP TABLE refused",
        "INSERT INTO entities VALUES ('tasks', 'e', 1, 'bogus', NULL)",
        f"INSERT INTO queue VALUES ('a', 1, CAST('{_PUSH}' AS BLOB), NULL, 9e999, NULL, NULL)",
        f"INSERT INTO queue VALUES ('a', 1, CAST('{_PUSH}' AS BLOB), NULL, 0, x'37', NULL)",
    ],
)
def test_a_damaged_file_is_said_and_let_go_of(store: SqliteStore, path: Path, damage: str) -> None:
    store._connection()[0].execute(damage)
    store.close()
    error = failure(path)
    assert error.code is ErrorCode.STORAGE_FAILED
    assert "it is damaged: move it away" in error.message or "check that it is" in error.message
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as db:
        db.execute("BEGIN EXCLUSIVE")  # nobody has it any more


def with_its_folder(path: Path) -> None:
    path.parent.rename(f"{path.parent}-elsewhere")


@pytest.mark.parametrize("lose", [deleted, moved, replaced_by_a_copy, with_its_folder])
def test_nothing_is_stored_in_a_file_that_nobody_will_find(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path = tmp_path / "folder" / "replica.db"
    path.parent.mkdir()
    store = SqliteStore(path)
    store.load()
    store.add([write("a")])
    lose(path)
    for _ in range(2):
        with pytest.raises(RhtmxError, match="deleted, moved or replaced while it was") as caught:
            store.add([write("b")])
        assert caught.value.code is ErrorCode.STORAGE_FAILED
    store.close()


def backup(path: Path) -> Path:
    """A copy of the file as it is now, made by another process."""
    copy = path.with_name("backup.db")
    subprocess.run(["cp", path, copy], check=True)
    return copy


def copy_over(path: Path, content: Path) -> None:
    """Put something else into the file, which stays the same one, as `cp` does."""
    subprocess.run(["cp", content, path], check=True)


def emptied(path: Path) -> None:
    subprocess.run(["truncate", "-s", "0", path], check=True)


def of_another_client(path: Path) -> None:
    other = path.with_name("other.db")
    store = SqliteStore(other)
    store.load()
    store.add([write("b", 9000)])
    store.close()
    copy_over(path, other)


@pytest.mark.parametrize("overwrite", [emptied, of_another_client])
def test_nothing_is_stored_in_a_file_that_was_overwritten(
    store: SqliteStore, path: Path, overwrite: Callable[[Path], None]
) -> None:
    store.add([write("a")])
    overwrite(path)
    found = path.read_bytes()
    for _ in range(2):
        with pytest.raises(RhtmxError, match="was overwritten by another program") as caught:
            store.add([write("c")])
        assert caught.value.code is ErrorCode.STORAGE_FAILED
    store.close()
    assert path.read_bytes() == found


@pytest.mark.parametrize("big", [1, 9_000_000])
def test_nothing_is_stored_over_an_older_copy_of_the_file(
    store: SqliteStore, path: Path, big: int
) -> None:
    store.add([write("a")])
    older = backup(path)
    store.add([write("b")])
    copy_over(path, older)
    with pytest.raises(RhtmxError, match="start this program again"):
        store.add([write("c", big)])  # more than SQLite keeps in memory by itself
    store.close()
    assert path.read_bytes() == older.read_bytes()
    assert rows(path) == ["a"]


def test_a_file_that_was_overwritten_stays_lost_when_its_content_is_back(
    store: SqliteStore, path: Path
) -> None:
    store.add([write("a")])
    same = backup(path)
    emptied(path)
    with pytest.raises(RhtmxError, match="was overwritten"):
        store.add([write("b")])
    copy_over(path, same)
    with pytest.raises(RhtmxError, match="was overwritten"):
        store.add([write("b")])


def test_a_copy_of_what_is_there_by_now_is_no_loss(store: SqliteStore, path: Path) -> None:
    store.add([write("a")])
    copy_over(path, backup(path))
    assert store.add([write("b")]) == [2]
    store.close()
    assert rows(path) == ["a", "b"]


def test_a_commit_that_failed_after_all_was_in_the_file_is_no_loss(store: SqliteStore) -> None:
    db, file = store._connection()
    file.seal(db)  # committed by itself; and then an error comes
    assert file.lost() is None
    assert store.add([write("a")]) == [1]


def test_a_file_of_before_the_seal_gets_one(store: SqliteStore, path: Path) -> None:
    store.add([write("a")])
    store._connection()[0].execute("DROP TABLE seal")
    store.close()
    store.load()
    older = backup(path)
    store.add([write("b")])
    copy_over(path, older)
    with pytest.raises(RhtmxError, match="was overwritten"):
        store.add([write("c")])


_RECORD = "UPDATE records SET data = CAST('{\"title\":' AS BLOB) WHERE id = '2'"
_PART = "INSERT INTO parts VALUES ('tasks', '{\"done\":', 'e', 7, 'fields', NULL)"


@pytest.mark.parametrize("damage", [_RECORD, _PART])
def test_what_is_damaged_of_records_is_read_from_the_server_again(
    store: SqliteStore, path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    where = '{"done":true}'
    place, start = Position(epoch="e", version=7, scope="s"), Position(epoch="e")
    fields = Granularity.FIELDS
    held = {name: HeldRecord(3, b'{"title":"Tea"}') for name in ("1", "2")}
    store.add([], [SetPosition(name, place, fields) for name in ("tasks", "users")])
    store.add([], [SetPosition("tasks", place, fields, where)])
    store.add([], [PutRecord("tasks", name, each) for name, each in held.items()])
    store._connection()[0].execute(damage)
    store.close()
    image = store.load()
    if damage is _RECORD:
        del held["2"]
    assert image.entities["tasks"].records == held
    assert image.entities["tasks"].position == start
    assert image.entities["tasks"].parts == {where: (start, fields)}
    assert image.entities["users"].position == place
    assert [each.message for each in caplog.records] == [
        f"the store '{path}': damaged records of 'tasks' were dropped: all of them are read again"
    ]
    store.close()
    caplog.clear()
    assert (store.load(), caplog.records) == (image, [])


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE queue SET message = CAST('{' AS BLOB)",
        'UPDATE queue SET settled = CAST(\'[7, "e", {"done": "tru"}]\' AS BLOB)',
        "UPDATE refused SET message = CAST('{' AS BLOB)",
        "UPDATE refused SET details = CAST('{' AS BLOB)",
    ],
)
def test_a_damaged_write_is_named(store: SqliteStore, path: Path, damage: str) -> None:
    lost = StoredRejection("w7", write("a").row.message, ErrorCode.FORBIDDEN, "no")
    store.add([write("w7")], [PutRejection(lost)])
    store._connection()[0].execute(damage)
    store.close()
    error = failure(path)
    assert "the write 'w7' is damaged: delete its row from the table" in error.message
    table = damage.split()[1]
    assert f"'{table}', or move the file away, and a new one is made" in error.message
    with sqlite3.connect(path) as db:
        db.execute(f"DELETE FROM {table} WHERE id = 'w7'")
    db.close()
    store.load()


def test_a_file_that_was_put_back_goes_on(store: SqliteStore, path: Path) -> None:
    moved(path)
    with pytest.raises(RhtmxError, match="put it back"):
        store.add([write("a")])
    path.with_name("moved.db").rename(path)
    assert store.add([write("b")]) == [1]
    store.close()
    assert rows(path) == ["b"]


def test_a_link_that_leads_elsewhere_by_now_is_a_file_that_is_gone(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    current = tmp_path / "current"
    current.symlink_to("v1")
    store = SqliteStore(current / "replica.db")
    store.load()
    current.unlink()
    current.symlink_to("v2")
    with pytest.raises(RhtmxError, match="put it back"):
        store.add([write("a")])
    store.close()


def test_a_program_may_go_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("replica.db")
    store.load()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert store.add([write("a")]) == [1]
    store.close()


def test_a_database_in_memory_has_no_file_to_lose() -> None:
    store = SqliteStore(":memory:")
    store.load()
    assert store.add([write("a")]) == [1]
    store.close()


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    assert "does its folder exist" in failure(tmp_path / "nowhere" / "replica.db").message


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(RhtmxError, match="is closed"):
        store.add([write("a")])


def test_a_full_database_refuses_and_keeps_what_there_is(store: SqliteStore, path: Path) -> None:
    store.add([write("a")])
    store._connection()[0].execute("PRAGMA max_page_count = 20")
    with pytest.raises(RhtmxError, match="its disk is full: make room") as caught:
        store.add([write("b")], [PutRecord("tasks", "1", HeldRecord(1, b"x" * 200_000))])
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
