"""The lock on a database, and the look whether it is still there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.sqlite import lock as locks
from rhtmx_server.stores.sqlite.lock import LOOK_EVERY, FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def held(path: Path) -> Iterator[FileLock]:
    """The lock on a database with its log, as it is while a server runs."""
    lock = FileLock(path)
    lock.acquire()
    for name in ("app.db-wal", "app.db-shm"):
        path.with_name(name).touch()
    lock.settle()
    yield lock
    lock.release()


def refusal(use: Callable[[], None]) -> str:
    with pytest.raises(RhtmxError) as refused:
        use()
    assert refused.value.code is ErrorCode.STORAGE_FAILED
    return refused.value.message


def test_a_second_lock_is_refused_and_tells_who_has_the_first(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    first.acquire()
    assert refusal(second.acquire) == (
        f"{path} is in use by another rhtmx server (process {os.getpid()}): "
        "stop that one, or give this one a file of its own. Several processes on one store "
        "(workers) need PostgreSQL and a bus: App(store='postgresql://…', bus='notify:')"
    )
    first.release()
    second.acquire()
    second.release()


@pytest.mark.parametrize("lock", [locks.whole, locks.by_byte])
def test_a_second_lock_in_this_process_does_not_even_open_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, lock: Callable[[int], None]
) -> None:
    first = FileLock(path, lock)
    first.acquire()
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *arguments: pytest.fail("it was opened"))
        assert "in use" in refusal(FileLock(path, lock).acquire)
    first.release()


def test_a_hard_link_is_the_same_database(held: FileLock, path: Path) -> None:
    link = path.with_name("link.db")
    link.hardlink_to(path)
    assert "in use by another rhtmx server" in refusal(FileLock(link).acquire)


def test_a_database_that_was_renamed_is_locked_under_its_new_name(
    held: FileLock, path: Path
) -> None:
    renamed = path.rename(path.with_name("renamed.db"))
    assert "in use by another rhtmx server" in refusal(FileLock(renamed).acquire)


@pytest.mark.parametrize("gone", [["app.db"], ["app.db", "app.db-shm"], ["app.db", "app.db-wal"]])
def test_a_new_database_beside_a_log_in_use_is_refused(
    held: FileLock, path: Path, gone: list[str]
) -> None:
    for name in gone:
        path.with_name(name).unlink()
    words = refusal(FileLock(path).acquire)
    assert words == (
        f"{path} was deleted or replaced while another rhtmx server (process {os.getpid()}) "
        "was using it, and that one still runs: stop it first"
    )


def test_a_refused_lock_holds_nothing_back(held: FileLock, path: Path) -> None:
    path.unlink()
    refusal(FileLock(path).acquire)
    for name in ("app.db-wal", "app.db-shm"):
        path.with_name(name).unlink()
    second = FileLock(path)
    second.acquire()
    second.release()


def test_the_log_of_a_server_that_died_is_no_hindrance(path: Path) -> None:
    for name in ("app.db", "app.db-wal", "app.db-shm"):
        path.with_name(name).touch()
    lock = FileLock(path)
    lock.acquire()
    lock.settle()
    lock.check()
    lock.release()


def test_a_lock_may_be_released_twice(path: Path) -> None:
    lock = FileLock(path)
    lock.acquire()
    lock.release()
    lock.release()


def test_a_file_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "nowhere" / "app.db")
    assert refusal(lock.acquire).endswith("nowhere/app.db: No such file or directory")


def deleted(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def linked(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("name", ["app.db", "app.db-wal", "app.db-shm"])
@pytest.mark.parametrize("lose", [deleted, moved, replaced, linked])
def test_a_file_that_is_not_where_it_was_is_noticed_for_good_and_told_once(
    held: FileLock,
    path: Path,
    name: str,
    lose: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    held.check()
    assert caplog.text == ""
    place = path.with_name(name)
    kept = path.with_name("kept")
    kept.hardlink_to(place)
    lose(place)
    words = refusal(held.check)
    assert "put back" in words
    assert str(path) not in words, "clients need not know where it lies"
    kept.replace(place)
    assert refusal(held.check) == words
    assert [str(place) in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("lose", [deleted, replaced])
def test_a_database_without_a_name_is_noticed_at_once(
    held: FileLock, path: Path, lose: Callable[[Path], None]
) -> None:
    held.check(5.0)
    held.check(5.0)
    lose(path)
    assert "put back" in refusal(lambda: held.check(5.0))


@pytest.mark.parametrize("name", ["app.db", "app.db-wal", "app.db-shm"])
def test_where_the_files_are_is_looked_at_every_now_and_then(
    held: FileLock, path: Path, name: str
) -> None:
    held.check(5.0)
    moved(path.with_name(name))
    held.check(5.0 + 0.9 * LOOK_EVERY)
    assert "put back" in refusal(lambda: held.check(5.0 + LOOK_EVERY))


@pytest.mark.parametrize("lose", [deleted, replaced])
def test_a_database_that_goes_while_it_is_opened_is_refused(
    path: Path, lose: Callable[[Path], None]
) -> None:
    lock = FileLock(path)
    lock.acquire()
    lose(path)
    assert "replaced at this moment" in refusal(lock.settle)
    lock.release()
