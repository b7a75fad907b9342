from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.stores.sqlite.connections import open_all
from rhtmx_server.stores.sqlite.file import DEFAULTS
from rhtmx_server.stores.sqlite.lock import FileLock

SHARED = """
import fcntl, os, sys

descriptor = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 2**30 + 2)
except BlockingIOError:
    print("held")
"""
"""Tries for the bytes that SQLite locks shared while it reads (file format, "locking")."""


def no_epoch() -> str:
    raise ValueError("no randomness")


def test_what_was_opened_is_closed_and_the_file_given_back(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    opened = open_all(path, DEFAULTS, lambda: "e")
    assert opened.epoch == "e"
    opened.close()
    lock = FileLock(path)
    lock.acquire()
    lock.release()
    with pytest.raises(apsw.ConnectionClosedError):
        opened.writer.execute("SELECT 1")
    with pytest.raises(RuntimeError):
        opened.committer.submit(int)


def test_a_failure_on_the_way_closes_what_was_opened_before(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with pytest.raises(ValueError, match="no randomness"):
        open_all(path, DEFAULTS, no_epoch)
    open_all(path, DEFAULTS, lambda: "e").close()


def test_closing_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    open_all(path, DEFAULTS, lambda: "e").close()
    assert {one.name for one in tmp_path.iterdir()} == {"app.db"}


def test_a_second_opening_that_is_refused_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    opened = open_all(path, DEFAULTS, lambda: "e")
    with pytest.raises(RhtmxError, match="in use"):
        open_all(path, DEFAULTS, lambda: "e")
    # SQLite holds a POSIX lock on the file while it is open: another process sees it there.
    look = subprocess.run(
        [sys.executable, "-c", SHARED, str(path)], capture_output=True, text=True, check=True
    )
    assert look.stdout == "held\n"
    opened.close()


def test_every_name_of_a_file_is_the_same_file(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "app.db")
    opened = open_all(link, DEFAULTS, lambda: "e")
    assert opened.path == tmp_path / "app.db"
    with pytest.raises(RhtmxError, match="in use"):
        open_all(tmp_path / "app.db", DEFAULTS, lambda: "e")
    opened.close()
