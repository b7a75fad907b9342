"""Processes of our own programs that start at once: see `nest.py`, which makes them.

Knows how a process is asked for, and is then as `asyncio.subprocess.Process`. Must not know what
is started.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.support.nest import HEAD, STATUS, Request, end_together

__all__ = ["Forked", "start"]

ROOT = Path(__file__).parents[2]


class Forked:
    """A process that was forked.

    Attributes:
        pid: its id, and that of its group.
        returncode: how it ended; `None` while it runs.
        stdin: what it reads, if that is a pipe.
        stdout: what it writes, if that is a pipe.
        stderr: likewise.
    """

    def __init__(self, pid: int, told: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._told = told
        self._ended = asyncio.create_task(self._end())

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Send it a signal.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it (SIGKILL)."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)

    async def communicate(self, given: bytes | None = None) -> tuple[bytes, bytes]:
        """Hand it what it reads, take all that it writes, and wait for its end."""
        _, out, err, _ = await asyncio.gather(
            self._give(given), _all(self.stdout), _all(self.stderr), self.wait()
        )
        return out, err

    async def _give(self, given: bytes | None) -> None:
        if self.stdin is None:
            return
        with contextlib.suppress(ConnectionError):  # it need not read all of it
            if given:
                self.stdin.write(given)
                await self.stdin.drain()
            self.stdin.close()
            await self.stdin.wait_closed()

    async def _end(self) -> int:
        with self._told:
            told = await asyncio.get_running_loop().sock_recv(self._told, STATUS)
        assert told, "what has started this program has ended before it"
        self.returncode = int.from_bytes(told, "big", signed=True)
        return self.returncode


async def start(
    program: str,
    *arguments: str,
    folder: Path | None,
    environ: Mapping[str, str],
    limit: int,
    stdin: int,
    stdout: int,
    stderr: int,
) -> Forked:
    """Start a program.

    Args:
        program: a module as for `python -m`, or the path of a script.
        arguments: those of the program.
        folder: where it runs; here if `None`.
        environ: all of its variables.
        limit: bytes of what it writes that are kept until they are read.
        stdin: a descriptor, `PIPE` or `DEVNULL`.
        stdout: likewise.
        stderr: likewise.
    """
    request = Request(program, [*arguments], {**environ}, str(folder or Path.cwd()))
    ends = [_ends(stdin, reads=True), _ends(stdout), _ends(stderr)]
    told, telling = socket.socketpair()
    raw = msgspec.json.encode(request)
    nest = _nest()
    socket.send_fds(
        nest, [len(raw).to_bytes(HEAD, "big")], [*(its for _, its in ends), telling.fileno()]
    )
    nest.sendall(raw)
    for wanted, (_, its) in zip((stdin, stdout, stderr), ends, strict=True):
        if wanted in (PIPE, subprocess.DEVNULL):
            os.close(its)
    telling.close()
    pid = told.recv(STATUS)
    assert pid, "what starts programs has ended: its traceback is on standard error"
    told.setblocking(False)
    process = Forked(int.from_bytes(pid, "big"), told)
    writing, *reading = [ours for ours, _ in ends]
    process.stdin = None if writing is None else await _writer(writing)
    process.stdout, process.stderr = [
        None if each is None else await _reader(each, limit) for each in reading
    ]
    return process


def _ends(wanted: int, *, reads: bool = False) -> tuple[int | None, int]:
    """Our end of a stream, if it is a pipe, and the process's."""
    if wanted == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if wanted != PIPE:
        return None, wanted
    reading, writing = os.pipe()
    return (writing, reading) if reads else (reading, writing)


async def _reader(descriptor: int, limit: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb", 0))
    return reader


async def _writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    pipe = os.fdopen(descriptor, "wb", 0)
    transport, _ = await loop.connect_write_pipe(lambda: protocol, pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


@functools.cache
def _nest() -> socket.socket:
    """Where processes are asked for; one for all tests of this process."""
    ours, its = socket.socketpair()
    command = (sys.executable, "-W", "error", "-m", "tests.support.nest", str(its.fileno()))
    path = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_together,
    )
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
