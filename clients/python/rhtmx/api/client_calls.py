"""The protocol's calls: streams of changes, single writes, forms.

Knows the calls that a user makes. Must not know sockets, nor the protocol's
order of things: `connection` and `session` do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from rhtmx.api.lifeline import Lifeline
from rhtmx.api.pending_call import Writing
from rhtmx.api.sync import collect, field_key, record_key
from rhtmx.core import build_message
from rhtmx.core.error_policy import too_large
from rhtmx.core.events import Answered, Reset
from rhtmx.core.granularity import Granularity
from rhtmx.core.requests import Question
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Mutation, Store
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    FieldPushAck,
    FormValidationResult,
    Position,
    Push,
    PushAck,
    ValidationResult,
)
from rhtmx.runtime.handshake import Endpoint
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.form_value import FormValue
from rhtmx.values.json_value import Json
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, SyncResult, Validation
from rhtmx.wire import encode

__all__ = ["Calls"]

T = TypeVar("T")


class Calls(Lifeline):
    """What can be asked of a server, without anything being held here.

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
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        store: Store | None = None,
    ) -> None:
        super().__init__(session, endpoint, token, store)
        self._clock = clock

    # The connection.

    async def authenticate(self, token: str) -> datetime | None:
        """Present a fresh token on the live connection; the user stays the same.

        Returns:
            When it expires, if it does.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is larger than any server takes, or what
                the server says against it.
        """
        answer = await self._ask(Authenticate(token=build_message.checked_token(token)))
        assert isinstance(answer.message, Authenticated)
        return answer.message.expires

    # Reading.

    def changes(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[Change]:
        """The live stream of whole records.

        Args:
            entity: the collection.
            since: where to start: `None` with the next change, `0` with
                everything there is, or the `position` of an earlier subscription.
            on_reset: called when what was yielded is void and all of it comes
                anew. If left out, the `Reset` is raised.

        Example:
            >>> async for change in client.changes("users", since=0):
            ...     print(change.version, change.action, change.data)
        """
        return self._subscription(entity, Granularity.RECORDS, Change.of, since, on_reset)

    def field_changes(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[FieldChange]:
        """The live stream of field changes; see `changes`.

        One client reads an entity at one granularity at a time.
        """
        return self._subscription(entity, Granularity.FIELDS, FieldChange.of, since, on_reset)

    async def sync(self, entity: str, since: Position | int = 0) -> SyncResult[Change]:
        """Every record that changed after a position, each once, at its latest.

        A read that ends: it asks the server, and neither uses nor changes what a
        `Collection` holds.
        """
        return await collect(
            partial(self._subscription, entity, Granularity.RECORDS, Change.of, since, ends=True),
            record_key,
        )

    async def sync_fields(self, entity: str, since: Position | int = 0) -> SyncResult[FieldChange]:
        """Every field that changed after a position, each once, at its latest."""
        return await collect(
            partial(
                self._subscription, entity, Granularity.FIELDS, FieldChange.of, since, ends=True
            ),
            field_key,
        )

    # Writing.

    def push(
        self, entity: str, entity_id: str, data: Json, *, base_version: int | None = None
    ) -> Writing[PushResult]:
        """Write a whole record. It is on its way; await it until it is durable.

        Args:
            entity: the collection.
            entity_id: the record.
            data: any JSON value.
            base_version: the version of the record that this write is based on
                (0: none).

        Raises:
            RhtmxError: `CONFLICT`, the record has moved on since `base_version`;
                or another refusal.
            ConnectionClosed: there is no connection, and there will be none.
        """
        return self._push(build_message.push(entity, entity_id, data, base_version))

    def delete(
        self, entity: str, entity_id: str, *, base_version: int | None = None
    ) -> Writing[PushResult]:
        """Delete a record; see `push`."""
        return self._push(build_message.push_delete(entity, entity_id, base_version))

    def push_fields(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        timestamp: datetime | None = None,
    ) -> Writing[FieldPushResult]:
        """Write some fields of a record, and leave the others; see `push`.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key.
            delete: keys to remove.
            base_version: the version of the record that this write is based on.
                Without it the timestamps decide what is in conflict.
            timestamp: when the user did it; now, if left out.

        Raises:
            RhtmxError: it was refused.
            ConnectionClosed: there is no connection, and there will be none.
        """
        now = self._now()
        at = timestamp or now
        message = build_message.push_fields(entity, entity_id, fields, delete, base_version, at)
        return self._write(message, _fields_written, now)

    # Forms.

    async def validate_field(
        self,
        form: str,
        field: str,
        value: FormValue,
        *,
        values: Mapping[str, FormValue] | None = None,
        form_instance: str | None = None,
    ) -> Validation:
        """Ask whether one field of a form is valid.

        Args:
            form: the form's name.
            field: the field's name.
            value: what the user entered: a text, a `File`, or a list of several.
            values: the form's other values, for rules across fields.
            form_instance: which of several such forms; a newer question about
                the same field takes the place of one that is still running.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `SUPERSEDED`, `TIMEOUT` …
        """
        message = build_message.validate_field(form, field, value, values or {}, form_instance)
        answer = await self._ask(message)
        assert isinstance(answer.message, ValidationResult)
        return Validation.of(answer.message)

    async def validate_form(
        self, form: str, fields: Mapping[str, FormValue], *, form_instance: str | None = None
    ) -> FormValidation:
        """Ask whether a whole form is valid; fields left out are checked, too.

        Args:
            form: the form's name.
            fields: what the user entered, by field: a text, a `File`, or a list of several.
            form_instance: which of several such forms.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `TIMEOUT` …
        """
        message = build_message.validate_form(form, fields, form_instance)
        answer = await self._ask(message)
        assert isinstance(answer.message, FormValidationResult)
        return FormValidation.of(answer.message)

    # Inside.

    def _push(self, message: Push) -> Writing[PushResult]:
        return self._write(message, _written, self._now())

    def _write(
        self, message: Mutation, convert: Callable[[Answered], T], now: datetime
    ) -> Writing[T]:
        self._check(message)
        call = self._router.answer(self._session.push(message, now.timestamp()))
        return Writing(call, convert, self.saved)

    def _now(self) -> datetime:
        """The time of the next write."""
        return self._session.local.writes.time(self._clock())

    async def _ask(self, message: Question) -> Answered:
        self._check(message)
        return await self._router.ask(message)

    def _check(self, message: Mutation | Question) -> None:
        """Refuse at once what is too large whatever its id and number; see `Session.fits`."""
        self._check_connected()
        limits = self._session.limits
        size = len(encode(message, self._endpoint.format))
        if limits is not None and 0 < limits.message_bytes < size:
            raise too_large(size, limits.message_bytes)

    def _subscription(
        self,
        entity: str,
        granularity: Granularity,
        convert: Callable[[Any], T],
        since: Position | int | None,
        on_reset: Callable[[Reset], None] | None,
        *,
        ends: bool = False,
    ) -> Subscription[T]:
        self._check_connected()
        start = build_message.position(since)
        return Subscription(
            self._router, entity, granularity, convert, since=start, on_reset=on_reset, ends=ends
        )


def _written(answer: Answered) -> PushResult:
    assert isinstance(answer.message, PushAck)
    return PushResult.of(answer.message)


def _fields_written(answer: Answered) -> FieldPushResult:
    assert isinstance(answer.message, FieldPushAck)
    return FieldPushResult.of(answer.message, answer.conflicts)
