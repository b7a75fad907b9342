"""Standard output and standard error, as the commands see them.

Knows streams and terminals: who reads, and how wide it is. Must not know what
is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from rhtmx.cli.paint import Paint, wanted
from rhtmx.cli.records import Record
from rhtmx.cli.text import escape, width

__all__ = ["Output"]


class Output:
    """Where results and news go.

    Args:
        stdout: results.
        stderr: news and errors.
        environ: the environment variables, which may forbid colours.
        json: whether results are JSON lines.
        hide: takes out of news and errors what is not to be printed.
    """

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        *,
        json: bool = False,
        hide: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.json = json
        self.paint = Paint(wanted(stdout.isatty(), environ))
        self._stdout = stdout
        self._stderr = stderr
        self._hide = hide
        self._passing = 0
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                programs = json and stream is stdout
                stream.reconfigure(
                    encoding="utf-8" if programs else None, errors="backslashreplace"
                )

    @property
    def columns(self) -> int | None:
        """Columns of the terminal now; `None` if it is none."""
        return shutil.get_terminal_size().columns if self._stdout.isatty() else None

    def line(self, text: str) -> None:
        """Print a line for a person, at once.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        self._stdout.write(f"{text}\n")
        self._stdout.flush()

    def record(self, record: Record) -> None:
        """Print a line for a program, at once.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        self.line(escape(json.dumps(record, ensure_ascii=False)))

    def note(self, text: str) -> None:
        """Tell news beside the results."""
        with contextlib.suppress(BrokenPipeError):
            self._stderr.write(f"{escape(self._hide(text))}\n")
            self._stderr.flush()

    def passing(self, text: str) -> None:
        """Show news of which only the latest counts, in one line; only on a terminal.

        Args:
            text: what takes the place of the last one; nothing takes that away.
        """
        if self._stderr.isatty():
            text = escape(self._hide(text))
            blank = " " * max(self._passing - width(text), 0)
            with contextlib.suppress(BrokenPipeError):
                self._stderr.write(f"\r{text}{blank}" if text else f"\r{blank}\r")
                self._stderr.flush()
            self._passing = width(text)

    @contextlib.contextmanager
    def watched(self, gone: Callable[[], None]) -> Iterator[None]:
        """Notice when whoever reads standard output goes away, also while nothing is printed.

        Args:
            gone: called then, at most once.
        """
        descriptor = self._pipe()
        if descriptor is None:
            yield
            return
        loop = asyncio.get_running_loop()

        def left() -> None:
            loop.remove_reader(descriptor)
            gone()

        # Nothing can be read from this end of a pipe: it wakes up when the other end closes.
        with contextlib.suppress(NotImplementedError):  # Windows: the next line will tell
            loop.add_reader(descriptor, left)
        try:
            yield
        finally:
            with contextlib.suppress(NotImplementedError):
                loop.remove_reader(descriptor)

    def abandon(self) -> None:
        """Nobody reads any more: have what is still buffered go nowhere."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stdout.fileno())
            os.close(nowhere)

    def _pipe(self) -> int | None:
        try:
            descriptor = self._stdout.fileno()
        except (OSError, ValueError):
            return None
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
