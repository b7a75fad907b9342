"""The public face of a server: what a program declares, starts, stops and calls.

Knows by name all that a program may want, and does nothing itself: `composition` makes
the parts of what was declared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self, TypeVar, overload

from rhtmx.schema.declared import Schema
from rhtmx.values.json_value import Data
from rhtmx_server.access.entity import Entity, Partition
from rhtmx_server.access.grant import Grant
from rhtmx_server.composition import Blueprint, Declarations, Merge, Said, compose
from rhtmx_server.config import Config
from rhtmx_server.connections.scope_functions import ScopeFunction
from rhtmx_server.connections.tokens import AuthenticateFunction, check_authenticate, check_open
from rhtmx_server.forms.field_names import Extra
from rhtmx_server.forms.form import Form
from rhtmx_server.hooks import CommitHooks, Hook
from rhtmx_server.lifecycle import Lifecycle
from rhtmx_server.metrics import Metrics
from rhtmx_server.ports import Store
from rhtmx_server.program.calls import ProgramCalls
from rhtmx_server.program.collection import AppCollection, EntityPart
from rhtmx_server.program.sync import SyncApp
from rhtmx_server.program.typed_collection import AppTypedCollection
from rhtmx_server.record_page import HistoryPage, HistoryPosition
from rhtmx_server.rooms.app_room import AppRoom
from rhtmx_server.schema.declare import declare
from rhtmx_server.schema.new_ids import new_id
from rhtmx_server.schema.upcast import UpcastFunction
from rhtmx_server.server import RunningServer
from rhtmx_server.sharing import Bus
from rhtmx_server.storage import open_storage
from rhtmx_server.trackers.changes import ChangeTracker
from rhtmx_server.trackers.fields import FieldTracker
from rhtmx_server.trackers.transaction import AppTransaction
from rhtmx_server.trackers.values import HistoryChange
from rhtmx_server.transports.asgi import AsgiApp
from rhtmx_server.transports.static_files import check_pages

__all__ = ["App"]

H = TypeVar("H", bound=Hook)
R = TypeVar("R")
S = TypeVar("S", bound=ScopeFunction)
U = TypeVar("U", bound=UpcastFunction)


class App:
    """A server: entities, forms, a store, and a port to listen on.

    Args:
        store: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…`, `memory://`, or
            a store of your own.
        bus: of several servers on one store: `nats://…`, or `notify:` for its PostgreSQL.
        config: address, limits and times.
        undeclared: whether clients may use entities that were not declared with `entity`. By
            default: if none was.
        authenticate: takes a `Request` and returns a `Grant`, or raises `RhtmxError` with
            `UNAUTHENTICATED`. Without it nobody is asked. A plain function runs in a thread.
            `rhtmx_server.authenticators` has some that are ready.
        pages: what is served over plain HTTP besides the API: path to content type and body.
        schema: of the application, as `rhtmx codegen` has generated it: its entities and
            forms are declared by it, with their rules, merging and access.

    Attributes:
        sync: the calls below without `await`, for any thread, and for scripts; see `SyncApp`.

    Raises:
        TypeError: `authenticate` or a page is something else.
        ValueError: a setting, the store or the path of a page makes no sense.

    Example:
        >>> app = App(store="memory://")
        >>> _ = app.entity("tasks")
        >>> signup = app.form("signup")
        >>> _ = signup.field("email", required=True, email=True)
    """

    def __init__(
        self,
        *,
        store: str | Store = "sqlite:///rhtmx.db",
        bus: str | Bus | None = None,
        config: Config | None = None,
        undeclared: bool | None = None,
        authenticate: AuthenticateFunction | None = None,
        pages: Mapping[str, tuple[str, bytes]] | None = None,
        schema: Schema | None = None,
    ) -> None:
        self.config = config or Config()
        self.config.agree()
        self.pages = dict(pages or {})
        check_pages(self.pages)
        if authenticate is not None:
            check_authenticate(authenticate)
        self.metrics = Metrics()
        self._storage, self._places = open_storage(store, bus), (store, bus)
        self._declared = Declarations(undeclared, authenticate)
        self._hooks, self._life = CommitHooks(), Lifecycle()
        self.mirror = self._declared.mirrors(self._runs)
        self._calls = ProgramCalls(self._life)
        self.sync = SyncApp(self._life, self._calls, self._begin, self.stop)
        self._asgi = AsgiApp(self._life.door, lambda: self._begin(False, mounted=True), self.stop)
        if schema is not None:
            declare(self, schema, self._life.time_ns, new_id)
            self._declared.schema = schema

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        """Take other settings, before it runs: the command line's, over the program's.

        Each takes the place of what was given before.

        Raises:
            RuntimeError: it runs already.
            ValueError: settings that do not go together, or no such store or bus.
        """
        if self._runs():
            raise RuntimeError("this app is running: configure it before")
        config.agree()
        self.config = config
        if store is not None or bus is not None:
            self._places = store or self._places[0], bus or self._places[1]
            self._storage = open_storage(*self._places)

    # Declaring.

    def entity(
        self,
        name: str,
        *,
        fields: bool = True,
        merge: Merge = None,
        partition: Partition = None,
        conflicts: bool = True,
    ) -> Entity:
        """Declare an entity. Declared again, it keeps its access, and its parts if none are given.

        One of the application's schema is declared already: this returns it, to add checks and
        what else the schema does not say.

        Args:
            name: 1 to 255 bytes; it does not begin with `$`.
            fields: whether its records can be written and read by field, which costs more.
            merge: how concurrent writes of a field are merged: one strategy for all fields, or one
                for each (`last_write_wins` otherwise).
            partition: the fields by whose values it is divided into parts, which can be read alone;
                or several such lists.
            conflicts: whether writes of fields that lost are kept until somebody answers them, for
                all who may update the record. Without, only their authors are told.

        Returns:
            The entity, to say who may do what with it.

        Raises:
            TypeError: `partition` is no list of names.
            ValueError: the name, a strategy or a partition is not one; or the schema says it.
            RuntimeError: it is divided while the app runs.

        Example:
            >>> app = App(store="memory://")
            >>> _ = app.entity("profiles", merge={"role": "server_wins"})
            >>> app.entity("tasks", partition=["team"])
            Entity('tasks')
        """
        said = Said(merge, partition, fields=fields, conflicts=conflicts)
        return self._declared.add_entity(name, said, self._runs)

    def scope(self, entity: str) -> Callable[[S], S]:
        """Have a function say which parts of an entity somebody reads. A decorator.

        The function takes the `Grant` and returns fields with their values, or a list of such;
        `True` for all records, `None` for none. It takes the place of a rule for `read`, where that
        is more than equality with what is known of somebody. A plain function runs in a thread. If
        it fails, nobody reads anything.

        Args:
            entity: its name; it has to be declared, and divided by these fields.

        Raises:
            TypeError: the function takes other arguments.
            ValueError: there is one for this entity already.
            RuntimeError: the app runs already.

        Example:
            >>> app = App(store="memory://")
            >>> _ = app.entity("docs", partition=["project"])
            >>> @app.scope("docs")
            ... def readable(who):
            ...     return {"project": ["red", "blue"] if who.subject == "ada" else []}
        """
        return self._declared.scope(entity, self._runs)

    def upcast(self, entity: str, *, version: int) -> Callable[[U], U]:
        """Have a function make writes of older versions of the schema ones of a version.

        A decorator; the function takes an `Edit` and changes it. Keys have their new names.

        Args:
            entity: its name.
            version: writes that were made before it become writes of it.

        Raises:
            TypeError: the function takes other arguments, or waits.
            ValueError: there is no such entity or version in the schema.
            RuntimeError: the app runs already.
        """
        return self._declared.upcast(entity, version, self._runs)

    def form(self, name: str, *, extra: Extra | None = None) -> Form:
        """The form of this name, to register validators with; a new one the first time.

        Args:
            name: 1 to 255 bytes.
            extra: what becomes of a name that clients send and the form does not have: `forbid`
                refuses it and suggests the right one, which is the rule; `ignore` takes it for
                valid. Names that begin with `_`, and those of common CSRF tokens and captchas, are
                always ignored. In a page only what looks like a misspelt field is refused.

        Raises:
            TypeError: the name is no string.
            ValueError: the name, or `extra`, is not one.

        Example:
            >>> contact = app.form("contact", extra="ignore")
            >>> _ = contact.field("name", required=True)
            >>> (await client.validate_field("contact", "name", "")).error
            'is required'
        """
        forms = self._declared.forms
        form = forms.get(name) or forms.setdefault(name, Form(name, life=self._life))
        if extra is not None:
            form.names.extra = extra
        return form

    @overload
    def on_commit(self, hook: H, /) -> H: ...

    @overload
    def on_commit(
        self, entity: str | None = None, *, blocking: bool | None = None
    ) -> Callable[[H], H]: ...

    def on_commit(
        self, entity: str | H | None = None, *, blocking: bool | None = None
    ) -> H | Callable[[H], H]:
        """Have a function called after each commit, in order. A decorator.

        It takes the `Change`. One that takes long makes the next ones late.

        Args:
            entity: of this entity only.
            blocking: whether it must stay off the event loop. By default a plain function does,
                and runs in a thread; an `async` one does not.

        Raises:
            TypeError: the function takes other arguments.

        Example:
            >>> app = App(store="memory://")
            >>> @app.on_commit("tasks")
            ... async def notify(change: Change) -> None:
            ...     print(change.entity_id, change.data)
        """
        if entity is not None and not isinstance(entity, str):
            self._hooks.add(None, entity)
            return entity

        def add(hook: H) -> H:
            self._hooks.add(entity, hook, blocking)
            return hook

        return add

    # Running.

    async def start(self) -> str:
        """Open the store and listen.

        Returns:
            The address of the WebSocket endpoint.

        Raises:
            RhtmxError: the store cannot be opened, or the server would be open to all, and why.
            ValueError: what was declared cannot work, in words that say what to write.
            OSError: the address cannot be used.
            RuntimeError: it runs already.

        Example:
            >>> await (app := App(store="memory://", config=Config(port=0))).start()
            'ws://127.0.0.1:.../api/ws'
            >>> await app.stop()
        """
        return await self._begin(True)

    async def stop(self) -> None:
        """Finish what was accepted, tell every client to reconnect, and close."""
        await self._life.stop()

    async def serve(self, *, ready: Callable[[str], None] | None = None) -> None:
        """Run until cancelled. Raises what `start` raises; `ready` is told the address once."""
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

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def asgi(self) -> AsgiApp:
        """The server as an ASGI application, to be mounted in one that you have, under any path.

        Without `authenticate` (or `open`) it serves its own machine only, whatever the host does.

        Example:
            >>> from starlette.applications import Starlette
            >>> from starlette.routing import Mount
            >>> live = App(store="memory://").asgi()
            >>> host = Starlette(routes=[Mount("/live", live)], lifespan=live.lifespan)
        """
        return self._asgi

    @property
    def url(self) -> str:
        """The address of the WebSocket endpoint, while running."""
        return self._running.url

    @property
    def grpc_address(self) -> str:
        """Where gRPC is served, as `host:port`, while running; empty if it is not."""
        return self._running.grpc.address

    @property
    def blueprint(self) -> Blueprint:
        """What its server is made of; `rhtmx_server.testing` makes one with other parts."""
        parts = self._declared, self._hooks, self.pages, self.metrics, self._life
        return Blueprint(self.config, self._storage, *parts)

    # Writing and reading, while running.

    def collection(
        self,
        entity: str,
        type: type[Data] | None = None,  # noqa: A002 (what it is)
        *,
        where: EntityPart = None,
        who: Grant | None = None,
    ) -> AppCollection[Data]:
        """An entity, or a part of it, to read and write: the calls of a client's collection.

        It may be made before the app runs. Without an event loop: `app.sync.collection`.

        Args:
            entity: its name.
            type: what type checkers are told that the data of its records is.
            where: the part, as a client asks for it: `{"team": "red"}`.
            who: in whose name, with exactly the rights of that `Grant`; `None` for the program
                itself, which may do everything, and sees the fields that never leave the server.

        Example:
            >>> result = await app.collection("orders").patch("1", {"count": 2})
            >>> rows = await app.collection("orders", who=Grant("ada")).all()
        """
        return self._calls.collection(entity, where, who)

    def of(
        self, declared: type[R], *, where: EntityPart = None, who: Grant | None = None
    ) -> AppTypedCollection[R]:
        """The entity of a dataclass of the schema, `app.of(Order)`, as of a client: `client.of`.

        Args:
            declared: the dataclass of its records; `TypeError`, if it is none.
            where: the part, by the schema's names of fields.
            who: in whose name; see `collection`.
        """
        return self._calls.of(declared, where, who)

    @property
    def changes(self) -> ChangeTracker:
        """Whole records: writes take the same road as a socket's."""
        return self._calls.changes

    @property
    def fields(self) -> FieldTracker:
        """Records field by field: writes take the same road as a socket's."""
        return self._calls.fields

    def transaction(
        self,
        *,
        who: Grant | None = None,
        client_id: str | None = None,
        seq: int | None = None,
        timestamp: datetime | None = None,
    ) -> AppTransaction:
        """Write several records together: all of them or none; without a write nothing is done.

        Args:
            who: in whose name; see `collection`.
            client_id: the author: any, unless there is a `seq`.
            seq: the number of this mutation, for a caller that numbers them under a `client_id`.
            timestamp: when its fields were written, if not now. It is a part of the write: one that
                is sent again with its number has to have the same.

        Example:
            >>> async with app.transaction() as both:
            ...     both.set("orders", "7", {"goods": "tea"})
            ...     both.delete("carts", "7")
            >>> [each.entity for each in both.result.results]
            ['orders', 'carts']
        """
        return self._calls.transaction(who, client_id, seq, timestamp, AppTransaction)

    async def history(
        self,
        entity: str,
        entity_id: str | None = None,
        *,
        since: int | HistoryPosition = 0,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> HistoryPage[HistoryChange]:
        """Commits and lost field writes that are still kept, oldest first: one page of them.

        Args:
            entity: the collection.
            entity_id: only this record.
            since: the last version that is not wanted, or the `end` of the page before.
            until: the last moment that is wanted.
            limit: at most so many entries, and about 1 MiB of data. Only an empty page is the end.

        Example:
            >>> page = await app.history("users")
            >>> while page:
            ...     for change in page:
            ...         print(change.version, change.data)
            ...     page = await app.history("users", since=page.end)
            1 {'name': 'Ada'}
        """
        return await self._calls.history(entity, entity_id, since, until, limit)

    # Whoever is connected, while running.

    def room(self, name: str) -> AppRoom:
        """Who is at a record now, such as `orders/7`, and a way to tell them something."""
        return AppRoom(self._running.services.rooms, name)

    async def rescope(self, subject: str) -> None:
        """Find out anew what a subject may read, on all its connections.

        To be called when what `scope` functions say has changed. What was gained is sent, and what
        may not be read any more is taken away. Returns when nothing of before has effect here.
        """
        await self._running.rescope(subject)

    def disconnect(self, subject: str) -> None:
        """End a subject's connections and calls, from any thread; who comes again is asked anew."""
        self._life.call(lambda server: server.disconnect(subject))

    # Inside.

    async def _begin(self, listens: bool, *, mounted: bool = False) -> str:
        self._hooks.check(self._declared.allowed)
        config = self.config if listens or mounted else replace(self.config, grpc_port=None)
        # Where a host listens, nobody knows here: `AsgiDoor` looks at who comes.
        reached = config if listens else replace(config, host="127.0.0.1")
        check_open(reached, asks=self._declared.authenticate is not None)
        return await self._life.start(lambda: self._compose(config), listens=listens)

    def _runs(self) -> bool:
        return self._life.server is not None

    @property
    def _running(self) -> RunningServer:
        return self._life.running

    def _compose(self, config: Config) -> RunningServer:
        return compose(replace(self.blueprint, config=config))
