"""Several writes that take effect together, for Python code beside the server.

Knows how they are collected, and what comes back. Must not know what one of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldConflict, Push, PushFields, TransactionAck
from rhtmx.values.results import TransactionResult
from rhtmx.values.transaction_writes import transaction_of
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.calls import (
    CheckJson,
    Submit,
    call,
    delete_message,
    push_fields_message,
    push_message,
)

__all__ = ["AppTransaction"]


class AppTransaction:
    """Writes of several records, which take effect together or not at all.

    Made by `App.transaction`. At the end of the block all of it is written, on the same
    road as a transaction from a socket, and waited for. A block that raises writes nothing; one
    without a write does nothing, unless it has a number: that would be missing.

    Args:
        submit: puts a mutation in line.
        check: the wire's check of JSON texts.
        clock: the time; microseconds since 1970.
        client_id: in whose name.
        seq: the number of all of it.
        timestamp: when its fields were written, if not now.

    Example:
        >>> from rhtmx import Increment
        >>> async with app.transaction() as order:
        ...     order.set("orders", "7", {"goods": "tea"})
        ...     order.patch("stock", "tea", {"left": Increment(-1)})
        >>> [each.version for each in order.result.results]
        [1, 1]
    """

    def __init__(
        self,
        submit: Submit,
        check: CheckJson,
        clock: Callable[[], int],
        *,
        client_id: str | None = None,
        seq: int | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        self._submit = submit
        self._check = check
        self._clock = clock
        self._client_id = client_id
        self._seq = seq
        self._timestamp = timestamp
        self._writes: list[Push | PushFields] = []
        self._result: TransactionResult | None = None

    def set(
        self, entity: str, entity_id: str, data: object, *, base_version: int | None = None
    ) -> None:
        """Write a whole record.

        Args:
            entity: the collection.
            entity_id: the record.
            data: as in `ChangeTracker.push`.
            base_version: the version that must still be the record's (0: there must be none).

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be written as JSON.
        """
        self._writes.append(push_message(entity, entity_id, data, self._check, base_version))

    def delete(self, entity: str, entity_id: str, *, base_version: int | None = None) -> None:
        """Delete a record; see `set`. It is no error if there is none."""
        self._writes.append(delete_message(entity, entity_id, base_version))

    def patch(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, object],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
    ) -> None:
        """Write some fields of a record, and leave the others.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `rhtmx.Increment(1)`.
            delete: keys to remove.
            base_version: the version of the record that the caller saw.
            if_unchanged: nothing of the transaction is written if one of these fields was
                written after `base_version` (without one: ever), by whomever.

        Raises:
            RhtmxError: `BAD_MESSAGE`, a value cannot be written as JSON, or there is nothing
                to write.
        """
        written = to_datetime(self._clock()) if self._timestamp is None else self._timestamp
        message = push_fields_message(
            entity, entity_id, fields, delete, written, self._check, base_version
        )
        message.if_unchanged = if_unchanged or None
        if not message.fields:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                "push_fields.fields: nothing to write: no value, and none to delete",
            )
        self._writes.append(message)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write all of it, if nothing was raised, and wait until it is durable.

        Raises:
            RhtmxError: it was rejected as a whole; its `details` have the reason of each
                write: `{"writes": [{"index": 0, "code": …, "message": …}]}`. `BAD_MESSAGE`, also:
                more than 500 writes, or none under a number.
        """
        if kind is not None:
            return
        if not self._writes and self._seq is None:
            self._result = TransactionResult.nothing()
            return
        message = transaction_of(self._writes, self._seq)
        *reported, answer = await call(self._submit, message, self._client_id)
        assert isinstance(answer, TransactionAck)
        conflicts = [each for each in reported if isinstance(each, FieldConflict)]
        self._result = TransactionResult.of(message, answer, conflicts)

    @property
    def result(self) -> TransactionResult:
        """What came of it, after the block."""
        if self._result is None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, "transaction: the result is there after `async with`"
            )
        return self._result
