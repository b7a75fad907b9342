"""When and where an app's server runs: made, started, stopped, and made anew.

Knows that there is one at a time, and that it belongs to one event loop of one process. Must not
know what it is made of, nor what it serves.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.connection import Connection
from rhtmx_server.failures import WrongLoopError
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.form_life import FormJudge
from rhtmx_server.horizon import wall_clock
from rhtmx_server.server import RunningServer
from rhtmx_server.threads import PoolSet
from rhtmx_server.transports.asgi import AsgiDoor

__all__ = ["Lifecycle"]


class Lifecycle:
    """The server of one app.

    Attributes:
        server: from before it starts until it begins to stop; `None` at other times.
        pools: make its threads.
        readers: the program's own streams: each is called when it begins to stop, and ends.
    """

    def __init__(self) -> None:
        self.server: RunningServer | None = None
        self.pools = PoolSet()
        self.readers: set[Callable[[], None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._process = 0
        self._calls: set[asyncio.Task[object]] = set()
        self._stopping: asyncio.Future[None] | None = None

    async def start(self, make: Callable[[], RunningServer], *, listens: bool) -> str:
        """Make a server, and start it; one that is still stopping ends first.

        Args:
            make: makes it.
            listens: on its own port.

        Returns:
            The address of its WebSocket endpoint; empty if it does not listen.

        Raises:
            RuntimeError: there is one already.
            RhtmxError: `NOT_SUPPORTED`, there is one on another event loop, or it was started
                before this process was forked.
        """
        loop = asyncio.get_running_loop()
        while self._stopping is not None and self._loop is loop:
            await asyncio.shield(self._stopping)
        if self.runs:
            if self._loop is not loop:
                raise WrongLoopError(
                    "the app runs on another event loop already: start it in one place only, and "
                    "leave `with app.sync:` out where a host starts it"
                )
            raise RuntimeError("this app is running already")
        self._loop, self._stopping = loop, None
        self._thread, self._process = threading.get_ident(), os.getpid()
        # Before the first await: a second `start` must find it.
        server = self.server = make()
        try:
            return await server.start(listens=listens)
        except BaseException:
            self.server = None
            self.pools.shutdown()
            raise

    def abandon(self) -> None:
        """Forget a server whose event loop has ended: nothing of it can be stopped any more."""
        self.server = None
        self.pools.shutdown()

    async def stop(self) -> None:
        """Finish what was accepted, tell every client to reconnect, and close."""
        if self.server is None:
            return
        server, self.server = self.running, None
        stopping = self._stopping = asyncio.get_running_loop().create_future()
        for end in list(self.readers):
            end()
        try:
            await server.stop()
        finally:
            self.pools.shutdown()
            for call in self._calls:  # what still waits would wait for ever
                call.cancel()
            self._stopping = None
            stopping.set_result(None)

    @property
    def runs(self) -> bool:
        """Whether there is one.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it was started before this process was forked.
        """
        self._check_process()
        return self.server is not None

    @property
    def running(self) -> RunningServer:
        """The server, for whoever awaits something of it, or hands it on from a thread.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is none; `NOT_SUPPORTED`, it was started before this
                process was forked.
            WrongLoopError: it runs on another event loop than the one that asks.
        """
        server = self._present
        with suppress(RuntimeError):  # a thread without a loop
            if asyncio.get_running_loop() is not self._loop:
                raise WrongLoopError(
                    "the app runs on another event loop: call app.sync from here, such as "
                    "app.sync.collection(…)"
                )
        return server

    @property
    def elsewhere(self) -> asyncio.AbstractEventLoop:
        """The loop of the server, for whoever waits for it in a thread.

        Raises:
            RhtmxError: as `running`; `NOT_SUPPORTED`, this is the thread of that loop.
        """
        server, loop = self._present, self._loop
        if not server.started:
            raise _not_running()
        if threading.get_ident() == self._thread:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                "this is the thread of the app's own event loop, which would wait for "
                "itself: await app.collection(…) or form.validate(…) there, or call it with "
                "asyncio.to_thread",
            )
        assert loop is not None  # it runs
        return loop

    def call(self, action: Callable[[RunningServer], None]) -> None:
        """Have something done with the server on its loop: at once there, soon from elsewhere.

        Args:
            action: what; it does not wait.

        Raises:
            RhtmxError: as `running`.
        """
        server, loop = self._present, self._loop
        assert loop is not None  # it runs
        if threading.get_ident() == self._thread:
            action(server)
        else:
            loop.call_soon_threadsafe(action, server)

    def tell(self, function: Callable[[], object]) -> None:
        """Have a function called on the loop of the server, from any thread, while it runs."""
        if self.server is not None and self._loop is not None and os.getpid() == self._process:
            with suppress(RuntimeError):  # it was closed in this moment
                self._loop.call_soon_threadsafe(function)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Have the task of this call end with the server, if it would outlive it."""
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            yield
        finally:
            self._calls.discard(task)

    def judge(self) -> FormJudge[Form]:
        """What judges the values of forms, for whoever waits for it on whichever loop.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is no server; `NOT_SUPPORTED`, it was started before
                this process was forked.
        """
        return self._present.services.forms

    def time_ns(self) -> int:
        """The time by the server's clock, or the machine's; nanoseconds since 1970."""
        return 1000 * (wall_clock() if self.server is None else self.server.services.clock())

    def connections(self) -> list[Connection]:
        """All that there are."""
        return [] if self.server is None else self.server.connections()

    def door(self) -> AsgiDoor | None:
        """What serves an application that the server is mounted in, while it runs.

        Raises:
            WrongLoopError: it runs on another event loop than the one that asks.
        """
        return self.running.asgi if self.server is not None and self.server.started else None

    @property
    def _present(self) -> RunningServer:
        if self.server is None:
            raise _not_running()
        self._check_process()
        return self.server

    def _check_process(self) -> None:
        if self.server is not None and os.getpid() != self._process:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                "the app was started before this process was forked, and runs in the parent only: "
                "start it after the fork, in each process (Celery: worker_process_init; gunicorn: "
                "post_worker_init)",
            )


def _not_running() -> RhtmxError:
    return RhtmxError(
        ErrorCode.SHUTTING_DOWN,
        "the app is not running: use `async with app:` or serve(); `with app.sync:` where there is "
        "no event loop",
    )
