"""What is read from files and from standard input.

Knows files. Must not know what stands in them.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.values.form_value import File
from rhtmx.wire.limits import MAX_TOKEN

__all__ = ["choose", "lines", "load", "opened", "shown", "token"]

_CHUNK = 65_536
"""Bytes."""

_AHEAD = 2
"""Chunks that are read before they are asked for."""


def shown(name: str) -> str:
    """How errors call a file; `-` is standard input."""
    return "standard input" if name == "-" else name


def load(name: str) -> str:
    """All of a file as text.

    Args:
        name: its path; `-` is standard input.

    Raises:
        CommandError: it cannot be read, or is not UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as failure:
        raise _unreadable(name, failure) from None
    return _decode(raw, shown(name))


def choose(name: str) -> File:
    """A file as a form has it where it is chosen: its name, size and type.

    Raises:
        CommandError: it is not there, or no file.
    """
    try:
        found = os.stat(name)
    except (OSError, ValueError) as failure:
        raise _unreadable(name, failure) from None
    if not stat.S_ISREG(found.st_mode):
        raise CommandError(f"{name}: a file expected, this is not one", USAGE)
    kind, encoding = mimetypes.guess_type(Path(name).name)
    return File(Path(name).name, found.st_size, "" if kind is None or encoding else kind)


def token(path: Path) -> str:
    """The token in a file: its first line.

    Raises:
        CommandError: there is none, or it is larger than any server takes.
    """
    for line in load(str(path)).splitlines():
        if token := line.strip():
            if (size := len(token.encode())) > MAX_TOKEN:
                words = f"{path}: a token of at most {MAX_TOKEN} bytes expected, got {size}"
                raise CommandError(words, USAGE)
            return token
    raise CommandError(f"{path}: a token expected, the file is empty", USAGE)


def opened(name: str) -> int:
    """The descriptor of a file to be read with `lines`.

    Raises:
        CommandError: it cannot be opened.
    """
    if name == "-":
        return 0
    try:
        descriptor = os.open(name, os.O_RDONLY)
        os.read(descriptor, 0)  # a folder opens, too
    except (OSError, ValueError) as failure:
        raise _unreadable(name, failure) from None
    return descriptor


async def lines(descriptor: int, name: str) -> AsyncIterator[tuple[str, str]]:
    """The lines of a file as they come, each with its place in words.

    A thread of its own reads: a program at the other end of a pipe may take its
    time. It is not waited for when the tool ends.

    Raises:
        CommandError: it cannot be read, or is not UTF-8.
    """
    chunks: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    reader = _Reader(descriptor, asyncio.get_running_loop(), chunks)
    threading.Thread(target=reader.run, name="rhtmx-lines", daemon=True).start()
    number, begun = 0, b""
    try:
        while chunk := await chunks.get():
            if isinstance(chunk, OSError):
                raise _unreadable(name, chunk)
            *whole, begun = (begun + chunk).split(b"\n")
            for line in whole:
                number += 1
                place = f"{shown(name)}, line {number}"
                yield place, _decode(line, place)
            reader.room.release()
    finally:
        reader.stopped = True
        reader.room.release()
    if begun:
        place = f"{shown(name)}, line {number + 1}"
        yield place, _decode(begun, place)


class _Reader:
    """What runs in the thread: hands chunks over, at most `_AHEAD` that nobody has taken yet."""

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        chunks: asyncio.Queue[bytes | OSError],
    ) -> None:
        self.room = threading.Semaphore(_AHEAD)
        self.stopped = False
        self._descriptor = descriptor
        self._loop = loop
        self._chunks = chunks

    def run(self) -> None:
        chunk: bytes | OSError = b"?"
        while chunk and not isinstance(chunk, OSError):
            self.room.acquire()
            if self.stopped:
                return
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError as failure:
                chunk = failure
            try:
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
            except RuntimeError:  # the loop has ended
                return


def _decode(raw: bytes, where: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise CommandError(f"{where}: not UTF-8 at byte {failure.start + 1}", USAGE) from None


def _unreadable(name: str, failure: OSError | ValueError) -> CommandError:
    words = failure.strerror if isinstance(failure, OSError) else str(failure)
    return CommandError(f"{shown(name)} cannot be read: {words or failure}", USAGE)
