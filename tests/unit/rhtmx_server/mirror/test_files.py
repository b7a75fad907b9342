"""A file that has been replaced is another state, and opened again by each thread."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rhtmx_server.mirror.files import FileWatch
from rhtmx_server.mirror.host import HostState


class Database:
    """A database in a file, and which threads have opened it again."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.opened: list[int] = []
        self.watch = FileWatch(lambda: self.opened.append(threading.get_ident()))

    def state(self) -> HostState:
        return self.watch.state(lambda: HostState("mark", 0, file=self.file))


def test_a_file_that_stays_is_opened_once(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    file.touch()
    database = Database(str(file))
    before = database.state()
    file.write_text("rows")
    assert not before.anew(database.state())
    assert len(database.opened) == 1


def test_another_file_in_its_place_is_opened_by_each_thread(tmp_path: Path) -> None:
    file, copy = tmp_path / "shop.db", tmp_path / "copy.db"
    file.touch()
    copy.touch()
    database = Database(str(file))
    before = database.state()
    copy.replace(file)
    assert before.anew(database.state())
    other = threading.Thread(target=database.state)
    other.start()
    other.join()
    assert len(database.opened) == 3
    assert len(set(database.opened)) == 2


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "shop.db"))
    with pytest.raises(FileNotFoundError, match=r"shop\.db"):
        database.state()


def test_a_database_in_no_file_is_left_alone() -> None:
    database = Database("")
    assert database.state().mark == "mark"
    assert database.opened == []
