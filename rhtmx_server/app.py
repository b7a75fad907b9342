"""The composition root: the public face, and the one place that knows concrete parts.

Knows everything by name and does nothing itself: it declares, puts together,
starts and stops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import MergeStrategy, Push, PushFields
from rhtmx_server.checks import check
from rhtmx_server.committer import Committer
from rhtmx_server.config import Config
from rhtmx_server.connection import Connection
from rhtmx_server.hooks import CommitHooks, Hook, HookRunner
from rhtmx_server.hub import Hub
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import Commit, HistoryEntry, Mutation
from rhtmx_server.outbox import Tick
from rhtmx_server.ports import Decide, Store
from rhtmx_server.server import RunningServer
from rhtmx_server.services import Authenticator, Services
from rhtmx_server.stores import open_store
from rhtmx_server.threads import DaemonPool
from rhtmx_server.trackers.changes import ChangeTracker, changes_decider
from rhtmx_server.trackers.fields import FieldTracker, fields_decider
from rhtmx_server.trackers.form import Form
from rhtmx_server.trackers.forms import FormTracker
from rhtmx_server.trackers.policy import Policy, parse_policy
from rhtmx_server.trackers.runner import Runner
from rhtmx_server.transports.turns import Turns

__all__ = ["App"]

Merge = str | MergeStrategy | Mapping[str, str | MergeStrategy] | None


class App:
    """A server: entities, forms, a store, and a port to listen on.

    Args:
        store: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory://`;
            or a store of your own.
        config: address, limits and times.
        undeclared: whether clients may use entities that were not declared
            with `entity`. By default: if none was.
        authenticate: turns a token into a `Grant`, or raises `RhtmxError` with
            `UNAUTHENTICATED`. Without it nobody is asked.
        pages: what is served over plain HTTP besides the API: path to content
            type and body.

    Example:
        >>> app = App(store="memory://")
        >>> app.entity("tasks")
        >>> signup = app.form("signup")
        >>> _ = signup.field("email", required=True, email=True)
    """

    def __init__(
        self,
        *,
        store: str | Store = "sqlite:///rhtmx.db",
        config: Config | None = None,
        undeclared: bool | None = None,
        authenticate: Authenticator | None = None,
        pages: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> None:
        self.config = config or Config()
        self.config.agree()
        self.pages = dict(pages or {})
        self.metrics = Metrics()
        self._store = open_store(store) if isinstance(store, str) else store
        self._undeclared = undeclared
        self._authenticate = authenticate
        self._entities: dict[str, Policy | None] = {}
        self._forms: dict[str, Form] = {}
        self._hooks = CommitHooks()
        self._server: RunningServer | None = None

    def configure(self, config: Config, *, store: str | None = None) -> None:
        """Take other settings, before it runs: the command line's, over the program's.

        Args:
            config: takes the place of the one given before.
            store: takes the place of the one given before.
        """
        if self._server is not None:
            raise RuntimeError("this app is running: configure it before")
        config.agree()
        self.config = config
        if store is not None:
            self._store = open_store(store)

    # Declaring.

    def entity(self, name: str, *, fields: bool = True, merge: Merge = None) -> None:
        """Declare an entity.

        Args:
            name: 1 to 255 bytes.
            fields: whether its records can be written and read field by field.
                Without, writing is cheaper.
            merge: how concurrent writes of a field are merged: one strategy
                for all fields, or one for each (`last_write_wins` otherwise).

        Raises:
            ValueError: the name or a strategy is not one.
        """
        if not 1 <= len(name.encode()) <= 255:
            raise ValueError(f"entity {name[:40]!r}: a name of 1 to 255 bytes expected")
        if not fields and merge is not None:
            raise ValueError(f"entity {name!r}: without fields there is nothing to merge")
        self._entities[name] = parse_policy(merge) if fields else None

    def form(self, name: str) -> Form:
        """The form of this name, to register validators with; a new one the first time."""
        return self._forms.setdefault(name, Form(name))

    def on_commit(self, entity: str | None = None) -> Callable[[Hook], Hook]:
        """Have an async function called after each commit, in order.

        Args:
            entity: of this entity only.

        Example:
            >>> app = App(store="memory://")
            >>> @app.on_commit("tasks")
            ... async def notify(change): ...
        """

        def add(hook: Hook) -> Hook:
            self._hooks.add(entity, hook)
            return hook

        return add

    # Running.

    async def start(self) -> str:
        """Open the store and listen.

        Returns:
            The address of the WebSocket endpoint.

        Raises:
            RhtmxError: the store cannot be opened; the message says why.
            OSError: the address cannot be used.
        """
        if self._server is not None:
            raise RuntimeError("this app is running already")
        hooks = HookRunner(self._hooks, self._store)
        server = RunningServer(self._compose(hooks), hooks, self.pages)
        self._server = server
        try:
            return await server.start()
        except BaseException:
            self._server = None
            raise

    async def stop(self) -> None:
        """Finish what was accepted, tell every client to reconnect, and close."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def serve(self, *, ready: Callable[[str], None] | None = None) -> None:
        """Run until cancelled.

        Args:
            ready: is called once with the address of the WebSocket endpoint.
        """
        url = await self.start()
        try:
            if ready is not None:
                ready(url)
            await asyncio.get_running_loop().create_future()
        finally:
            await self.stop()

    def run(self) -> None:
        """Run as a program: until SIGTERM or SIGINT. Never returns; exits."""
        from rhtmx_server.cli import run  # the command line knows how an app is run

        raise SystemExit(run(self))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The address of the WebSocket endpoint, while running."""
        return self._running.url

    @property
    def grpc_address(self) -> str:
        """Where gRPC is served, as `host:port`, while running; empty if it is not."""
        return self._running.grpc.address

    # Writing and reading, while running.

    @property
    def changes(self) -> ChangeTracker:
        """Whole records: writes take the same road as a socket's."""
        return ChangeTracker(self._submit, self._running.services.store, wire.check_json)

    @property
    def fields(self) -> FieldTracker:
        """Records field by field: writes take the same road as a socket's."""
        return FieldTracker(self._submit, self._running.services.store, wire.check_json, _clock)

    async def history(
        self,
        entity: str,
        entity_id: str | None = None,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> list[HistoryEntry]:
        """Every commit and every lost field write that is still kept, oldest first.

        Args:
            entity: the collection.
            entity_id: only this record.
            after: the last version that is not wanted.
            until: the last moment that is wanted; microseconds since 1970.
            limit: at most so many.
        """
        return await self._running.services.store.history(
            entity, entity_id=entity_id, after=after, until=until, limit=limit
        )

    # Inside.

    def _compose(self, hooks: HookRunner) -> Services:
        config, metrics, store = self.config, self.metrics, self._store
        tick = Tick(asyncio.get_running_loop().call_soon)
        hub = Hub(tick, metrics.delivered)

        def deliver(commits: Sequence[Commit]) -> None:
            hub.deliver(commits)
            hooks.notice(commits)

        deciders: Mapping[type[Push | PushFields], Decide] = {
            Push: changes_decider(self._policy),
            PushFields: fields_decider(self._policy, max_record=config.max_size),
        }
        metrics.outbox_bytes.set_function(lambda: self._total(lambda c: c.waiting))
        metrics.subscriptions.set_function(lambda: self._total(lambda c: c.feed.subscriptions))
        metrics.lagging.set_function(lambda: self._total(lambda c: c.feed.lagging))
        threads = DaemonPool(config.validator_threads)
        runner = Runner(threads, timeout=config.validator_timeout, meter=metrics)
        return Services(
            config=config,
            store=store,
            hub=hub,
            committer=Committer(store, deciders, deliver, _clock, metrics),
            tick=tick,
            forms=FormTracker(runner, self._forms),
            metrics=metrics,
            clock=_clock,
            now=time.monotonic,
            turns=Turns(time.monotonic, asyncio.get_running_loop().call_soon),
            entities=self._allowed(),
            fieldless=frozenset(name for name, policy in self._entities.items() if policy is None),
            authenticate=self._authenticate,
        )

    def _total(self, figure: Callable[[Connection], int]) -> int:
        connections = () if self._server is None else self._server.connections()
        return sum(figure(connection) for connection in connections)

    def _allowed(self) -> frozenset[str] | None:
        open_to_all = not self._entities if self._undeclared is None else self._undeclared
        return None if open_to_all else frozenset(self._entities)

    def _policy(self, entity: str) -> Policy | None:
        return self._entities.get(entity, _DEFAULT_POLICY)

    @property
    def _running(self) -> RunningServer:
        if self._server is None:
            raise RhtmxError(
                ErrorCode.SHUTTING_DOWN, "the app is not running: use `async with app:` or serve()"
            )
        return self._server

    def _submit(self, mutation: Mutation) -> None:
        services = self._running.services
        try:
            check(mutation.message)
            services.known(mutation.message.entity)
        except RhtmxError as error:
            mutation.refusal = error
        services.committer.submit(mutation)


_DEFAULT_POLICY = Policy()


def _clock() -> int:
    return time.time_ns() // 1000
