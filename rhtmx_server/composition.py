"""What a program declared, and how the parts of a server are made of it.

Knows the concrete parts and what each of them needs. Must not know how something is
declared, nor when a server starts or stops.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar

from rhtmx.messages import MergeStrategy, Push, PushFields
from rhtmx.schema.declared import Schema
from rhtmx.wire import check_json
from rhtmx.wire.limits import FORBIDDEN_KEYS
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity, Partition, check_entity_name, parse_partition
from rhtmx_server.cluster import ClusterNode
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import Admission
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.scope_functions import ScopeFunction, access_of, check_scope_function
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.tokens import AuthenticateFunction, authenticator
from rhtmx_server.connections.turns import Turns
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.forms.attestor import Attestor
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.forms.reads import require_read
from rhtmx_server.forms.receipts import Receipts
from rhtmx_server.forms.runner import ValidatorRunner
from rhtmx_server.forms.traced_forms import TracedForms
from rhtmx_server.hooks import CommitHooks, HookRunner
from rhtmx_server.horizon import ServerClock, wall_clock
from rhtmx_server.leadership import Leadership
from rhtmx_server.lifecycle import Lifecycle
from rhtmx_server.metrics import Metrics
from rhtmx_server.mirror.feed import MirrorFeed
from rhtmx_server.mirror.mirrors import Mirrors
from rhtmx_server.mirror.writer import RecordWriter
from rhtmx_server.ports import Decide, Store
from rhtmx_server.schema.declare import require_nothing_said
from rhtmx_server.schema.seen import SeenSchema
from rhtmx_server.schema.untold import untold
from rhtmx_server.schema.upcast import (
    Upcaster,
    UpcastFunction,
    check_place,
    check_upcast,
    version_of,
)
from rhtmx_server.server import RunningServer
from rhtmx_server.sql_writes import SqlStore
from rhtmx_server.storage import Storage
from rhtmx_server.threads import DaemonPool
from rhtmx_server.tracing import Tracing
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import Policy, Strategy, entity_policy, policies
from rhtmx_server.writing.admit import admit_declared
from rhtmx_server.writing.committer import Committer, at_once
from rhtmx_server.writing.conflict_logs import ConflictLogs
from rhtmx_server.writing.entity_functions import EntityFunctions
from rhtmx_server.writing.sql_feed import SqlFeed

__all__ = ["Blueprint", "Declarations", "Merge", "Said", "compose"]


S = TypeVar("S", bound=ScopeFunction)
U = TypeVar("U", bound=UpcastFunction)

Merge: TypeAlias = str | MergeStrategy | Mapping[str, Strategy] | None
"""How fields are merged: one strategy for all of them, or one for each."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said of an entity; see `App.entity`."""

    merge: Merge
    partition: Partition
    fields: bool
    conflicts: bool


@dataclass(slots=True)
class Declarations:
    """What a program said of its server before it runs.

    Args:
        undeclared: whether entities that were not declared may be used; `None`: if none was.
        authenticate: says who a peer is; `None` where nobody is asked.

    Attributes:
        entities: what was said of each entity about its access and its parts.
        policies: how each of them merges; `None` for one that is kept without fields.
        scopes: for some of them, the function that says what somebody reads.
        forms: the forms.
        silent: the entities of which no conflict log is kept, by their declaration.
        schema: that of the application, if it has one.
        upcasts: what the program says of writes of older versions of that, by entity and version.
        tables: what of it shows the rows of the application's own tables.
    """

    undeclared: bool | None = None
    authenticate: AuthenticateFunction | None = None
    entities: dict[str, Entity] = field(default_factory=dict)
    policies: dict[str, Policy | None] = field(default_factory=dict)
    scopes: dict[str, ScopeFunction] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    schema: Schema | None = None
    upcasts: dict[tuple[str, int], list[UpcastFunction]] = field(default_factory=dict)
    tables: Mirrors | None = None

    def mirrors(self, running: Callable[[], bool]) -> Mirrors:
        """What takes what is said of the application's own tables; see `App.mirror`."""

        def declare(name: str) -> None:
            if name not in self.entities:
                said = Said(merge=None, partition=None, fields=True, conflicts=False)
                self.add_entity(name, said, running)

        self.tables = Mirrors(declare, running)
        return self.tables

    def has_in_schema(self, name: str) -> bool:
        """Whether an entity was declared by the schema."""
        return self.schema is not None and name in self.schema.entities

    def add_entity(self, name: str, said: Said, running: Callable[[], bool]) -> Entity:
        """Take what is said of an entity; see `App.entity`."""
        check_entity_name(name, FORBIDDEN_KEYS)
        if self.has_in_schema(name):
            require_nothing_said(
                name, said.merge, said.partition, fields=said.fields, conflicts=said.conflicts
            )
            return self.entities[name]
        policy = entity_policy(name, said.merge, fields=said.fields)
        entity = self.entities.get(name) or Entity(name, running)
        if said.partition is not None:
            entity.divide(parse_partition(name, said.partition, FORBIDDEN_KEYS))
        self.entities[name], self.policies[name] = entity, policy
        self.silent.discard(name)
        if not said.conflicts:
            self.silent.add(name)
        return entity

    def scope(self, entity: str, running: Callable[[], bool]) -> Callable[[S], S]:
        """A decorator for what says which parts of an entity somebody reads; see `App.scope`."""

        def add(function: S) -> S:
            if running():
                raise RuntimeError(f"app.scope({entity!r}): the app is running: say it before")
            check_scope_function(entity, function)
            if entity in self.scopes:
                raise ValueError(f"app.scope({entity!r}): there is one already: join them")
            self.scopes[entity] = function
            return function

        return add

    def upcast(self, entity: str, version: int, running: Callable[[], bool]) -> Callable[[U], U]:
        """A decorator for what makes older writes of an entity ones of a version; see `App`."""
        name = f"app.upcast({entity!r}, version={version})"

        def add(function: U) -> U:
            if running():
                raise RuntimeError(f"{name}: the app is running: say it before")
            check_upcast(function, name)
            check_place(self.schema, entity, version, name)
            self.upcasts.setdefault((entity, version), []).append(function)
            return function

        return add

    @property
    def hides(self) -> Mapping[str, Collection[str]]:
        """The keys of the fields that never leave the server, by entity."""
        return {name: each.hidden for name, each in self.entities.items() if each.hidden}

    @property
    def allowed(self) -> frozenset[str] | None:
        """The names of the entities that may be used; `None` for any."""
        open_to_all = not self.entities if self.undeclared is None else self.undeclared
        return None if open_to_all else frozenset(self.entities)

    @property
    def fieldless(self) -> frozenset[str]:
        """The entities that are kept without fields."""
        return frozenset(name for name, policy in self.policies.items() if policy is None)

    @property
    def unlogged(self) -> frozenset[str]:
        """The entities that have no conflict log: without fields nothing is in conflict."""
        return self.fieldless | self.silent


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a server is made of.

    Args:
        config: limits and times.
        storage: where records are kept, and the bus to other servers that use it.
        declared: what the program said.
        hooks: what it wants to be told.
        pages: what is served over plain HTTP besides the API.
        metrics: takes figures.
        life: whether there is a server; has the threads.
        wall: the time; microseconds since 1970.
        now: seconds, of a clock that does not jump.
    """

    config: Config
    storage: Storage
    declared: Declarations
    hooks: CommitHooks
    pages: Mapping[str, tuple[str, bytes]]
    metrics: Metrics
    life: Lifecycle
    wall: Callable[[], int] = wall_clock
    now: Callable[[], float] = time.monotonic


def compose(plan: Blueprint) -> RunningServer:
    """Put a server together. To be called where the event loop runs."""
    storage, now = plan.storage, plan.now
    shared, bus, connections = storage.shared, storage.bus, plan.life.connections
    # By one clock, however many servers there are: that of the store they share.
    wall = plan.wall if shared is None else lambda: plan.wall() + shared.ahead
    clock = ServerClock(wall, now)
    services = _services(plan, clock)
    leadership = Leadership(shared, now)
    hides = plan.declared.hides
    runner = HookRunner(
        plan.hooks,
        services.store,
        hiding=hides,
        shared=shared,
        leads=leadership,
        now=now,
        threads=plan.life.pools.make(1, "rhtmx-hook"),
    )
    node = None
    if shared is not None and bus is not None:
        node = ClusterNode(shared, bus, services, runner, leadership, hides, connections)
    feed = None
    if storage.sql is not None:
        feed = _sql_feed(storage.sql, services, clock, leadership)
    mirrors = _mirrors(plan, services, leadership)
    return RunningServer(services, runner, plan.pages, clock, leadership, node, feed, mirrors)


def _mirrors(plan: Blueprint, services: Services, leads: Leadership) -> Sequence[MirrorFeed]:
    """What keeps records as the rows of the application's tables are."""
    tables = plan.declared.tables
    if tables is None:
        return ()
    writer = RecordWriter(plan.storage.store, services.submit, check_json)
    thread = partial(plan.life.pools.make, 1)
    return list(tables.feeds(plan.declared.entities, writer, thread, leads, services.metrics))


def _sql_feed(
    store: SqlStore, services: Services, clock: ServerClock, leads: Callable[[], bool]
) -> SqlFeed:
    """What applies the writes from an application's own SQL."""
    return SqlFeed(
        store,
        services.submit,
        clock,
        check_json,
        leads,
        services.metrics,
        epoch=lambda: services.store.epoch,
    )


def _services(plan: Blueprint, clock: ServerClock) -> Services:
    """What every door needs of a server."""
    config, storage, declared, metrics = plan.config, plan.storage, plan.declared, plan.metrics

    def pool(name: str) -> DaemonPool:
        return plan.life.pools.make(config.validator_threads, name)

    call_soon = asyncio.get_running_loop().call_soon
    tick = Tick(call_soon)
    hub = Hub(tick, metrics.delivered, metrics.dropped)
    _measure(metrics, plan.life.connections)
    store = storage.store
    ask, scoping = declared.authenticate, pool("rhtmx-scope")
    unlogged, schema = declared.unlogged, declared.schema
    access = access_of(
        declared.entities, declared.scopes, scoping, config.validator_timeout, unlogged=unlogged
    )
    forms = _forms(plan, clock, pool("rhtmx-validator"))
    tracing = _tracing(storage.database) if config.tracing else None
    return Services(
        config=config,
        store=untold(store, declared.hides),
        hub=hub,
        committer=_committer(plan, clock, access, hub, tracing),
        tick=tick,
        turns=Turns(plan.now, call_soon),
        forms=forms if tracing is None else TracedForms(forms, tracing),
        metrics=metrics,
        clock=clock.wall,
        now=plan.now,
        entities=declared.allowed,
        fieldless=declared.fieldless,
        unlogged=unlogged,
        mirrored=frozenset() if declared.tables is None else declared.tables.entities,
        authenticate=ask and authenticator(ask, pool("rhtmx-authenticate")),
        admission=Admission(config, metrics.handshake_refused),
        access=access,
        upcaster=None if schema is None else Upcaster(schema, declared.upcasts, declared.entities),
        app_schema=None if schema is None else version_of(schema),
        seen=SeenSchema(schema),
        tracing=tracing,
    )


def _tracing(database: str) -> Tracing:
    """What traces the server: that of the program, with OpenTelemetry."""
    from rhtmx_server.otel import OtelTracer  # only where it is asked for: it may not be installed

    def said(owner: Hashable) -> str | None:
        if isinstance(owner, Connection):
            return owner.session.traceparent
        # A call through gRPC, which may not be installed; the app's own questions say nothing.
        found: str | None = getattr(owner, "traceparent", None)
        return found

    return Tracing(OtelTracer(), said, database)


def _forms(plan: Blueprint, clock: ServerClock, threads: DaemonPool) -> FormTracker:
    """What judges forms."""
    config, entities = plan.config, plan.declared.allowed
    if entities is not None:
        for form in plan.declared.forms.values():
            require_read(form, entities)
    return FormTracker(
        ValidatorRunner(threads, timeout=config.validator_timeout, meter=plan.metrics),
        plan.declared.forms,
        at_once=config.requests,
        loop=asyncio.get_running_loop(),
        attestor=_attestor(config, plan.storage.store, clock),
    )


def _attestor(config: Config, store: Store, clock: ServerClock) -> Attestor:
    """What gives and takes receipts of forms."""
    secret = secrets.token_bytes(32) if config.secret is None else config.secret.encode()

    async def end(entity: str) -> int:
        # Of the store, not of the hub: another server may have written a moment ago.
        return (await store.head(entity)).version

    receipts = Receipts(secret, config.receipt_seconds)
    return Attestor(receipts, clock.wall, lambda: store.epoch, end)


def _committer(
    plan: Blueprint, clock: ServerClock, access: Access, hub: Hub, tracing: Tracing | None
) -> Committer:
    """What writes."""
    config, declared, shared = plan.config, plan.declared, plan.storage.shared
    return Committer(
        plan.storage.store,
        _deciders(declared, config),
        clock,
        plan.metrics,
        most_clients=config.clients,
        admit=admit_declared(frozenset(declared.entities), config.entities, lambda: hub.entities),
        guards=access.guards,
        functions=_functions(config, plan.metrics),
        logs=ConflictLogs(access.guards, declared.unlogged, most_bytes=config.max_size),
        turn=at_once if shared is None else shared.turn,
        tracing=tracing,
    )


def _deciders(declared: Declarations, config: Config) -> Mapping[type[Push | PushFields], Decide]:
    """What decides each kind of write."""
    policy_of = policies(declared.policies)
    return {
        Push: changes_decider(policy_of),
        PushFields: fields_decider(policy_of, max_record=config.max_size),
    }


def _functions(config: Config, metrics: Metrics) -> EntityFunctions:
    """What calls the program's functions about writes."""
    return EntityFunctions(
        metrics.checked,
        budget=config.check_budget,
        max_record=config.max_size,
        elapsed=time.perf_counter,
    )


def _measure(metrics: Metrics, connections: Callable[[], Iterable[Connection]]) -> None:
    """Have figures of all connections together be looked up when somebody asks."""

    def total(figure: Callable[[Connection], int]) -> float:
        return sum(map(figure, connections()))

    metrics.outbox_bytes.set_function(lambda: total(lambda c: c.waiting))
    metrics.subscriptions.set_function(lambda: total(lambda c: c.subscriptions.count))
    metrics.lagging.set_function(lambda: total(lambda c: c.subscriptions.lagging))
