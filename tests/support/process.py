"""Programs as processes of their own: one way to start them, and they show what they said.

Whatever a program printed is in the message of the assertion that looks at its exit code,
and on the standard error of the test, which pytest shows if the test fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tests.support import forked
from tests.support.forked import Forked
from tests.support.nest import end_together
from tests.support.sockets import PATIENCE

ROOT = Path(__file__).parents[2]

OURS = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
"""The path on which Python finds our packages."""

ROOM = 1 << 24
"""Bytes that a program may say before anybody reads them: less would make it wait."""

ANY_APP = """
from rhtmx_server import App
app = App(undeclared=True)
"""


Started: TypeAlias = Process | Forked
"""A program beside the test: of either kind it is used in the same way."""


class Ended(NamedTuple):
    """How a program ended."""

    code: int
    output: str
    errors: str


def run(
    *command: str | Path,
    code: int | None = 0,
    given: bytes = b"",
    folder: Path | None = None,
    environ: Mapping[str, str | None] | None = None,
    patience: float = 2 * PATIENCE,
) -> Ended:
    """Run a program to its end; from a test that is not `async`.

    Args:
        command: the program and its arguments.
        code: how it has to end; any if `None`.
        given: what it can read from standard input.
        folder: where it runs.
        environ: added to ours, without the settings of a server (`RHTMX_…`); `None` takes
            a variable away.
        patience: seconds that it may take.

    Raises:
        AssertionError: it ended otherwise, or not in time: with all that it printed.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environ(environ),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
        preexec_fn=end_together,
    )
    in_time = True
    try:
        output, errors = process.communicate(given, patience)
    except subprocess.TimeoutExpired:
        in_time = False
        _kill(process.pid)
        output, errors = process.communicate()
    except BaseException:
        _kill(process.pid)
        raise
    return _ended(command, process.returncode, output, errors, code, in_time)


async def ran(
    *command: str | Path,
    code: int | None = 0,
    given: bytes = b"",
    folder: Path | None = None,
    environ: Mapping[str, str | None] | None = None,
    patience: float = 2 * PATIENCE,
    at_once: bool = False,
) -> Ended:
    """The same, from an `async` test; `at_once` as for `running`."""
    async with running(
        *command, folder=folder, environ=environ, at_once=at_once, stdin=PIPE
    ) as process:
        ending = asyncio.create_task(process.communicate(given))
        in_time, _ = await asyncio.wait({ending}, timeout=patience)
        if not in_time:
            _kill(process.pid)
        output, errors = await ending
        assert process.returncode is not None
        return _ended(command, process.returncode, output, errors, code, bool(in_time))


@contextlib.asynccontextmanager
async def running(
    *command: str | Path,
    folder: Path | None = None,
    environ: Mapping[str, str | None] | None = None,
    at_once: bool = False,
    **streams: Any,
) -> AsyncIterator[Started]:
    """A program beside the test; killed at the end, with all that it started.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environ: added to ours.
        at_once: whether to start it as a fork of a process that has imported our packages:
            it is a module of ours, or the path of a script, and its arguments.
        streams: as for `asyncio.create_subprocess_exec`; by default there is nothing to
            read for it, and pipes for what it says.
    """
    process = await _started(
        command,
        folder,
        _environ(environ),
        {"stdin": subprocess.DEVNULL, "stdout": PIPE, "stderr": PIPE, **streams},
        at_once,
    )
    try:
        yield process
    finally:
        killed = process.returncode is None
        _kill(process.pid)
        said = await process.communicate()
        how = "was killed" if killed else f"ended with {process.returncode}"
        sys.stderr.write(_told(command, how, *(each or b"" for each in said)))


class ServerProcess:
    """A running server.

    Attributes:
        url: the address that it printed when it was ready.
        grpc: the address of its gRPC door, where one was asked for.
    """

    def __init__(self, process: Started, url: str, grpc: str = "") -> None:
        self.process = process
        self.url = url
        self.grpc = grpc

    @property
    def http(self) -> str:
        return self.url.replace("ws://", "http://").removesuffix("/api/ws")

    async def terminate(self) -> int:
        """Ask it to stop, and wait for it."""
        self.process.terminate()
        return await self.ended()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


def command(
    *arguments: str, folder: Path, at_once: bool = True
) -> contextlib.AbstractAsyncContextManager[Started]:
    """Our command, in a folder that holds `live.py`, whose `app` takes any entity."""
    (folder / "live.py").write_text(ANY_APP)
    return running(*_server(at_once), *arguments, folder=folder, at_once=at_once)


@contextlib.asynccontextmanager
async def serving(
    *arguments: str, folder: Path, port: int = 0, at_once: bool = True
) -> AsyncIterator[ServerProcess]:
    """A server process that is ready; killed at the end if it still runs."""
    async with command(
        "--app", "live:app", "--port", str(port), "--store", "sqlite:///live.db", *arguments,
        folder=folder, at_once=at_once,
    ) as process:  # fmt: skip
        yield ServerProcess(process, await ready(process))


async def ready(process: Started) -> str:
    """The address that a server prints when it is ready."""
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        line = (await process.stdout.readline()).decode()
        if not line.startswith("ready "):
            raise AssertionError(line + (await process.stderr.read()).decode())
    return line.split()[1]


async def refused(*arguments: str, folder: Path, at_once: bool = True) -> tuple[int, str]:
    """Start a server that cannot start: its exit code and what it says."""
    (folder / "live.py").write_text(ANY_APP)
    ended = await ran(*_server(at_once), *arguments, code=None, folder=folder, at_once=at_once)
    return ended.code, ended.errors


def _server(at_once: bool) -> tuple[str, ...]:
    return ("rhtmx_server",) if at_once else (sys.executable, "-W", "error", "-m", "rhtmx_server")


async def _started(
    command: tuple[str | Path, ...],
    folder: Path | None,
    environ: dict[str, str],
    streams: dict[str, Any],
    at_once: bool,
) -> Started:
    if at_once:
        return await forked.start(
            *map(str, command), folder=folder, environ=environ, limit=ROOM, **streams
        )
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environ,
        limit=ROOM,
        start_new_session=True,
        preexec_fn=end_together,
        **streams,
    )


def _environ(more: Mapping[str, str | None] | None) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RHTMX_")}
    every = {**ours, "PYTHONPATH": OURS, **(more or {})}
    return {name: value for name, value in every.items() if value is not None}


def _kill(group: int) -> None:
    """End a program and what it started; it may have ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _ended(
    command: tuple[str | Path, ...],
    code: int,
    output: bytes,
    errors: bytes,
    wanted: int | None,
    in_time: bool,
) -> Ended:
    how = f"ended with {code}" if in_time else "did not end in time"
    if not in_time or wanted not in (None, code):
        raise AssertionError(_told(command, how, output, errors))
    return Ended(code, output.decode(), errors.decode())


def _told(
    command: tuple[str | Path, ...], how: str, output: bytes = b"", errors: bytes = b""
) -> str:
    said = (output + errors).decode(errors="replace")
    return f"$ {shlex.join(map(str, command))[:500]}\n{how}, and said:\n{said or '(nothing)'}\n"
