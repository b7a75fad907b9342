from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.sqlite.file import (
    FileOptions,
    check_path,
    connect,
    opening,
    prepare_reader,
    prepare_writer,
)


def missing_folder(folder: Path) -> Path:
    return folder / "nowhere" / "app.db"


def a_folder(folder: Path) -> Path:
    (folder / "app.db").mkdir()
    return folder / "app.db"


def read_only(folder: Path) -> Path:
    (folder / "app.db").touch(0o444)
    return folder / "app.db"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing_folder, "create it first"),
        (a_folder, "it is a folder"),
        (read_only, "it is read-only"),
    ],
)
def test_a_path_that_cannot_hold_a_database_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(RhtmxError) as refusal:
        check_path(path)
    assert refusal.value.code is ErrorCode.STORAGE_FAILED
    assert words in refusal.value.message
    assert str(path) in refusal.value.message


def test_a_folder_that_is_read_only_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(RhtmxError, match=r"the folder .* is read-only"):
        check_path(tmp_path / "app.db")


def test_a_new_file_and_an_empty_one_are_fine(tmp_path: Path) -> None:
    check_path(tmp_path / "app.db")
    (tmp_path / "app.db").touch()
    check_path(tmp_path / "app.db")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.NotADBError(), "it is not a SQLite database"),
        (apsw.CorruptError(), "it is damaged"),
        (apsw.BusyError(), "another program keeps it locked"),
        (apsw.FullError(), "the disk is full"),
        (apsw.CantOpenError(), "CantOpenError"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_what_goes_wrong_at_opening_is_put_into_words(error: Exception, words: str) -> None:
    with (
        pytest.raises(RhtmxError, match=rf"cannot open app.db: .*{words}") as raised,
        opening(Path("app.db")),
    ):
        raise error
    assert raised.value.code is ErrorCode.STORAGE_FAILED


def test_the_writer_logs_ahead_and_syncs_every_commit(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    writer = connect(path, FileOptions())
    prepare_writer(writer, path, FileOptions())
    assert writer.pragma("journal_mode") == "wal"
    assert writer.pragma("synchronous") == 2
    writer.close()


def test_a_file_system_without_shared_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    options = FileOptions(vfs="unix-dotfile")
    writer = connect(path, options)
    with pytest.raises(RhtmxError, match=r"no shared memory.*use a local disk"):
        prepare_writer(writer, path, options)
    writer.close()


def test_the_reader_cannot_write(tmp_path: Path) -> None:
    reader = connect(tmp_path / "app.db", FileOptions())
    prepare_reader(reader)
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("CREATE TABLE t(a)")
    reader.close()
