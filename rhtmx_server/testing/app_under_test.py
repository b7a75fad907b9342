"""An application's server for the length of one test: in memory, without ports, with its clients.

Knows how a server is put together and joined to clients, and what may still be under way. Must not
know pytest: `plugin` has the fixtures.

=========  =====================  ====================  =====================
state      `start`, `client`      `close`               the loop has ended
=========  =====================  ====================  =====================
at rest    running                at rest               at rest
running    running                at rest: clients      at rest, by `abandon`
                                  first; failures are
                                  raised
=========  =====================  ====================  =====================

Whatever the app declares as its store, it has an empty one in memory: nothing is left over.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from rhtmx.core.events import State
from rhtmx.schema.declared import Schema
from rhtmx_server import failures
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.app import App
from rhtmx_server.composition import compose
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Authenticator
from rhtmx_server.horizon import wall_clock
from rhtmx_server.server import RunningServer
from rhtmx_server.storage import open_storage
from rhtmx_server.testing.app_failures import AppFailures, Expectation
from rhtmx_server.testing.loop_time import LoopTime
from rhtmx_server.testing.memory_client import MemoryClient
from rhtmx_server.testing.network import Network, Websocket
from rhtmx_server.trackers.changes import ChangeTracker
from rhtmx_server.trackers.fields import FieldTracker

__all__ = ["AppUnderTest", "ManualClock"]

T = TypeVar("T")

PATIENCE = 5.0
"""Real seconds within which everything has to be delivered: more is a test that hangs."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class AppUnderTest:
    """A running application, to be tested.

    Use it with `async with`, or by the fixtures of `rhtmx_server.testing`.

    Args:
        app: what the application has declared. Its store, its bus and its ports are not used.

    Attributes:
        app: likewise.

    Example:
        >>> from rhtmx_server.testing import AppUnderTest
        >>> app = App(store="sqlite:///app.db")  # which is not touched
        >>> _ = app.entity("tasks")
        >>> async with AppUnderTest(app) as running:
        ...     ada, bob = await running.client(), await running.client()
        ...     tasks = bob.collection("tasks")
        ...     await tasks.synced()
        ...     _ = await ada.push("tasks", "1", {"title": "Test it"})
        ...     await running.settled()
        ...     print([row.data for row in tasks.all()])
        [{'title': 'Test it'}]
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._life = app.blueprint.life
        self._ends = contextlib.ExitStack()
        self._failures = AppFailures()
        self._grants: dict[str, Grant] = {}
        self._clients: list[MemoryClient] = []
        self._numbers = itertools.count(1)
        self._time: LoopTime | None = None
        self._freezes = False
        self._runner: asyncio.Runner | None = None

    # Its life.

    async def start(self) -> None:
        """Start the server, unless it runs.

        Raises:
            RuntimeError: the app runs already, otherwise than in this test; or the event loop is
                not one of asyncio's own.
            RhtmxError: what is declared does not go together.
        """
        loop = asyncio.get_running_loop()
        if self._time is not None:
            if self._time.loop is not loop:
                raise RuntimeError(
                    "the app runs on the event loop of another fixture: with pytest-asyncio, give "
                    "that fixture the loop_scope of the test"
                )
            return
        self._time = LoopTime.of(loop)
        self._ends.callback(self._time.release)
        self._ends.enter_context(failures.listening(self._failures.add))
        try:
            if self._freezes and not self._time.is_frozen:
                self._freeze()
            plan = self.app.blueprint
            plan.hooks.check(plan.declared.allowed)
            await self._life.start(self._compose, listens=False)
        except BaseException:
            self._forget()
            raise

    async def close(self) -> None:
        """Wait until all is delivered, close the clients, and stop the server.

        Raises:
            AppFailed: a function of the app has failed, or one did not that was expected to.
        """
        if self._time is None:
            return
        try:
            with contextlib.suppress(TimeoutError):  # it is not for the end to complain of that
                await self._still()
                await self._settle(0.5 if not self._time.is_frozen else 0.0)
            for client in self._clients:
                await client.close()
            await self._stop()
        finally:
            self._forget()
        self._failures.check()

    def abandon(self) -> None:
        """Forget a server whose event loop has ended before `close`."""
        if self._time is not None:
            self._life.abandon()
            self._forget()
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.close()
            return
        with contextlib.suppress(Exception):  # the test has failed already, by what is noted there
            await self.close()
        self._failures.note(error)

    # For a test.

    async def client(
        self,
        subject: str | None = None,
        *,
        roles: Collection[str] = (),
        claims: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        format: Literal["json", "proto"] = "json",  # noqa: A002 (as `rhtmx.connect` has it)
        schema: Schema | None = None,
    ) -> MemoryClient:
        """A client that is connected. It is closed at the end of the test.

        Args:
            subject: who it is: the app's `authenticate` is not asked. Left out, that is asked, or
                the client is a guest of an app that asks nobody.
            roles: the subject's roles.
            claims: what else is known of the subject, such as `{"team": "red"}`.
            token: what the app's `authenticate` is given, if no subject is.
            headers: of the handshake's request, such as `Cookie`, for `authenticate` to see.
            format: how messages are written.
            schema: the application's; see `rhtmx.connect`.

        Raises:
            ConnectionClosed: the app does not let it in.
            ValueError: arguments that do not go together.
        """
        await self.start()
        number = next(self._numbers)
        if subject is None:
            if roles or claims:
                raise ValueError("rhtmx_client: roles and claims are of a subject: give one")
        elif token is not None:
            raise ValueError(
                "rhtmx_client: a subject needs no token: give a subject, or a token for the app's "
                "authenticate"
            )
        elif self._life.running.services.authenticate is None:
            raise ValueError(
                f"rhtmx_client({subject!r}): this app has no authenticate, so everybody is a guest "
                "of it: leave the subject out, or give App(authenticate=…)"
            )
        else:
            token = f"given-in-test-{number}"
            self._grants[token] = Grant(subject, roles=roles, claims=claims or {})
        client = MemoryClient(
            subject or f"client {number}",
            Network(self._websocket),
            number,
            clock=self.now,
            token=token,
            headers=headers,
            form=format,
            schema=schema,
        )
        await client.__aenter__()
        self._clients.append(client)
        return client

    async def settled(self) -> None:
        """Wait until everything that is under way is delivered, so that a test can look.

        That is: writes are committed and have reached every client that is connected, questions
        are answered, hooks have been called, and what is committed to a mirrored table is shown. It
        takes no longer than that. What waits for a
        clock that stands still, or for a network that is down, is not waited for.

        Raises:
            TimeoutError: after 5 seconds something still is, and what.
        """
        await self._settle(PATIENCE)

    def expect_failure(
        self, kind: type[BaseException] = Exception, match: str | None = None
    ) -> Expectation:
        """Expect that a function of the app fails: a hook, a validator, `authenticate`.

        Otherwise such a failure fails the test. It may have come already, or come later; if it
        never comes, the test fails, too.

        Args:
            kind: the class of the exception.
            match: a regular expression that its text has to contain.
        """
        return self._failures.expect(kind, match)

    @property
    def changes(self) -> ChangeTracker:
        """Whole records, as `App.changes`: the app's own writes and reads."""
        return self.app.changes

    @property
    def fields(self) -> FieldTracker:
        """Records field by field, as `App.fields`."""
        return self.app.fields

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something in a test that is a plain function, and wait until it is done.

        Nothing goes on in the server between two calls: it runs only inside of them.

        Args:
            work: an `async` function without arguments, or one that returns what can be awaited.

        Raises:
            RuntimeError: the test is `async`: await it there.
        """
        if self._runner is None:
            if self._time is not None:
                raise RuntimeError("rhtmx_app.run is for plain tests: in an async one, await")
            self._runner = asyncio.Runner()

        async def begin() -> T:
            await self.start()
            return await work()

        return self._runner.run(begin())

    @contextlib.contextmanager
    def plain(self) -> Iterator[None]:
        """Stop the server at the end of a plain test, if `run` has started it."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._close_plain()
            self._failures.note(error)
            raise
        self._close_plain()

    # The clock.

    @property
    def clock(self) -> ManualClock:
        """The clock, which stands still from now on: of the server, the clients and the loop."""
        self._freezes = True
        if self._time is not None and not self._time.is_frozen:
            self._freeze()
        return ManualClock(self)

    def now(self) -> datetime:
        """The time by the clock of server and clients."""
        return _NEVER + timedelta(microseconds=self._wall_clock())

    async def advance(self, seconds: float) -> None:
        """Move a clock that stands still; see `ManualClock.advance`."""
        await self.start()
        assert self._time is not None
        await self._time.advance(seconds, self._still)

    # Inside.

    def _close_plain(self) -> None:
        if self._runner is not None and self._time is not None:
            self._runner.run(self.close())

    def _freeze(self) -> None:
        assert self._time is not None
        # Whole seconds: they read better.
        self._time.freeze(wall_clock() // 1_000_000 * 1_000_000)

    def _wall_clock(self) -> int:
        frozen = None if self._time is None else self._time.wall()
        return wall_clock() if frozen is None else frozen

    def _monotonic(self) -> float:
        return time.monotonic() if self._time is None else self._time.time()

    def _compose(self) -> RunningServer:
        plan = self.app.blueprint
        server = compose(
            replace(
                plan,
                config=replace(plan.config, host="127.0.0.1", grpc_port=None),
                storage=open_storage("memory://"),
                wall=self._wall_clock,
                now=self._monotonic,
            )
        )
        if server.services.authenticate is not None:
            server.services.authenticate = self._grants_first(server.services.authenticate)
        return server

    def _grants_first(self, ask: Authenticator) -> Authenticator:
        async def authenticate(request: Request) -> Grant:
            return self._grants.get(request.token) or await ask(request)

        return authenticate

    def _websocket(self) -> Websocket | None:
        door = self._life.door()
        return None if door is None else door.websocket

    def _forget(self) -> None:
        self._ends.close()
        self._time = None
        self._clients.clear()
        self._grants.clear()

    async def _stop(self) -> None:
        """Stop the server. Its time limits end by a clock that stands still, too: it goes on."""
        assert self._time is not None
        stopping = asyncio.ensure_future(self._life.stop())
        while self._time.is_frozen and not stopping.done():
            # Threads have a moment of real time for each step.
            await self._time.a_moment()
            with contextlib.suppress(TimeoutError):
                await self._time.advance(0.01, self._still)
        await stopping

    async def _still(self) -> None:
        """Wait until nothing goes on but what waits for a clock or for somebody else."""
        assert self._time is not None
        await self._time.quiet(PATIENCE)
        while self._life.pools.busy:
            await self._time.a_moment()
            await self._time.quiet(PATIENCE)

    async def _settle(self, patience: float) -> None:
        await self.start()
        assert self._time is not None
        until = time.monotonic() + patience
        self.app.mirror.wake()
        while True:
            await self._still()
            if not (under_way := self._under_way()):
                return
            if time.monotonic() >= until:
                raise TimeoutError(_words(under_way, patience, frozen=self._time.is_frozen))
            self.app.mirror.wake()  # which else would wait for the clock
            await self._time.a_moment()

    def _under_way(self) -> list[str]:
        """What is not done yet, in words."""
        found = []
        if self._life.pools.busy:
            found.append("a plain function of the app runs in its thread")
        if self._life.server is not None and self._life.server.telling:
            found.append("commits wait for their hooks (on_commit)")
        if self._life.server is not None:
            found += [
                f"the mirror of '{each.entity}' reads" for each in self.app.mirror if each.busy
            ]
        for connection in self._life.connections():
            if _waits(connection):
                who = connection.session.subject or connection.session.client_id or "a guest"
                found.append(f"'{who}' waits for an answer, or for records")
        found += [
            f"'{client.name}' connects again"
            for client in self._clients
            if client.network.is_up and client.state in (State.CONNECTING, State.WAITING)
            if self._time is not None and not self._time.is_frozen
        ]
        return found


class ManualClock:
    """A clock that stands still until a test moves it.

    It is that of the server, of the clients and of the event loop: the times of commits, signs of
    life, the wait before a reconnection, retention, `asyncio.sleep` and `asyncio.timeout`. What
    asks the machine itself for the time, as `datetime.now()` does, is not moved.

    Args:
        running: whose clock it is.
    """

    def __init__(self, running: AppUnderTest) -> None:
        self._running = running

    def now(self) -> datetime:
        """The time. It begins with that of the machine, in whole seconds."""
        return self._running.now()

    async def advance(
        self, *, seconds: float = 0.0, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0
    ) -> None:
        """Move on. What becomes due on the way is done, each at its own time.

        Over more than some hours the clock moves in larger steps, so that connections may be
        found silent in between, and be made again.

        Args:
            seconds: to be added to the rest.
            minutes: likewise.
            hours: likewise.
            days: likewise.
        """
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span < timedelta():
            raise ValueError("a clock moves on, not back")
        await self._running.advance(span.total_seconds())


def _waits(connection: Connection) -> bool:
    parts = connection.subscriptions
    return bool(connection.requests or connection.pushes or parts.syncs or parts.lagging)


def _words(under_way: list[str], patience: float, *, frozen: bool) -> str:
    clock = "; the clock stands still: await rhtmx_clock.advance(seconds=…)?" if frozen else ""
    return f"after {patience:g} s it is not settled: {'; '.join(under_way)}{clock}"
