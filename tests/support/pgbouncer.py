"""A PgBouncer of one's own before a PostgreSQL, in transaction mode."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from tests.support.nest import end_together
from tests.support.postgres import Postgres, given_away
from tests.support.programs import pgbouncer

__all__ = ["PgBouncer", "running"]

_UP = "process up"

_SETTINGS = """
[databases]
postgres = host={database} user=app dbname=postgres

[pgbouncer]
pool_mode = transaction
; Each transaction gets another connection than the one before, as far as there are any: what relies
; on a session fails at once, and not only under load.
server_round_robin = 1
min_pool_size = 3
default_pool_size = 10
max_client_conn = 500
auth_type = any
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
; Nobody reads any more what it says once it is up.
log_connections = 0
log_disconnections = 0
log_pooler_errors = 0
log_stats = 0
"""


class PgBouncer:
    """One pooler, in a folder of its own, reached by a socket there.

    Args:
        folder: an empty one; short, as the path of a socket has to be.
        database: the server behind it.
        settings: beside those that it has anyhow.
    """

    port = 6432

    def __init__(
        self, folder: Path, database: Postgres, settings: Mapping[str, object] | None = None
    ) -> None:
        self._folder = folder
        self._settings = settings or {}
        self._database = database
        self._process: subprocess.Popen[str] | None = None
        self._names = count()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        config = self._folder / "pgbouncer.ini"
        text = _SETTINGS.format(database=self._database.folder, folder=self._folder, port=self.port)
        config.write_text(text + "\n".join(f"{k} = {v}" for k, v in self._settings.items()))
        self._process = subprocess.Popen(
            [pgbouncer(), config],
            stderr=subprocess.PIPE,
            text=True,
            user=given_away(self._folder),
            preexec_fn=end_together,
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if _UP in line:
                return
        raise AssertionError("".join(said))

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def place(self) -> str:
        """The URL of a schema that nobody has used, reached by it."""
        where = f"host={self._folder}&port={self.port}&user=app"
        return f"postgresql:///postgres?{where}&pooler=true&schema=pooled{next(self._names)}"


@contextlib.contextmanager
def running(
    database: Postgres,
    settings: Mapping[str, object] | None = None,
    files: Mapping[str, Path] | None = None,
) -> Iterator[PgBouncer]:
    """One that is running; skips the test where there is no PgBouncer.

    Args:
        database: the server behind it.
        settings: beside those that it has anyhow.
        files: settings that name a file, of which it gets a copy that only it can read.
    """
    pgbouncer()
    folder = Path(tempfile.mkdtemp(prefix="pgb"))
    copies = {name: _private(file, folder) for name, file in (files or {}).items()}
    pooler = PgBouncer(folder, database, {**(settings or {}), **copies})
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(folder)


def _private(file: Path, folder: Path) -> Path:
    copy = folder / file.name
    shutil.copyfile(file, copy)
    copy.chmod(0o600)
    given_away(copy)
    return copy
