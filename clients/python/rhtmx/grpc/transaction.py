"""Several writes of a backend that take effect together.

Knows how they are collected and sent, and which of them need a number. Must not know how
calls are made nor how they fail.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from rhtmx.core.transactions import TransactionWrites
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call_factory import CallFactory
from rhtmx.messages import Push, PushFields
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS
from rhtmx.values.operations import OPERATIONS
from rhtmx.values.results import TransactionResult
from rhtmx.values.transaction_writes import writes_of

__all__ = ["BackendTransaction", "check_numbered"]


class BackendTransaction(TransactionWrites):
    """Writes of several records, which take effect together or not at all.

    Made by `Backend.transaction`. At the end of the block all of it is written, in one call,
    and durable. A block that raises writes nothing; one without a write makes no call, unless it
    has a number: that would be missing.

    Args:
        calls: makes the call.
        at: the time of the writes.
        seq: the number of all of it.
        timeout: seconds until the call fails.

    Example:
        >>> async with trackers.transaction() as both:
        ...     both.set("orders", "7", {"lines": 1})
        ...     both.set("lines", "7-1", {"order": "7", "goods": "tea"})
        >>> [each.version for each in both.result.results]
        [1, 1]
    """

    def __init__(
        self,
        calls: CallFactory,
        at: Callable[[], datetime],
        *,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(at)
        self._calls = calls
        self._seq = seq
        self._timeout = timeout
        self._result: TransactionResult | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write all of it, if nothing was raised. Returns when it is durable.

        Raises:
            RhtmxError: it was refused as a whole; `details` have the reason of each write:
                `{"writes": [{"index": 0, "code": …, "message": …}]}`. `BAD_MESSAGE`, also:
                more than 500 writes, none under a number, or an operation without one.
            ConnectionClosed: the server cannot be reached.
            TimeoutError: it did not answer in time.
        """
        if kind is not None:
            return
        if not self._writes and self._seq is None:
            self._result = TransactionResult.nothing()
            return
        message = self.message(self._seq)
        for each in writes_of(message):
            check_numbered(each, "transaction", self._seq, self._calls.client_id)
        answer = await self._calls.ask(lambda stub: stub.transact(message), self._timeout)
        assert answer.ack is not None
        self._result = TransactionResult.of(message, answer.ack, answer.conflicts)

    @property
    def result(self) -> TransactionResult:
        """What came of it, after the block."""
        if self._result is None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, "transaction: the result is there after `async with`"
            )
        return self._result


def check_numbered(
    message: Push | PushFields, what: str, seq: int | None, client_id: str | None
) -> None:
    """Refuse an operation in a write without a number: sent again, it would count twice.

    Args:
        message: the write.
        what: the message that the number is missing in.
        seq: its number.
        client_id: whose number.

    Raises:
        RhtmxError: `BAD_MESSAGE`.
    """
    if isinstance(message, Push) or (seq is not None and client_id is not None):
        return
    operation = next((each for each in message.fields if each.action in OPERATIONS), None)
    if operation is None:
        return
    name = FIELD_ACTION_SPELLINGS[operation.action]
    todo = "number this write: seq=1, 2, 3 …"
    if client_id is None:
        todo = f"name this client, backend(…, client_id=…, client_secret=…), and {todo}"
    raise RhtmxError(
        ErrorCode.BAD_MESSAGE,
        f"{what}.seq: {name} of '{operation.field}' would count twice if it were sent again; "
        f"{todo}",
    )
