"""NATS servers of one's own: the real program, from the test wheel."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.nest import end_together

__all__ = ["PROGRAM", "NatsServer", "running"]

PROGRAM = Path(sys.executable).with_name("nats-server")

_LISTENS = "Listening for client connections on "
_ROUTES = "Listening for route connections on "
_READY = "Server is ready"


class NatsServer:
    """One server.

    Args:
        folder: an empty one.
        settings: the lines of its configuration.

    Attributes:
        settings: as given; changed ones hold from the next `start` on.
        port: where it listens; the same after each `start`.
        routes: where other servers of its cluster reach it, if it has any.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        self._folder = folder
        self.settings = settings
        self.port = -1  # a free one
        self.routes = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def host(self) -> str:
        """Where it listens, as in a URL."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The URL of a bus there."""
        return f"nats://{self.host}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        config = self._folder / "nats.conf"
        config.write_text("\n".join((f'listen: "{self.host}"', *self.settings)))
        self._process = subprocess.Popen(
            [PROGRAM, "-c", config],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for who has started it
            preexec_fn=end_together,
        )
        assert self._process.stderr is not None
        wanted = {_LISTENS, _READY} | ({_ROUTES} if "cluster" in config.read_text() else set())
        said = []
        for line in self._process.stderr:
            said.append(line)
            if _LISTENS in line:
                self.port = int(line.rpartition(":")[2])
            if _ROUTES in line:
                self.routes = f"nats://{line.partition(_ROUTES)[2].strip()}"
            wanted -= {each for each in wanted if each in line}
            if not wanted:
                return
        raise AssertionError("".join(said))

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Stop it where it is: its connections stay, and nothing comes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running(folder: Path, *settings: str) -> Iterator[NatsServer]:
    """A server that is running."""
    server = NatsServer(folder, *settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()
