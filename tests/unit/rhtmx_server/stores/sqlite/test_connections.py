from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.stores.sqlite.connections import open_all
from rhtmx_server.stores.sqlite.file import DEFAULTS, FileLock


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


def test_closing_leaves_the_log_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    open_all(path, DEFAULTS, lambda: "e").close()
    assert {one.name for one in tmp_path.iterdir()} == {"app.db", "app.db-lock"}


def test_every_name_of_a_file_is_the_same_file(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "app.db")
    opened = open_all(link, DEFAULTS, lambda: "e")
    assert opened.path == tmp_path / "app.db"
    with pytest.raises(RhtmxError, match="in use"):
        open_all(tmp_path / "app.db", DEFAULTS, lambda: "e")
    opened.close()
