"""The tool itself: read the options, run the command, say what went wrong.

Knows the order of these. Must not know how any of them is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from rhtmx.cli import files
from rhtmx.cli.asking import validate
from rhtmx.cli.assistant import mcp
from rhtmx.cli.checking import check
from rhtmx.cli.compiling import compile_schema
from rhtmx.cli.conflicts import conflicts, resolve
from rhtmx.cli.errors import FINE, INTERRUPTED, CommandError, explain
from rhtmx.cli.history import blame, log, undo
from rhtmx.cli.options import Disk, read
from rhtmx.cli.output import Output
from rhtmx.cli.reading import sync, tail
from rhtmx.cli.requests import (
    Blame,
    Check,
    CliRequest,
    Conflicts,
    Invocation,
    Log,
    Mcp,
    Push,
    PushMany,
    Resolve,
    Server,
    Sync,
    Tail,
    Undo,
    Validate,
)
from rhtmx.cli.writing import push, push_many
from rhtmx.errors import RhtmxError
from rhtmx.version import __version__

__all__ = ["COMMANDS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool.

    Args:
        argv: the arguments without its name; by default the process's own.

    Returns:
        The exit code: 0 fine, 1 refused or invalid, 2 wrong options, 3 no
        connection, 130 ended with Ctrl-C.
    """
    output = Output(sys.stdout, sys.stderr, os.environ)
    try:
        arguments = sys.argv[1:] if argv is None else argv
        if arguments[:1] == ["codegen"]:
            return compile_schema(arguments[1:])
        invocation = read(arguments, os.environ, __version__, Disk(files.load, files.choose))
        output = _output(invocation)
        with _noting(output):
            return asyncio.run(_run(invocation, output))
    except CommandError as error:
        output.note(f"error: {error.message}")
        return error.status
    except SystemExit as end:  # --help, --version
        return int(end.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads has enough
        output.abandon()
        return FINE


def _output(invocation: Invocation) -> Output:
    server = invocation.server
    return Output(
        sys.stdout,
        sys.stderr,
        os.environ,
        json=invocation.json,
        hide=lambda text: text.replace(server.url, server.shown),
    )


@contextlib.contextmanager
def _noting(output: Output) -> Iterator[None]:
    """Have what the client logs told as news, a line each."""
    logger, notes = logging.getLogger("rhtmx"), _Notes(output)
    before = logger.propagate
    logger.addHandler(notes)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(notes)
        logger.propagate = before


class _Notes(logging.Handler):
    """What the client has to say beside its answers, as news.

    What ends the client is an error there, and here the error of the command.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR:
            self._output.note(record.getMessage())


async def _run(invocation: Invocation, output: Output) -> int:
    request = invocation.request
    try:
        return await COMMANDS[type(request)](invocation.server, request, output)
    except RhtmxError as error:
        raise explain(error) from None


COMMANDS: Mapping[type[CliRequest], Callable[[Server, Any, Output], Awaitable[int]]] = {
    Tail: tail,
    Sync: sync,
    Push: push,
    PushMany: push_many,
    Validate: validate,
    Log: log,
    Blame: blame,
    Undo: undo,
    Conflicts: conflicts,
    Resolve: resolve,
    Check: check,
    Mcp: mcp,
}
"""What is asked for → what does it."""
