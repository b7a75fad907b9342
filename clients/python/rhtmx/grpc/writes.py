"""What a backend writes, and what it asks about forms.

Knows the calls that a user makes for it. Must not know how calls are made nor
how they fail: `calls` does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from datetime import datetime

from rhtmx.core import build_message
from rhtmx.core.write_clock import WriteClock
from rhtmx.grpc.call import Limit
from rhtmx.grpc.calls import Calls
from rhtmx.grpc.pushes import Many, PushOutcome, push_many
from rhtmx.messages import Push
from rhtmx.values.form_value import FormValue
from rhtmx.values.json_value import Json
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, Validation

__all__ = ["Writes"]


class Writes:
    """The part of a backend that writes.

    Args:
        calls: makes the calls.
        clock: the time, for field writes.
    """

    def __init__(self, calls: Calls, clock: Callable[[], datetime]) -> None:
        self._calls = calls
        self._clock = clock
        self._ticks = WriteClock()

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
        timestamp: datetime | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> FieldPushResult:
        """Write some fields of a record, and leave the others. Returns when it is durable.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key.
            delete: keys to remove.
            base_version: the version of the record that this write is based on.
                Without it the timestamps decide what is in conflict.
            timestamp: when the user did it; now, if left out.
            seq: see `push`.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: it was refused.
            ConnectionClosed: the server cannot be reached.
            TimeoutError: it did not answer in time.
        """
        at = timestamp or self._ticks.next(self._clock())
        message = build_message.push_fields(
            entity, entity_id, fields, delete, base_version, at, seq
        )
        answer = await self._calls.ask(lambda stub: stub.push_fields(message), timeout)
        assert answer.ack is not None
        return FieldPushResult.of(answer.ack, answer.conflicts)

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
        timeout: float | None = None,
    ) -> FormValidation:
        """Ask whether a whole form is valid; fields left out are checked, too.

        Args:
            form: the form's name.
            fields: what the user entered, by field: a text, a `File`, or a list of several.
            form_instance: which of several such forms.
            timeout: seconds until it fails.

        Raises:
            RhtmxError: `UNKNOWN_FORM` (also: no such field), `TIMEOUT` …
        """
        message = build_message.validate_form(form, fields, form_instance)
        answer = await self._calls.ask(lambda stub: stub.validate_form(message), timeout)
        return FormValidation.of(answer)

    async def _push(self, message: Push, timeout: float | None) -> PushResult:
        return PushResult.of(await self._calls.ask(lambda stub: stub.push(message), timeout))
