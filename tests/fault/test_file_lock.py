"""The lock on the database belongs to the process, and dies with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.stores.sqlite.lock import FileLock, by_byte, whole

HOLDER = """
import asyncio
import sys
from rhtmx_server.stores import SqliteStore

store = SqliteStore(sys.argv[1])
asyncio.run(store.open())
print("open", flush=True)
sys.stdin.read()
"""

LOCKER = """
import sys
from pathlib import Path
from rhtmx_server.stores.sqlite import lock

lock.FileLock(Path(sys.argv[1]), getattr(lock, sys.argv[2])).acquire()
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the database; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield holder
        holder.kill()


def test_a_killed_server_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with held(HOLDER, str(path)) as holder:
        lock = FileLock(path)
        with pytest.raises(RhtmxError, match=rf"another rhtmx server \(process {holder.pid}\)"):
            lock.acquire()
    lock.acquire()
    lock.release()


@pytest.mark.parametrize("lock", [whole, by_byte])
def test_another_process_is_kept_away_either_way(
    tmp_path: Path, lock: Callable[[int], None]
) -> None:
    path = tmp_path / "app.db"
    with held(LOCKER, str(path), lock.__name__):
        with pytest.raises(RhtmxError, match="in use by another rhtmx server"):
            FileLock(path, lock).acquire()
        link = path.with_name("link.db")
        link.hardlink_to(path)
        with pytest.raises(RhtmxError, match="in use by another rhtmx server"):
            FileLock(link, lock).acquire()


def test_a_new_database_is_not_put_beside_the_log_of_a_server_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with held(HOLDER, str(path)) as holder:
        path.unlink()
        words = rf"while another rhtmx server \(process {holder.pid}\) was using it"
        with pytest.raises(RhtmxError, match=words):
            FileLock(path).acquire()
