"""The lock on the database belongs to the process, and dies with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.stores.sqlite.file import FileLock

HOLDER = """
import sys
from pathlib import Path
from rhtmx_server.stores.sqlite.file import FileLock

FileLock(Path(sys.argv[1])).acquire()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_killed_server_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        lock = FileLock(path)
        with pytest.raises(RhtmxError, match=rf"another rhtmx server \(process {holder.pid}\)"):
            lock.acquire()
        holder.kill()
    lock.acquire()
    lock.release()
