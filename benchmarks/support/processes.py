"""Servers as processes: started, pinned, and asked what they cost.

The benchmark itself is the load, on one core; what it measures runs on another.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

ANY_APP = """\
from rhtmx_server import App
app = App(undeclared=True)
app.entity("lean", fields=False)
"""

WITHOUT_LIMITS = ("--messages-per-second", "1000000", "--bytes-per-second", "1000000000")
"""Options for a server whose few clients send as much as they can."""


def be_the_load() -> None:
    """Put this process on the core of the load, and let it open many sockets."""
    os.sched_setaffinity(0, {LOAD_CORE})
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_clock(pid: int) -> Callable[[], float]:
    """Seconds of CPU that a process has used, user and system, all threads, to the nanosecond.

    The clock's id is made as `clock_getcpuclockid(3)` makes it. Each reading is a
    nanosecond later than it says: between two of them a tiny run may have used
    nothing that is seen yet, and rates divide by that.
    """
    clock = (~pid << 3) | 2
    readings = itertools.count()
    return lambda: time.clock_gettime(clock) + next(readings) * 1e-9


class Server:
    """A running server.

    Args:
        process: it.
        address: what it said when it was ready.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address
        self.cpu = cpu_clock(process.pid)

    @property
    def port(self) -> int:
        return int(self.address.partition("//")[2].partition("/")[0].rpartition(":")[2])

    def memory(self) -> int:
        """Bytes that it holds itself (private and dirty), without what it shares."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        lines = dict(line.split(":") for line in rollup.splitlines()[1:])
        return int(lines["Private_Dirty"].split()[0]) * 1024


@contextlib.contextmanager
def serving(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    core: int = SERVER_CORE,
    log: Path | None = None,
    root: Path = ROOT,
) -> Iterator[Server]:
    """Start a server on its own core; it prints `ready ADDRESS`. Killed at the end.

    Args:
        command: starts it.
        folder: where it runs.
        environment: what is added to ours.
        core: its own.
        log: the file for what it writes to standard error; without it that is shown.
        root: where our own code is.

    Raises:
        RuntimeError: it did not start, or ended by itself; with the end of its log.
    """
    path = os.pathsep.join([str(root / "clients" / "python"), str(root)])
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            command,
            cwd=folder or ROOT,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("w")) if log else None,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"{command[0]} did not start: {line!r}{_end_of(log)}")
        yield Server(process, line.split()[1])
        if process.poll() is not None:
            raise RuntimeError(f"{command} ended with {process.returncode}{_end_of(log)}")
    finally:
        process.kill()
        process.communicate()


def _end_of(log: Path | None) -> str:
    return f"\n{log.read_text(errors='replace')[-4000:]}" if log else ""


@contextlib.contextmanager
def rhtmx(
    *options: str,
    app: str = ANY_APP,
    store: str = "sqlite:///bench.db",
    quiet: bool = False,
    root: Path = ROOT,
    core: int = SERVER_CORE,
) -> Iterator[Server]:
    """Our server, as the command starts it, on a new database file.

    Entities are free to choose; `lean` is kept without fields. `quiet` shows its log
    only if it fails; `root` is where its code is, and `core` where it runs.
    """
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as name:
        (Path(name) / "bench_app.py").write_text(app)
        command = [
            *(sys.executable, "-m", "rhtmx_server", "--app", "bench_app:app", "--port", "0"),
            *("--store", store, "--heartbeat", "3600", *options),
        ]
        log = Path(name) / "log" if quiet else None
        with serving(command, folder=Path(name), log=log, root=root, core=core) as server:
            yield server


def peer(
    name: str, *arguments: str, log: Path | None = None
) -> contextlib.AbstractContextManager[Server]:
    """A program from `benchmarks/peers`, in Python or for Node; `log` as for `serving`."""
    program = [sys.executable] if name.endswith(".py") else ["node"]
    return serving([*program, str(PEERS / name), *arguments], log=log)
