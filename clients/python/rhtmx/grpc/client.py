"""The client for backends: the same trackers, through gRPC.

Knows how it is entered and left, and the calls that a user makes. Must not know how
calls are made nor how they fail: `call_factory` does. Each call goes out at once and is not
repeated; only who reads on, reads on over lost connections.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from rhtmx import messages
from rhtmx.core import build_message
from rhtmx.core.collect_changes import field_key, record_key
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import WhereValues
from rhtmx.core.write_clock import WriteClock
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call import Limit
from rhtmx.grpc.call_factory import CallFactory
from rhtmx.grpc.catch_up import CatchUp
from rhtmx.grpc.push_many import Many, PushOutcome, push_many
from rhtmx.grpc.stream_opener import StreamOpener
from rhtmx.grpc.transaction import BackendTransaction, check_numbered
from rhtmx.grpc.watch import Watch
from rhtmx.messages import (
    Blame,
    ChangeAction,
    GetFieldsRequest,
    GetRecordRequest,
    HistoryRequest,
    Position,
    Push,
)
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.form_value import FormValue
from rhtmx.values.history import FieldAuthor, History
from rhtmx.values.json_value import Json
from rhtmx.values.reset import Reset
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, Validation
from rhtmx.wire.check_outgoing import check_integer, check_time, checked

__all__ = ["Backend"]


class Backend:
    """A client for backend services. Made by `backend`, used with `async with`.

    Entering connects, and fails at once if that is not possible. A call on a
    connection that was lost makes a new one; a call that loses it raises
    `ConnectionClosed`, and whether a write took effect is then not known: number
    it (`client_id` and `seq`) to be able to send it again, or read. `watch` and
    `sync` go on by themselves.

    Every call but `watch` takes a `timeout`, in seconds; after it the call is
    cancelled at the server, too, and raises `TimeoutError`.

    Args:
        calls: makes the calls.
        clock: the time, for field writes.
    """

    def __init__(
        self, calls: CallFactory, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._ticks = WriteClock()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ConnectionClosed: that was not possible.
        """
        await self._calls.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`."""
        self._calls.close()

    @property
    def client_id(self) -> str | None:
        """The id of this client instance, as others see it in `Change.client_id`."""
        return self._calls.client_id

    # Reading.

    async def get(
        self, entity: str, entity_id: str, *, timeout: float | None = None
    ) -> Change | None:
        """One record, as its latest change; `None` if there is none.

        Example:
            >>> (await trackers.get("users", "1")).data
            {'name': 'Ada'}
        """
        request = GetRecordRequest(entity=entity, entity_id=entity_id)
        try:
            record = await self._calls.ask(lambda stub: stub.get_record(request), timeout)
        except RhtmxError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise
        return None if record.action is ChangeAction.DELETE else Change.of(record)

    async def get_fields(
        self, entity: str, entity_id: str, *, timeout: float | None = None
    ) -> dict[str, FieldChange] | None:
        """The fields of one record, by name, each as its latest change; `None` if there is none."""
        request = GetFieldsRequest(entity=entity, entity_id=entity_id)
        try:
            record = await self._calls.ask(lambda stub: stub.get_fields(request), timeout)
        except RhtmxError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise
        return {each.field: FieldChange.of(each) for each in record.fields}

    def watch(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
        where: WhereValues | None = None,
    ) -> Watch[Change]:
        """The live stream of whole records.

        Args:
            entity: the collection.
            since: where to start: `None` with the next change, `0` with
                everything there is, or the `position` of an earlier one.
            on_reset: called when what was yielded is void and all of it comes
                anew. If left out, the `Reset` is raised.
            where: the part of it: a value, or a list of values, for fields by which the
                server divides the entity. Left out, all of it.

        Example:
            >>> async for change in trackers.watch("users", since=0):
            ...     print(change.version, change.action, change.data)
            1 create {'name': 'Ada'}
        """
        source = StreamOpener(self._calls, entity, Granularity.RECORDS, where=where)
        return Watch(source, Change.of, since=build_message.position(since), on_reset=on_reset)

    def watch_fields(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
        where: WhereValues | None = None,
    ) -> Watch[FieldChange]:
        """The live stream of field changes; see `watch`."""
        source = StreamOpener(self._calls, entity, Granularity.FIELDS, where=where)
        return Watch(source, FieldChange.of, since=build_message.position(since), on_reset=on_reset)

    def sync(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        on_reset: Callable[[Reset], None] | None = None,
        timeout: float | None = None,
        where: WhereValues | None = None,
    ) -> CatchUp[Change]:
        """Every record that changed after a position, each at its latest.

        Iterate over it, or await it for all of it at once.

        Example:
            >>> result = await trackers.sync("users")
            >>> [change.data for change in result]
            [{'name': 'Ada'}]
            >>> async for change in trackers.sync("users"):  # one at a time
            ...     print(change.version, change.data)
            1 {'name': 'Ada'}
        """
        source = StreamOpener(
            self._calls, entity, Granularity.RECORDS, ends=True, timeout=timeout, where=where
        )
        start = build_message.position(since)
        return CatchUp(source, Change.of, record_key, since=start, on_reset=on_reset)

    def sync_fields(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        on_reset: Callable[[Reset], None] | None = None,
        timeout: float | None = None,
        where: WhereValues | None = None,
    ) -> CatchUp[FieldChange]:
        """Every field that changed after a position, each at its latest; see `sync`."""
        source = StreamOpener(
            self._calls, entity, Granularity.FIELDS, ends=True, timeout=timeout, where=where
        )
        start = build_message.position(since)
        return CatchUp(source, FieldChange.of, field_key, since=start, on_reset=on_reset)

    async def history(
        self,
        entity: str,
        entity_id: str | None = None,
        since: int = 0,
        until: datetime | None = None,
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Every commit that is still kept, in version order.

        Args:
            entity: the collection.
            entity_id: one record of it; all, if left out.
            since: the last version that is not wanted.
            until: the last moment that is wanted.
            timeout: seconds for all of it.

        Example:
            >>> async for change in trackers.history("users"):
            ...     print(change.version, change.data)
            1 {'name': 'Ada'}
        """
        check_integer(since, "history.since")
        if until is not None:
            check_time(until, "history.until")
        request = HistoryRequest(entity=entity, entity_id=entity_id, since=since, until=until)
        commits = self._calls.stream(lambda call: call.stub.history(request), Limit.of(timeout))
        async with aclosing(commits):
            async for commit in commits:
                yield Change.of(commit)

    async def record_history(
        self,
        entity: str,
        entity_id: str,
        *,
        before: int | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> History[Any]:
        """The commits of one record that are still kept, the newest first.

        Args:
            entity: the collection.
            entity_id: the record; it may be deleted.
            before: only commits before this version: that of the `History` before.
            until: only commits up to this time: with a `limit` of 1, the record as it was.
            limit: at most so many, 1 to 1000; 100, if left out.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record, or it may not be read.

        Example:
            >>> for commit in await trackers.record_history("users", "1"):
            ...     print(commit.version, commit.changed, commit.subject)
            1 ('name',) None
        """
        message = checked(messages.History(entity, entity_id, before, until, limit))
        return History.of(await self._calls.ask(lambda stub: stub.record_history(message), timeout))

    async def blame(
        self, entity: str, entity_id: str, *, timeout: float | None = None
    ) -> dict[str, FieldAuthor]:
        """Who wrote which field of a record, and when; `NOT_FOUND` as in `record_history`."""
        message = checked(Blame(entity, entity_id))
        answer = await self._calls.ask(lambda stub: stub.blame(message), timeout)
        return {each.field: FieldAuthor.of(each) for each in answer.fields}

    # Writing.

    async def push(
        self,
        entity: str,
        entity_id: str,
        data: Json,
        *,
        base_version: int | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> PushResult:
        """Write a whole record. Returns when it is durable.

        Args:
            entity: the collection.
            entity_id: the record.
            data: any JSON value.
            base_version: the version of the record that this write is based on
                (0: none).
            seq: the number of this write of this client, 1, 2, 3 …: sent again
                with the same number, it takes effect once. Needs a `client_id`.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: `CONFLICT`, the record has moved on since `base_version`;
                or another refusal.
            ConnectionClosed: the server cannot be reached.
            TimeoutError: it did not answer in time.
        """
        return await self._push(
            build_message.push(entity, entity_id, data, base_version, seq), timeout
        )

    async def delete(
        self,
        entity: str,
        entity_id: str,
        *,
        base_version: int | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> PushResult:
        """Delete a record; see `push`."""
        return await self._push(
            build_message.push_delete(entity, entity_id, base_version, seq), timeout
        )

    def push_many(
        self, writes: Many, *, timeout: float | None = None
    ) -> AsyncGenerator[PushOutcome, None]:
        """Write many records with many in flight; yields what became of each, in order.

        One that is refused is yielded as well, with its `error`, and does not keep the
        next from being written: look at it. That holds for one that no server could read,
        too: it uses up its number like any other. If the loop is left, or the connection
        lost, what was in flight may have been written; the rest is not.

        Args:
            writes: `Write` and `Delete`; if it fails, what it gave before is
                still written and answered.
            timeout: seconds for all of it.

        Raises:
            RhtmxError: the token has expired, the server is stopping, or a message is larger
                than it takes (`--grpc-max-size`): that ends the call, and the writes after it
                are not sent.
            ConnectionClosed: the server cannot be reached any more.
            TimeoutError: it took too long.

        Example:
            >>> rows = [("EURUSD", 1.0853), ("USDJPY", 151.2)]
            >>> quotes = (rhtmx.Write("prices", name, {"bid": bid}) for name, bid in rows)
            >>> async for written in trackers.push_many(quotes):
            ...     print(written.entity_id, written.error or written.version)
            EURUSD 1
            USDJPY 2
        """
        return push_many(self._calls, writes, Limit.of(timeout))

    async def push_fields(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
        timestamp: datetime | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> FieldPushResult:
        """Write some fields of a record, and leave the others. Returns when it is durable.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`: they
                need `seq`.
            delete: keys to remove.
            base_version: the version of the record that this write is based on.
                Without it the timestamps decide what is in conflict.
            if_unchanged: write only if none of these fields was written after
                `base_version` (without one: ever), by whomever.
            timestamp: when the user did it; now, if left out.
            seq: see `push`. The time is a part of the write: give a `timestamp` with the
                number, and the same one when you send it again.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: it was refused: `CONFLICT`, a field was written since
                (`if_unchanged`); `BAD_MESSAGE`, also: an operation without a number.
            ConnectionClosed: the server cannot be reached.
            TimeoutError: it did not answer in time.

        Example:
            >>> async with rhtmx.backend("localhost:50051", client_id="till-1") as till:
            ...     await till.push_fields("goods", "7", {"stock": rhtmx.Increment(-1)})
            Traceback (most recent call last):
            ...
            rhtmx.errors.RhtmxError: push_fields.seq: ... number this write: seq=1, 2, 3 …
        """
        at = timestamp or self._ticks.next(self._clock())
        message = build_message.push_fields(
            entity, entity_id, fields, delete, base_version, at, seq
        )
        message.if_unchanged = if_unchanged or None
        check_numbered(message, "push_fields", seq, self.client_id)
        answer = await self._calls.ask(lambda stub: stub.push_fields(message), timeout)
        assert answer.ack
        return FieldPushResult.of(answer.ack, answer.conflicts)

    def transaction(
        self,
        *,
        timestamp: datetime | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> BackendTransaction:
        """Write several records together, all of them or none: see `BackendTransaction`.

        Args:
            timestamp: when the user wrote its fields; now, if left out.
            seq: the number of this write, one for all of it; see `push_fields`.
            timeout: seconds until it fails.
        """

        def at() -> datetime:
            return timestamp or self._ticks.next(self._clock())

        return BackendTransaction(self._calls, at, seq=seq, timeout=timeout)

    # Forms.

    async def validate_field(
        self,
        form: str,
        field: str,
        value: FormValue,
        *,
        values: Mapping[str, FormValue] | None = None,
        form_instance: str | None = None,
        timeout: float | None = None,
    ) -> Validation:
        """Ask whether one field of a form is valid.

        Args:
            form: the form's name.
            field: the field's name.
            value: what the user entered: a text, a `File`, or a list of several.
            values: the form's other values, for rules across fields.
            form_instance: which of several such forms.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `TIMEOUT` …
        """
        message = build_message.validate_field(form, field, value, values or {}, form_instance)
        answer = await self._calls.ask(lambda stub: stub.validate_field(message), timeout)
        return Validation.of(answer)

    async def validate_form(
        self,
        form: str,
        fields: Mapping[str, FormValue],
        *,
        form_instance: str | None = None,
        receipt: bool = False,
        timeout: float | None = None,
    ) -> FormValidation:
        """Ask whether a whole form is valid; fields left out are checked, too.

        Args:
            form: the form's name.
            fields: what the user entered, by field: a text, a `File`, or a list of several.
            form_instance: which of several such forms.
            receipt: ask for a receipt, for the handler that is sent the form.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `TIMEOUT` …
        """
        message = build_message.validate_form(form, fields, form_instance, with_receipt=receipt)
        answer = await self._calls.ask(lambda stub: stub.validate_form(message), timeout)
        return FormValidation.of(answer)

    # Inside.

    async def _push(self, message: Push, timeout: float | None) -> PushResult:
        return PushResult.of(await self._calls.ask(lambda stub: stub.push(message), timeout))
