"""The calls of the program without `await`, from any thread: `app.sync`.

Knows which calls there are, and that each is made on the app's loop. Must not know what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.values.history import FieldAuthor, History
from rhtmx.values.json_value import Data
from rhtmx.values.reset import Reset
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx_server.access.grant import Grant
from rhtmx_server.program.app_thread import AppThread
from rhtmx_server.program.calls import ProgramCalls
from rhtmx_server.program.change_stream import AppChanges
from rhtmx_server.program.collection import AppCollection, EntityPart
from rhtmx_server.program.life import AppLife
from rhtmx_server.program.record import StoredRecord
from rhtmx_server.program.typed_collection import AppTypedCollection
from rhtmx_server.thread_bridge import ThreadBridge
from rhtmx_server.trackers.transaction import AppTransaction

__all__ = ["SyncApp", "SyncChanges", "SyncCollection", "SyncTransaction", "SyncTypedCollection"]

R = TypeVar("R")


class SyncChanges(Generic[Data]):
    """The changes of one entity as a plain iterator; see `AppChanges`. Made by `changes`.

    `for change in stream` waits for each change in its thread, until the loop is left or the app
    stops. `with stream:` reads from its beginning to the end of the block, however many loops or
    `next` there are in it. With a time limit, `TIMEOUT` is raised when nothing comes within it, and
    another loop goes on.

    Args:
        stream: the changes.
        bridge: to the app's loop.
    """

    def __init__(self, stream: AppChanges[Data], bridge: ThreadBridge) -> None:
        self._stream = stream
        self._bridge = bridge
        self._entered = self._began = False
        self._name = f"{stream.entity[:40]}.changes"

    @property
    def position(self) -> Position | None:
        """Where to go on after what was yielded: pass it as `since`, also after a restart."""
        return self._stream.position

    def stop(self) -> None:
        """End reading. Another iteration goes on from `position`."""
        self._bridge.tell(self._stream.stop)

    def __enter__(self) -> Self:
        """Start reading: what is written from here on is not missed.

        Raises:
            RhtmxError: the app does not run, or this may not be read.
        """
        self._bridge.call(self._stream.start, self._name)
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End reading."""
        self._entered = False
        self.stop()

    def __iter__(self) -> Iterator[Change[Data | None]]:
        return self if self._entered else self._until_left()

    def __next__(self) -> Change[Data | None]:
        """The next change.

        Raises:
            Reset: all that was yielded is void, and nobody takes the news.
            RhtmxError: the author was signed out, the app does not run, or the store failed.
        """
        # One crossing for a page, not for each change.
        while (change := self._stream.take()) is None:
            try:
                goes_on = self._bridge.call(self._stream.fill, self._name)
            except RhtmxError as error:
                # The app has stopped between two changes, and not while one was waited for.
                if not self._began or error.code is not ErrorCode.SHUTTING_DOWN:
                    raise
                goes_on = False
            if not goes_on:
                raise StopIteration
            self._began = True
        return change

    def _until_left(self) -> Iterator[Change[Data | None]]:
        try:
            while True:
                try:
                    change = self.__next__()
                except StopIteration:
                    return
                yield change
        finally:
            self.stop()


class SyncCollection(Generic[Data]):
    """One entity, or a part of it, without `await`. See `AppCollection` for what each call does.

    Safe from any thread but the one of the app's event loop.

    Args:
        collection: does what is called.
        bridge: to the app's loop.

    Attributes:
        entity: the collection.

    Example:
        >>> orders = app.sync.collection("orders")
        >>> orders.set("2", {"goods": "rice", "count": 3}).version
        2
        >>> orders.get("2").data
        {'goods': 'rice', 'count': 3}
    """

    def __init__(self, collection: AppCollection[Data], bridge: ThreadBridge) -> None:
        self.entity = collection.entity
        self._collection = collection
        self._bridge = bridge

    def get(self, entity_id: str) -> StoredRecord[Data] | None:
        """A record as it is stored; see `AppCollection.get`."""
        return self._bridge.call(lambda: self._collection.get(entity_id), self._name("get"))

    def all(self) -> list[StoredRecord[Data]]:
        """All records that may be read; see `AppCollection.all`."""
        return self._bridge.call(self._collection.all, self._name("all"))

    def where(
        self, condition: Mapping[str, object] | Callable[[StoredRecord[Data]], bool]
    ) -> list[StoredRecord[Data]]:
        """The records that a condition holds for; see `AppCollection.where`.

        A function runs on the app's event loop, so it must not block.
        """
        return self._bridge.call(lambda: self._collection.where(condition), self._name("where"))

    def changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> SyncChanges[Data]:
        """The changes of the records as a plain iterator; see `AppCollection.changes`.

        `on_reset` is called on the app's event loop, so it must not block.
        """
        return SyncChanges(self._collection.changes(since=since, on_reset=on_reset), self._bridge)

    def set(self, entity_id: str, data: Data, *, base_version: int | None = None) -> PushResult:
        """Write a whole record; see `AppCollection.set`."""
        return self._bridge.call(
            lambda: self._collection.set(entity_id, data, base_version=base_version),
            self._name("set"),
        )

    def delete(self, entity_id: str, *, base_version: int | None = None) -> PushResult:
        """Delete a record; see `AppCollection.delete`."""
        return self._bridge.call(
            lambda: self._collection.delete(entity_id, base_version=base_version),
            self._name("delete"),
        )

    def patch(
        self,
        entity_id: str,
        fields: Mapping[str, object],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
    ) -> FieldPushResult:
        """Write some fields of a record; see `AppCollection.patch`."""
        return self._bridge.call(
            lambda: self._collection.patch(
                entity_id,
                fields,
                delete=delete,
                base_version=base_version,
                if_unchanged=if_unchanged,
            ),
            self._name("patch"),
        )

    def history(
        self,
        entity_id: str,
        *,
        before: int | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> History[Data | None]:
        """The commits of a record; see `AppCollection.history`."""
        return self._bridge.call(
            lambda: self._collection.history(entity_id, before=before, until=until, limit=limit),
            self._name("history"),
        )

    def blame(self, entity_id: str) -> dict[str, FieldAuthor]:
        """Who wrote which field of a record; see `AppCollection.blame`."""
        return self._bridge.call(lambda: self._collection.blame(entity_id), self._name("blame"))

    def _name(self, call: str) -> str:
        return f"{self.entity[:40]}.{call}"


class SyncTypedCollection(Generic[R]):
    """One entity whose records are dataclasses, without `await`; see `AppTypedCollection`.

    Args:
        collection: does what is called.
        bridge: to the app's loop.

    Attributes:
        raw: the same records as JSON values, and calls for what is not here.
    """

    def __init__(self, collection: AppTypedCollection[R], bridge: ThreadBridge) -> None:
        self.raw = SyncCollection(collection.raw, bridge)
        self._collection = collection
        self._bridge = bridge

    def get(self, entity_id: str) -> StoredRecord[R] | None:
        """A record as it is stored; see `AppTypedCollection.get`."""
        return self._bridge.call(lambda: self._collection.get(entity_id), self._name("get"))

    def all(self) -> list[StoredRecord[R]]:
        """All records that can be read; see `AppTypedCollection.all`."""
        return self._bridge.call(self._collection.all, self._name("all"))

    def where(
        self, condition: Mapping[str, Any] | Callable[[StoredRecord[R]], bool]
    ) -> list[StoredRecord[R]]:
        """The records that a condition holds for; see `AppTypedCollection.where`."""
        return self._bridge.call(lambda: self._collection.where(condition), self._name("where"))

    def new_id(self) -> str:
        """An id for a record that is to be created: a UUID of version 7."""
        return self._collection.new_id()

    def create(self, record: R, entity_id: str | None = None) -> PushResult:
        """Write a record that is not there yet; see `AppTypedCollection.create`."""
        return self._bridge.call(
            lambda: self._collection.create(record, entity_id), self._name("create")
        )

    def edit(self, entity_id: str, /, *_: Any, **fields: Any) -> PushResult | FieldPushResult:
        """Write some fields of a record; see `AppTypedCollection.edit`."""
        return self._bridge.call(
            lambda: self._collection.edit(entity_id, *_, **fields), self._name("edit")
        )

    def delete(self, entity_id: str, *, base_version: int | None = None) -> PushResult:
        """Delete a record; see `AppCollection.delete`."""
        return self.raw.delete(entity_id, base_version=base_version)

    def _name(self, call: str) -> str:
        return f"{self.raw.entity[:40]}.{call}"


class SyncTransaction(AppTransaction):
    """Writes of several records, without `await`; see `AppTransaction`.

    Args:
        bridge: to the app's loop.
        settings: as of `AppTransaction`.

    Example:
        >>> with app.sync.transaction() as both:
        ...     both.set("orders", "2", {"goods": "rice", "count": 1})
        ...     both.patch("orders", "1", {"count": 1})
        >>> len(both.result.results)
        2
    """

    def __init__(self, bridge: ThreadBridge, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self._bridge = bridge

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write all of it, if nothing was raised, and wait until it is durable.

        Raises:
            RhtmxError: it was rejected as a whole, as of `AppTransaction`.
        """
        self._bridge.call(lambda: self.__aexit__(kind, error, trace), "transaction")


class SyncApp:
    """What a program calls without an event loop: `App.sync`. Safe from any thread.

    While the app runs, in whichever thread, its calls are made there. In a program where it does
    not run, such as a script or a worker process, `with app.sync:` starts it, in a thread of its
    own, listening nowhere; if it runs already, that one is used.

    Args:
        life: of the app.
        calls: what there is to call.
        start: starts the app; on its own port, if it is told so.
        stop: stops it.

    Example:
        >>> from rhtmx_server import App
        >>> job = App(store="memory://")
        >>> with job.sync:  # in a thread without an event loop
        ...     job.sync.collection("orders").set("1", {"goods": "tea"}).version
        1
    """

    def __init__(
        self,
        life: AppLife,
        calls: ProgramCalls,
        start: Callable[[bool], Any],
        stop: Callable[[], Any],
    ) -> None:
        self._life = life
        self._calls = calls
        self._thread = AppThread(lambda: life.runs, start, stop)

    def start(self, *, listen: bool = False) -> None:
        """Start the app in a thread of its own, unless it runs; `stop` has to follow.

        Args:
            listen: on its port, and that of gRPC, as `App.start` does: for a process that serves,
                too. Without, it only reads and writes.

        Raises:
            RhtmxError: it cannot start: another process has the store, for example; or
                `NOT_SUPPORTED`: there is an event loop in this thread, or the app was started
                before this process was forked.
            OSError: the address cannot be used.
        """
        self._thread.start(listen=listen)

    def stop(self) -> None:
        """Stop the app, if `start` has started it, and nobody else has called `start`."""
        self._thread.stop()

    def __enter__(self) -> Self:
        """See `start`."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """See `stop`."""
        self.stop()

    def collection(
        self,
        entity: str,
        type: type[Data] | None = None,  # noqa: A002 (what it is)
        *,
        where: EntityPart = None,
        who: Grant | None = None,
        timeout: float | None = None,
    ) -> SyncCollection[Data]:
        """An entity, or a part of it. See `App.collection`.

        Args:
            entity: its name.
            type: what type checkers are told that the data of its records is.
            where: the part.
            who: in whose name.
            timeout: seconds for each call; `None` for as long as it takes.
        """
        bridge = ThreadBridge(self._life, timeout)
        return SyncCollection(self._calls.collection(entity, where, who), bridge)

    def of(
        self,
        declared: type[R],
        *,
        where: EntityPart = None,
        who: Grant | None = None,
        timeout: float | None = None,
    ) -> SyncTypedCollection[R]:
        """The entity of a dataclass of the schema. See `App.of`, and `collection`."""
        bridge = ThreadBridge(self._life, timeout)
        return SyncTypedCollection(self._calls.of(declared, where, who), bridge)

    def transaction(
        self, *, who: Grant | None = None, timeout: float | None = None
    ) -> SyncTransaction:
        """Write several records together: `with app.sync.transaction() as both:`.

        Without a write nothing is done.

        Args:
            who: in whose name.
            timeout: seconds for it to become durable; `None` for as long as it takes.
        """
        kind = partial(SyncTransaction, ThreadBridge(self._life, timeout))
        return self._calls.transaction(who, None, None, None, kind)
