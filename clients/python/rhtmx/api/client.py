"""The Python client: one WebSocket for live data, live fields and live forms.

Knows what an application may ask for. Decides nothing, and does nothing itself: the
runtime does, and the session in it decides.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeAlias, TypeVar, overload

from rhtmx.api import pending_call
from rhtmx.api.collection import Collection
from rhtmx.api.conflict_resolution import Decisions, Pending, RejectedWrite
from rhtmx.api.form_questions import FormQuestions
from rhtmx.api.open_collections import OpenCollections
from rhtmx.api.open_conflict import ConflictAnswers, OpenConflict
from rhtmx.api.pending_call import Writing
from rhtmx.api.reading import field_stream, record_stream, sync_fields, sync_records
from rhtmx.api.room import Room
from rhtmx.api.transaction import ClientTransaction
from rhtmx.core import build_message
from rhtmx.core.choice import choice
from rhtmx.core.events import Reset, State
from rhtmx.core.granularity import Granularity
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Store
from rhtmx.core.where import WhereValues
from rhtmx.errors import RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Position,
    SchemaVersion,
)
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.runtime.endpoint import Endpoint
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.chunked_tuple import ChunkedTuple
from rhtmx.values.form_value import FormValue
from rhtmx.values.json_value import Data, Json
from rhtmx.values.progress import Progress
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, SyncResult, Validation
from rhtmx.wire import ServerMessage

if TYPE_CHECKING:
    from rhtmx.schema.declared import Declared

__all__ = ["Client"]

_Grain: TypeAlias = Literal["records", "fields"]
T = TypeVar("T")
P = ParamSpec("P")
M = TypeVar("M", bound=ServerMessage)

_now = partial(datetime.now, UTC)


class Client:
    """A client of one server. Made by `connect`, used with `async with`.

    Without a store, entering connects, and fails at once if that is not possible. With a store it
    returns as soon as that is open, and the connection comes by itself: what was held can be read,
    and what is written is sent later.

    From then on lost connections are made again, and what waits goes on: subscriptions from where
    they were, writes until they are durable, questions until they are answered. To wait no longer
    than you want, use `asyncio.timeout`. A write whose wait was cancelled is still sent.

    Args:
        session: what decides.
        endpoint: where to connect to.
        token: gets the token for each connection.
        clock: the time, for field writes.
        store: where records and writes are kept; only in memory if left out.
    """

    def __init__(
        self,
        session: Session,
        endpoint: Endpoint,
        *,
        token: Callable[[], Awaitable[str]] | None = None,
        clock: Callable[[], datetime] = _now,
        store: Store | None = None,
    ) -> None:
        self._runtime = ClientRuntime(session, endpoint, clock=clock, token=token, store=store)
        self._decisions = Decisions(self._runtime)
        self._open_collections = OpenCollections(self._runtime)
        self._forms = FormQuestions(self._runtime)

    # The connection.

    async def __aenter__(self) -> Self:
        """Connect; or, with a store, open that and connect as soon as it is possible.

        Raises:
            ConnectionClosed: it was closed meanwhile; or there is no store, and no connection.
            RhtmxError: `STORAGE_FAILED` or `STORAGE_FULL`, the store cannot be used.
        """
        await self._runtime.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close; with a store, what is not in it yet is stored first."""
        await self.close()

    async def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`.

        To close twice is no error, nor to close inside of `async with`. Writes that wait for their
        answer stay in the store, if there is one, and are sent when it is opened the next time.
        """
        await self._runtime.close()

    def offline(self) -> None:
        """Let go of the connection, and make none until `online`. Writes wait."""
        self._runtime.offline()

    def online(self) -> None:
        """Connect at once, after `offline` or while the next attempt has its time.

        A connection that there is has to prove itself: a dead one is made again within 3
        seconds. Call it when the network is another one; a sleep is noticed without it.
        """
        self._runtime.online()

    async def saved(self) -> None:
        """Wait until every write that was made so far is in the store, if there is one.

        From then on it survives the end of this process, and is sent sooner or later.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`, it cannot be; or `ConnectionClosed`.
        """
        await self._runtime.saved()

    @property
    def client_id(self) -> str:
        """The id of this client instance, as others see it in `Change.client_id`."""
        return self._runtime.session.local.identity.client_id

    @property
    def server_schema(self) -> SchemaVersion | None:
        """The version of the application's schema that the server has, once it has said so."""
        return self._runtime.session.local.identity.server_schema

    @property
    def node(self) -> str | None:
        """The short name of the server of now, or the last one, where that is one of several."""
        return self._runtime.session.local.identity.node

    @property
    def state(self) -> State:
        """How the client stands with its server."""
        return self._runtime.state

    @property
    def problem(self) -> RhtmxError | None:
        """Why there is no connection, in words; `None` while there is one.

        In the states `WAITING` and `CONNECTING` it is what became of the last attempt, in
        `CLOSED` the end. What a person has to see to is in the log of `rhtmx`, too: a warning
        when it begins.

        Example:
            >>> async for state in client.states():
            ...     print(state.value, client.problem)
            open None
        """
        return self._runtime.problem

    def states(self) -> AsyncIterator[State]:
        """The state now, and each new one. Ends with `CLOSED`; see `problem` for an example."""
        return self._runtime.states()

    async def authenticate(self, token: str) -> datetime | None:
        """Present a fresh token on the live connection; the user stays the same.

        Returns:
            When it expires, if it does.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is larger than any server takes, or what one says to it.
        """
        answer = await self._runtime.ask(Authenticate(token=build_message.checked_token(token)))
        assert isinstance(answer.message, Authenticated)
        return answer.message.expires

    @overload
    def collection(
        self, entity: str, *, granularity: _Grain = "records", where: WhereValues | None = None
    ) -> Collection[Json]: ...

    @overload
    def collection(
        self,
        entity: str,
        type: type[Data],
        *,
        granularity: _Grain = "records",
        where: WhereValues | None = None,
    ) -> Collection[Data]: ...

    def collection(
        self,
        entity: str,
        type: type[Any] | None = None,  # noqa: A002 (what it is)
        *,
        granularity: _Grain = "records",
        where: WhereValues | None = None,
    ) -> Collection[Any]:
        """One entity, or a part of it: what is held of it, and its calls without its name.

        Args:
            entity: the collection.
            type: what type checkers are told that the data of its records is, such as a
                `TypedDict`; any JSON value, if left out. Nothing looks at the data for it: what
                others have written may be something else.
            granularity: how it is read, once something is read of it: whole records, or field by
                field, which costs less where records are large. One client reads an entity at one.
            where: the part that is read: a value, or a list of values, for fields by which
                the server divides the entity. One client reads several parts side by side.

        Example:
            >>> from typing import TypedDict
            >>> class Task(TypedDict):
            ...     title: str
            >>> async with client.collection("tasks", Task) as tasks:
            ...     result = await tasks.set("1", {"title": "Write it down"})
            ...     async for rows in tasks.subscribe():
            ...         print([row.data["title"] for row in rows])
            ['Write it down']
        """
        grain = choice(Granularity, granularity, "granularity")
        return Collection(self._runtime, self._open_collections, entity, grain, where)

    def of(self, declared: Declared[P, T], *_: P.args, **options: P.kwargs) -> T:
        """One entity of the application's schema, typed: see `TypedCollection`.

        Args:
            declared: a dataclass that `rhtmx codegen` has generated of an entity.
            options: `granularity` and `where`, as `collection` has them; the fields of a part
                are called as in the schema, and have its types.
        """
        # Only here: who declares no records needs nothing of what knows schemas.
        opened: Callable[..., T] = import_module("rhtmx.api.typed_collection").typed_collection
        return opened(self.collection, self._runtime, declared, **options)

    def changes(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
        where: WhereValues | None = None,
    ) -> Subscription[Change]:
        """The live stream of whole records.

        Args:
            entity: the collection.
            since: where to start: `None` with the next change, `0` with
                everything there is, or the `position` of an earlier subscription.
            on_reset: called when what was yielded is void and all of it comes anew. If left out,
                the `Reset` is raised.
            where: the part of it; see `collection`. Meanwhile no other part can be read
                here: changes of several have no common order.

        Example:
            >>> async for change in client.changes("users", since=0):
            ...     print(change.version, change.action, change.data)
            1 create {'name': 'Ada'}
        """
        return record_stream(self._runtime, entity, since, where, on_reset)

    def field_changes(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
        where: WhereValues | None = None,
    ) -> Subscription[FieldChange]:
        """The live stream of field changes; see `changes`, and `collection` for the granularity."""
        return field_stream(self._runtime, entity, since, where, on_reset)

    async def sync(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        where: WhereValues | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SyncResult[Change]:
        """Every record that changed after a position, each once, at its latest; past what is held.

        Args:
            entity: the collection.
            since: the position of an earlier read; `0` reads everything there is.
            where: the part of it; see `changes`.
            on_progress: is told how far a long read is.
        """
        return await sync_records(self._runtime, entity, since, where, on_progress)

    async def sync_fields(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        where: WhereValues | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SyncResult[FieldChange]:
        """Every field that changed after a position, each once, at its latest; see `sync`."""
        return await sync_fields(self._runtime, entity, since, where, on_progress)

    def on(self, kind: type[M], listener: Callable[[M], None]) -> Callable[[], None]:
        """Call `listener` with each message that comes unasked; call the result to end that.

        Those of an ephemeral kind come for the entities that this client reads, while it does;
        `ValidationResult` for forms that were asked about with `live`. Nothing repeats them.

        Args:
            kind: a class of `rhtmx.messages`.
            listener: called on the loop, so it must not block. What it raises is logged.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, messages of this kind come by another way.
        """
        return self._runtime.router.listen(kind, listener)

    def room(self, name: str) -> Room:
        """Who is at a record now, such as `orders/7`, and what they tell one another: `Room`."""
        return Room(self._runtime, name)

    # Writing.

    def push(
        self, entity: str, entity_id: str, data: Json, *, base_version: int | None = None
    ) -> Writing[PushResult]:
        """Write a whole record. It is on its way; await it until it is durable.

        Args:
            entity: the collection.
            entity_id: the record.
            data: any JSON value.
            base_version: the version of the record that this write is based on (0: none).

        Raises:
            RhtmxError: `CONFLICT`, the record has moved on since then; or another refusal.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> result = await client.push("users", "2", {"name": "Bob"})
            >>> result.version
            2
            >>> await client.push("users", "2", {"name": "Eve"}, base_version=1)
            Traceback (most recent call last):
            ...
            rhtmx.errors.RhtmxError: push.base_version: ... nothing was written
        """
        return pending_call.push(self._runtime, entity, entity_id, data, base_version)

    def delete(
        self, entity: str, entity_id: str, *, base_version: int | None = None
    ) -> Writing[PushResult]:
        """Delete a record; see `push`. It is no error if there is none."""
        return pending_call.delete(self._runtime, entity, entity_id, base_version)

    def push_fields(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
        timestamp: datetime | None = None,
    ) -> Writing[FieldPushResult]:
        """Write some fields of a record, and leave the others; see `push`.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`.
            delete: keys to remove.
            base_version: the version of the record that this write is based on.
                Without it the timestamps decide what is in conflict.
            if_unchanged: see `Collection.patch`.
            timestamp: when the user did it; now, if left out.

        Raises:
            RhtmxError: it was rejected; `BAD_MESSAGE`, at once: it cannot be written.
            ConnectionClosed: there is no connection, and there will be none.
        """
        return pending_call.push_fields(
            self._runtime, entity, entity_id, fields, delete, base_version, timestamp, if_unchanged
        )

    def transaction(self) -> ClientTransaction:
        """Write several records together, all of them or none: see `ClientTransaction`."""
        self._runtime.check_open()
        return ClientTransaction(self._runtime)

    # Forms.

    async def validate_field(
        self,
        form: str,
        field: str,
        value: FormValue,
        *,
        values: Mapping[str, FormValue] | None = None,
        form_instance: str | None = None,
        live: bool = False,
    ) -> Validation:
        """Ask whether one field of a form is valid.

        Args:
            form: the form's name.
            field: the field's name.
            value: what the user entered: a text, a `File`, or a list of several.
            values: the form's other values, for rules across fields.
            form_instance: which of several such forms; of questions about a field the last counts.
            live: `on(ValidationResult, …)` tells of another verdict, until `close_form`.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `SUPERSEDED`, `TIMEOUT` …
        """
        return await self._forms.ask_field(form, field, value, values, form_instance, live)

    async def validate_form(
        self,
        form: str,
        fields: Mapping[str, FormValue],
        *,
        form_instance: str | None = None,
        receipt: bool = False,
        live: bool = False,
    ) -> FormValidation:
        """Ask whether a whole form is valid; fields left out are checked, too.

        Args:
            form: the form's name.
            fields: what the user entered, by field: a text, a `File`, or a list of several.
            form_instance: which of several such forms.
            live: as for `validate_field`, for all fields.
            receipt: ask for a receipt, for the handler that is sent the form.
        """
        return await self._forms.ask_form(form, fields, form_instance, receipt, live)

    def close_form(self, form: str, *, form_instance: str | None = None) -> None:
        """Be told nothing more of a form that was asked about with `live`."""
        self._forms.close(form, form_instance)

    # What waits.

    @property
    def queue(self) -> ChunkedTuple[Pending]:
        """The writes that wait for the server, in order; the same object until that changes."""
        return self._decisions.queue

    @property
    def rejected(self) -> tuple[RejectedWrite, ...]:
        """What the server rejected, oldest first, until you decide; without a store 1000 of it."""
        return self._decisions.rejected

    def queues(self) -> AsyncGenerator[ChunkedTuple[Pending], None]:
        """The `queue` now, and each time that it has changed; a slow reader skips."""
        return self._decisions.queues()

    def rejections(self) -> AsyncGenerator[RejectedWrite, None]:
        """The writes that were rejected: those that are kept, then each new one."""
        return self._decisions.rejections()

    def conflicts(self) -> AsyncGenerator[OpenConflict, None]:
        """Conflicts of writes of this client: open ones, then each new; see `Collection.conflicts`.

        Example:
            >>> async for conflict in client.conflicts():
            ...     result = await conflict.keep_mine()
            ...     print(f"{conflict.field}: {conflict.mine!r} instead of {conflict.theirs!r}")
            title: 'Keep it' instead of 'Tell everyone'
        """
        return ConflictAnswers(self._runtime).conflicts()
