"""What every door needs of the server, in one object: its parts, and the rules of entry.

Knows the interfaces; `composition.py` fills it with concrete parts. Must not know the doors
themselves (sockets, gRPC, plain HTTP, the app's own calls).

A rule that several doors have to keep stands here once, so that no door can forget it:

==============  ============================================================
method          the rule
==============  ============================================================
`submit`        which mutations are rejected before anybody decides them
`known`         which entities may be used, and at which granularity
`grant`         what a token is good for, and `until` when
`client`        who may use a `client_id`
`reading`       what of an entity somebody reads
`session`       what one conversation may ask for
`rescope`       from when on other rights count
`disconnect`    from when on somebody has to say anew who it is
`unlock`        how many connections may speak for one subject; `ended` gives back
==============  ============================================================
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from msgspec import structs

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Push, PushFields, SchemaVersion, Transaction
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS
from rhtmx.values.operations import OPERATIONS
from rhtmx.values.transaction_writes import writes_of
from rhtmx_server.access.access import Access
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.access.scopes import scope_id
from rhtmx_server.config import Config
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.connections.admission import Admission
from rhtmx_server.connections.allowance import Allowance
from rhtmx_server.connections.answers import check_answer, logged_entity
from rhtmx_server.connections.checks import check
from rhtmx_server.connections.session import Session, SessionLimits
from rhtmx_server.connections.turns import Turns
from rhtmx_server.connections.visits import Visits, token_expired
from rhtmx_server.connections.write_lines import WriteLines
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.delivery.page_sender import ReadingConnection
from rhtmx_server.delivery.record_history import RecordHistory
from rhtmx_server.delivery.subscriptions import Subscriptions
from rhtmx_server.delivery.traced_reading import CountedReads, Spawn, traced_spawn
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.forms.live import LiveForms
from rhtmx_server.forms.traced_forms import TracedForms
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import NOWHERE, THE_APP, THE_TABLE, ClientRow, Granularity, Mutation
from rhtmx_server.ports import Store
from rhtmx_server.rooms.ports import RoomLimits
from rhtmx_server.rooms.rooms import Rooms
from rhtmx_server.schema.seen import SeenSchema
from rhtmx_server.schema.upcast import Upcaster
from rhtmx_server.schema.upcast_mutation import upcast
from rhtmx_server.tracing import Tracing
from rhtmx_server.writing.committer import Committer
from rhtmx_server.writing.identity import check_owner

__all__ = ["Authenticator", "Services"]


Authenticator = Callable[[Request], Awaitable[Grant]]
"""Says who a peer is, or raises `RhtmxError` with `UNAUTHENTICATED`."""


@dataclass(slots=True)
class Services:
    """The server, as its doors see it.

    Args:
        config: limits and times.
        store: what was written.
        hub: what is being written.
        committer: where to write.
        tick: when bytes go out.
        turns: who has more to do than one turn of the loop allows.
        forms: the validators.
        metrics: takes figures.
        clock: the time; microseconds since 1970.
        now: seconds, of a clock that does not jump.
        entities: the names that may be used; `None` for any.
        fieldless: the entities that are kept without fields.
        unlogged: the entities that have no conflict log.
        mirrored: the entities whose records are the rows of a table, which nobody else writes.
        authenticate: says who a peer is; `None` where nobody is asked.
        admission: counts connections.
        new_secret: makes what gives the right to a client id there.
        access: who may see what.
        upcaster: makes writes of older versions of the application's schema ones of today.
        app_schema: that schema, as `welcome` says it.
        seen: what others can read of that schema.
        reach: where other servers write, too: has the hub be at least where logs end now, and at
            the versions that somebody has seen; `None` for a server that is alone.
        node: its short name among several, as `welcome` says it; `None` likewise.
        tracing: traces what is done; `None` where nothing is traced.

    Attributes:
        lines: where writes wait until it is known what their author reads, if a function
            of the program says that of some entity.
        live_forms: the forms that connections have open.
        visits: who is answered without a connection.
        rooms: who is at which record now.
        asking: for each question who a peer is: who was disconnected since it was asked.
        limits: what one session may ask for.
    """

    config: Config
    store: Store
    hub: Hub
    committer: Committer
    tick: Tick
    turns: Turns
    forms: FormTracker | TracedForms
    metrics: Metrics
    clock: Callable[[], int]
    now: Callable[[], float]
    entities: frozenset[str] | None = None
    fieldless: frozenset[str] = frozenset()
    unlogged: frozenset[str] = frozenset()
    mirrored: frozenset[str] = frozenset()
    authenticate: Authenticator | None = None
    admission: Admission = field(default_factory=Admission)
    new_secret: Callable[[], str] = secrets.token_urlsafe
    access: Access = field(default_factory=Access)
    upcaster: Upcaster | None = None
    app_schema: SchemaVersion | None = None
    seen: SeenSchema = field(default_factory=lambda: SeenSchema(None))
    reach: Callable[[Iterable[str], Mapping[str, int]], Awaitable[None] | None] | None = None
    node: str | None = None
    tracing: Tracing | None = None
    lines: WriteLines | None = field(init=False, default=None)
    live_forms: LiveForms = field(init=False)
    visits: Visits = field(init=False)
    rooms: Rooms = field(init=False)
    asking: dict[object, set[str]] = field(init=False, default_factory=dict)
    limits: SessionLimits = field(init=False)

    def __post_init__(self) -> None:
        self.live_forms = LiveForms(self.forms, self.now, most_bytes=2 * self.config.max_size)
        self.visits = Visits(self.now, lambda entity: self.access.waits(entity), self.still_reading)
        if self.access.asks_the_program:
            self.lines = WriteLines(self.access, self.committer.submit)
        config, rate = self.config, self.config.room_messages
        self.limits = SessionLimits(
            config.subscriptions, config.requests, config.bad_messages, config.heartbeat
        )

        def allowance() -> Callable[[], float]:
            counted = Allowance(2 * rate, rate, self.now)
            return lambda: 0.0 if counted.take() else counted.wait()

        self.rooms = Rooms(
            self.hub,
            self.store.record,
            self.access.parts_of,
            now=self.now,
            clock=self.clock,
            later=self.later,
            allowance=allowance,
            limits=RoomLimits(
                config.rooms,
                config.room_members,
                config.room_members_per_subject,
                config.memberships_per_subject,
            ),
            sent=self.metrics.sent,
            dropped=self.metrics.dropped,
            refused=self.metrics.room_refused,
        )
        self.metrics.rooms.set_function(lambda: self.rooms.open_rooms)
        self.metrics.room_members.set_function(lambda: len(self.rooms.local))

    def later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        """Have a function called after so many seconds."""
        return asyncio.get_running_loop().call_later(seconds, do)

    @property
    def past(self) -> RecordHistory:
        """What has become of records."""
        return RecordHistory(self.store, self.access)

    def known(self, entity: str, granularity: Granularity = Granularity.RECORDS) -> None:
        """Make sure that an entity may be used in this way.

        Raises:
            RhtmxError: `UNKNOWN_ENTITY`; `NOT_SUPPORTED` for the fields of one
                that is kept without, and for a conflict log where none is kept.
        """
        if entity.startswith(RESERVED):
            entity = logged_entity(entity, granularity, self.unlogged)
        if granularity is Granularity.FIELDS and entity in self.fieldless:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"'{entity[:40]}' is kept without fields: read whole records instead",
            )
        if self.entities is not None and entity not in self.entities:
            raise RhtmxError(
                ErrorCode.UNKNOWN_ENTITY,
                f"no entity '{entity[:40]}' on this server: is it declared?",
            )

    def submit(self, mutation: Mutation) -> RhtmxError | None:
        """Put a mutation in line. Every door's mutations come through here.

        One that is rejected takes its place in the order all the same, and uses up its
        number: a client whose next number was never taken could write nothing more.

        Returns:
            Why it is rejected, where that is known before it is decided.
        """
        message = mutation.message
        if self.tracing is not None:
            self.tracing.push(mutation)
        if mutation.rejection is None:  # else it could not even be read
            try:
                if message.seq is not None and mutation.client_id is None:
                    raise RhtmxError(
                        ErrorCode.BAD_MESSAGE,
                        "seq: numbers belong to a client_id, and none was given: say hello with "
                        "one (gRPC: send x-rhtmx-client-id with each call; Python: client_id=…), "
                        "or leave seq out",
                    )
                check(message)
                # Not `isinstance`: for messages that is a call.
                if type(message) is Transaction and not mutation.sql_rows:  # which has its writes
                    parts = writes_of(message)
                    mutation.writes = [structs.replace(mutation, message=each) for each in parts]
                if message.schema_version is not None and self.upcaster is not None:
                    upcast(mutation, message.schema_version, self.upcaster)
                self._admit(mutation)  # what it says today
            except RhtmxError as error:
                mutation.rejection = error
        if self.lines is None:
            self.committer.submit(mutation)
        else:
            self.lines.submit(mutation)
        return mutation.rejection

    def _admit(self, mutation: Mutation) -> None:
        """Make sure that a mutation may be decided, and each write of a transaction."""
        message = mutation.message
        if type(message) is Push or type(message) is PushFields:
            self._admit_write(mutation, message, "push_fields")
        for index, each in enumerate(mutation.writes):
            try:
                self._admit_write(mutation, each.write, f"transaction.writes[{index}]")
            except RhtmxError as error:
                if not mutation.sql_rows:
                    raise
                each.rejection = error  # the others are true all the same

    def _admit_write(self, mutation: Mutation, write: Push | PushFields, where: str) -> None:
        """Make sure that a single write may be decided."""
        entity, is_log = write.entity, write.entity.startswith(RESERVED)
        if is_log or not (self.entities is None or entity in self.entities):
            self.known(entity)
        if entity in self.mirrored and mutation.source != THE_TABLE:
            raise RhtmxError(
                ErrorCode.FORBIDDEN,
                f"'{entity[:40]}' shows the rows of a table: write the table instead, as the "
                "application does (a form of it, its HTTP API, or SQL)",
            )
        # The program of the server may do everything, and has its answer: it sends nothing again.
        if is_log and mutation.who is not None:
            check_answer(write)
        is_once = mutation.message.seq is not None or mutation.secret == THE_APP
        if not is_once and type(write) is PushFields:
            _check_repeatable(write, where)

    async def grant(self, request: Request) -> tuple[Grant, float | None]:
        """Ask the program who a peer is; once more if they were disconnected meanwhile.

        Args:
            request: what is known of the peer, its token with it.

        Returns:
            The grant, and when it ends: in seconds of `now`, `None` for never.

        Raises:
            RhtmxError: `UNAUTHENTICATED`, the program does not know, or not any more;
                `NOT_SUPPORTED` where nobody is asked for one.
        """
        if self.authenticate is None:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED, "this server knows no tokens: it asks nobody who they are"
            )
        question, ended = object(), set[str]()
        while True:
            self.asking[question] = ended
            try:
                grant = await self.authenticate(request)
            finally:
                del self.asking[question]
            if grant.subject not in ended:
                break
            ended.clear()
        return grant, self.until(grant)

    def until(self, grant: Grant) -> float | None:
        """When a grant ends: in seconds of `now`, `None` for never.

        Raises:
            RhtmxError: `UNAUTHENTICATED`, it has ended.
        """
        if grant.expires is None:
            return None
        left = (grant.expires - self.clock()) / 1e6
        if left <= 0:
            raise token_expired()
        # From here on by the clock that does not jump: setting the time ends no conversation.
        return self.now() + left

    async def client(self, client_id: str, subject: str, secret: bytes | None) -> ClientRow | None:
        """Tell early whether an id may be used, and what is kept of its client.

        Only early: what is written under it is checked again in its transaction.

        Args:
            client_id: the id.
            subject: who wants to use it; empty for nobody in particular.
            secret: the hash of what was presented for it.

        Raises:
            RhtmxError: `CLIENT_ID_TAKEN`, it is another's.
        """
        client = await self.store.client(client_id)
        check_owner(client, subject, secret)
        return client

    async def reading(self, entity: str, who: Grant | None, where: bytes | None = None) -> Reading:
        """Tell what of an entity somebody reads.

        Args:
            entity: the collection.
            who: the reader; `None` for the program itself.
            where: the part that is wanted; `None` for all that may be read.

        Raises:
            RhtmxError: `FORBIDDEN`, nothing of it may be read; `NOT_SUPPORTED` or
                `BAD_MESSAGE`, it cannot be read by this `where`.
        """
        scope = await self.access.readable(entity, who, where)
        if scope is None:
            return Reading(entity, where)
        return Reading(entity, where, scope, scope_id(scope, self.access.declared(entity)))

    def reached(self, entities: Iterable[str], seen: Mapping[str, int]) -> Awaitable[None] | None:
        """Have the hub be where logs end, if other servers write, too, and it may not be there.

        Args:
            entities: the collections.
            seen: up to which version somebody has seen some of them, maybe at another server.

        Returns:
            What has to be awaited before they are read; `None` where it is there.
        """
        return None if self.reach is None else self.reach(entities, seen)

    async def still_reading(self, entity: str, who: Grant, where: bytes | None) -> Reading:
        """Tell what is left to a reader whose rights may have changed: maybe nothing."""
        try:
            return await self.reading(entity, who, where)
        except RhtmxError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
        return Reading(entity, where, NOWHERE, scope_id(NOWHERE, self.access.declared(entity)))

    async def rescope(self, subject: str) -> None:
        """Have everything but connections go by what a subject may read now.

        Writes that were in line already are judged by what was before, and durable or
        refused when this returns; those that come meanwhile are not.
        """
        self.access.changed(subject)
        self.rooms.give_up(subject)
        await self.visits.rescope(subject)
        await self.committer.settle(
            lambda mutation: mutation.who is not None and mutation.who.subject == subject
        )

    def disconnect(self, subject: str) -> None:
        """Have everything but connections end that is done for a subject."""
        for ended in self.asking.values():
            ended.add(subject)
        self.visits.disconnect(subject)
        self.rooms.give_up(subject)

    def session(
        self,
        request: Callable[[], Request],
        *,
        locked: bool,
        heartbeat: float | None = None,
    ) -> Session:
        """Begin a conversation.

        Args:
            request: tells what the door knows of the peer.
            locked: it has to say first who it is.
            heartbeat: seconds between signs of life; by default as configured.
        """
        limits = self.limits if heartbeat is None else replace(self.limits, heartbeat=heartbeat)
        return Session(secrets.token_hex(8), limits, self.now(), locked=locked, request=request)

    def subscriptions(self, reader: ReadingConnection, spawn: Spawn) -> Subscriptions:
        """Make what a connection reads.

        Args:
            reader: the connection.
            spawn: runs a coroutine as a task that ends with it.
        """
        if self.tracing is None:
            return Subscriptions(reader, self.store, self.hub, spawn)
        reads = CountedReads(self.store)
        traced = traced_spawn(self.tracing, reader, reads, spawn)
        return Subscriptions(reader, reads.store, self.hub, traced)

    def unlock(self, session: Session, grant: Grant, until: float | None) -> None:
        """Let a conversation go on in somebody's name; `ended` has to follow.

        Args:
            session: the conversation.
            grant: who it is.
            until: when that ends, as `grant` has it.

        Raises:
            RhtmxError: `TOO_MANY_REQUESTS`, too many connections speak for the subject;
                `UNAUTHENTICATED`, this one speaks for another.
        """
        if grant.subject and not session.subject:  # a fresh token for the same one counts nothing
            self.admission.speak(grant.subject)
        session.unlock(grant, until)

    def ended(self, session: Session) -> None:
        """Take note that a conversation is over, and speaks for nobody any more."""
        if session.subject:
            self.admission.hush(session.subject)


def _check_repeatable(message: PushFields, where: str) -> None:
    """Refuse an operation that, sent again after a lost answer, would count twice."""
    for index, update in enumerate(message.fields):
        if update.action in OPERATIONS:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{where}.fields[{index}]: '{FIELD_ACTION_SPELLINGS[update.action]}' needs a "
                "seq, since it would count twice if it were sent again: say hello with a "
                "client_id, and number your writes",
            )
