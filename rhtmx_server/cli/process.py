"""A server as a process: its log, its signals, its ready line, its exit code.

Knows how a process starts and stops. Must not know what the server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

import uvloop

from rhtmx.errors import RhtmxError
from rhtmx_server import logs
from rhtmx_server.access.declaration_error import DeclarationError
from rhtmx_server.cli.errors import FAILED
from rhtmx_server.config import Config

__all__ = ["Servable", "complain", "run"]

COLLECT_AFTER = 10_000
"""New objects after which Python looks for garbage among them; it has 700 of its own accord."""

_ANOTHER_HOST = "choose another one with --host or Config(host=…)"


class Servable(Protocol):
    """An app, as far as running it goes."""

    @property
    def config(self) -> Config:
        """Its settings."""

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        """Take other settings.

        Raises:
            ValueError: there is no such store or bus; begins with `store: ` or `bus: `.
        """

    async def serve(self, *, ready: Callable[[str], None] | None = None) -> None:
        """Run until cancelled; `ready` is called once with the address."""


def run(app: Servable) -> int:
    """Run an app until SIGTERM or SIGINT.

    Prints `ready ws://…` to standard output when it is, and an error as one
    line to standard error. The log goes there as well, unless the program has
    set up its own.

    Returns:
        The exit code.
    """
    config = app.config
    # A program that has set up its log knows better where it goes.
    if not logging.getLogger().handlers:
        logs.configure(config.log_format, config.log_level, sys.stderr)
    try:
        with _patient_collector(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_stopped(app))
    except RhtmxError as failure:
        return complain(failure.message)
    except DeclarationError as failure:
        return complain(str(failure))
    except OSError as failure:
        return complain(_words(failure, config))
    return 0


def complain(message: str, status: int = FAILED) -> int:
    """Say in one line why the command ends.

    Returns:
        `status`.
    """
    sys.stderr.write(f"error: {logs.escape(message)}\n")
    return status


@contextlib.contextmanager
def _patient_collector() -> Iterator[None]:
    """Have Python look for garbage less often while the server runs.

    What it makes in passing dies by itself, and closed connections too: there
    is next to no garbage. Left as it is the collector walks through all
    connections again and again while they come: 8,000 handshakes take
    nearly twice as long (`nox -s bench -- handshakes`).
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # modules and classes stay: there is nothing to find in them
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def _until_stopped(app: Servable) -> None:
    serving = asyncio.create_task(app.serve(ready=_announce))
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = True
        for each in signals:
            loop.remove_signal_handler(each)  # the next one ends the process
            signal.signal(each, signal.SIG_DFL)
        serving.cancel()

    for each in signals:
        loop.add_signal_handler(each, stop)
    try:
        await serving
    except asyncio.CancelledError:
        # Cancelled by somebody else: that is no stop that was asked for.
        if not stopping:
            raise


def _announce(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


def _words(failure: OSError, config: Config) -> str:
    """Say what is wrong with the address to listen on, or with a file."""
    host, port = config.host, config.port
    match failure.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} on {host} is in use: stop what uses it, or take another one "
                "with --port or Config(port=…) (0 takes a free one)"
            )
        case errno.EADDRNOTAVAIL:
            return f"this machine has no address {host}: {_ANOTHER_HOST}"
        case errno.EACCES if failure.filename is None:
            return (
                f"port {port} may not be used by this user: take one from 1024 on "
                "with --port or Config(port=…)"
            )
    if isinstance(failure, socket.gaierror):
        return f"the host {host!r} is not known: {_ANOTHER_HOST}"
    where = f"{failure.filename}: " if failure.filename is not None else ""
    return f"{where}{failure.strerror or failure}"
