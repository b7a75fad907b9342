"""Several writes that take effect together, as their caller makes them.

Knows when they are collected and when they are on their way. Must not know how they are
written.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from rhtmx.api.pending_call import Writing, writing
from rhtmx.core.events import Answered
from rhtmx.core.transactions import TransactionWrites
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Transaction, TransactionAck
from rhtmx.runtime.client_runtime import ClientRuntime, WriteCall
from rhtmx.values.results import TransactionResult

__all__ = ["ClientTransaction"]


class ClientTransaction(TransactionWrites):
    """Writes of several records, which take effect together or not at all.

    Made by `Client.transaction`. At the end of the block all of it shows, waits in the
    queue as one write, and is sent as soon as there is a connection. `async with` returns
    when it is durable on the server, and raises if it was rejected; `with` returns at once,
    and the `writing` can be awaited. A block that raises writes nothing; one without a write does
    nothing, and has nothing to wait for.

    Args:
        runtime: the client's.

    Example:
        >>> async with client.transaction() as both:
        ...     both.set("orders", "7", {"lines": 1})
        ...     both.set("lines", "7-1", {"order": "7", "goods": "tea"})
        >>> len(both.result.results)
        2
        >>> client.offline()
        >>> with client.transaction() as both:
        ...     both.set("orders", "8", {"lines": 1})
        ...     both.patch("stock", "tea", {"left": rhtmx.Increment(-1)})
        >>> [(each.action, len(each.writes)) for each in client.queue]
        [('transaction', 2)]
        >>> client.online()
        >>> result = await both.writing
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        super().__init__(runtime.now, runtime.session.local.base_version)
        self._runtime = runtime
        self._writing: Writing[TransactionResult] | None = None
        self._result: TransactionResult | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write all of it, if nothing was raised.

        Raises:
            RhtmxError: `BAD_MESSAGE`, more than 500 writes; `TOO_LARGE`, the server takes no
                message of this size.
            ConnectionClosed: there is no connection, and there will be none.
        """
        if kind is None:
            self._write()

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
                write: `{"writes": [{"index": 0, "code": …, "message": …}]}`.
            ConnectionClosed: there is no connection, and there will be none.
        """
        if kind is None:
            self._result = await self._write()

    @property
    def writing(self) -> Writing[TransactionResult]:
        """The write on its way, after the end of the block: await it until it is durable."""
        if self._writing is None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, "transaction: it is written at the end of its block"
            )
        return self._writing

    @property
    def result(self) -> TransactionResult:
        """What came of it, after `async with`."""
        if self._result is None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                "transaction: the result is there after `async with`; after `with`, await "
                "its `writing`",
            )
        return self._result

    def _write(self) -> Writing[TransactionResult]:
        message = self.message() if self._writes else Transaction()

        def convert(answer: Answered) -> TransactionResult:
            assert isinstance(answer.message, TransactionAck)
            return TransactionResult.of(message, answer.message, answer.conflicts)

        self._writing = writing(self._call(message), convert)
        return self._writing

    def _call(self, message: Transaction) -> WriteCall:
        if not message.writes:
            nothing: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
            nothing.set_result(Answered("", TransactionAck()))
            return WriteCall(nothing, self._runtime.saved)
        identity = self._runtime.session.local.identity
        message.schema_version = identity.schema_version
        message.traceparent = identity.traceparent and identity.traceparent()
        return self._runtime.write(message)
