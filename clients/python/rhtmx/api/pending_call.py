"""A write on its way, as its caller holds it, and the calls that make one.

Knows that there are two things to wait for: the store, and the server; and what comes
of either kind of write. Must not know how either is reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from rhtmx.core import build_message
from rhtmx.core.edit_base import EditBase
from rhtmx.core.events import Answered
from rhtmx.core.storage_ops import Mutation
from rhtmx.messages import FieldPushAck, PushAck, Transaction, TransactionAck
from rhtmx.runtime.client_runtime import ClientRuntime, WriteCall
from rhtmx.values.json_value import Json
from rhtmx.values.results import FieldPushResult, PushResult, TransactionResult, WriteResult

__all__ = ["Writing", "delete", "push", "push_fields", "replace", "writing", "written"]

T = TypeVar("T")
M = TypeVar("M", bound=Mutation)


class Writing(Coroutine[Any, Any, T], Generic[T]):
    """A write that shows already and waits for the server. Made by the calls that write.

    `await` it for what came of it: it returns when the write is durable on the
    server. A wait that is cancelled takes nothing back. It may be awaited by
    several, be made a task, or several, or be left alone: what is rejected is in
    `Client.rejected` as well.

    Args:
        call: the answer, once it is there.
        convert: makes what is returned.
        saved: waits until the write is in the store.

    Example:
        >>> client.offline()
        >>> writing = tasks.set("2", {"title": "On the train"})
        >>> tasks.get("2").pending, len(client.queue)
        (True, 1)
        >>> await writing.stored()  # with a store: from here on it survives this process
        >>> client.online()
        >>> (await writing).version
        2
    """

    def __init__(
        self,
        call: asyncio.Future[Answered],
        convert: Callable[[Answered], T],
        saved: Callable[[], Awaitable[None]],
    ) -> None:
        self._call = call
        self._convert = convert
        self._saved = saved
        self._waiting: WeakKeyDictionary[object, Coroutine[Any, Any, T]] = WeakKeyDictionary()

    async def stored(self) -> None:
        """Wait until the write is in the client's store, and with it all earlier ones.

        Without a store there is nothing to wait for.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`, it cannot be stored.
            ConnectionClosed: the client has ended before it was known to be stored.
        """
        await self._saved()

    def __await__(self) -> Generator[Any, None, T]:
        return self._wait().__await__()

    # What makes it a coroutine, so that `asyncio.create_task` takes it.

    def send(self, value: Any) -> Any:
        """Go on waiting."""
        return self._coroutine().send(value)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
    ) -> Any:
        """Interrupt the waiting."""
        error: Any = kind if isinstance(kind, BaseException) else value or kind()
        return self._coroutine().throw(error)

    def close(self) -> None:
        """Wait no longer."""
        for each in [*self._waiting.values()]:
            each.close()

    def _coroutine(self) -> Coroutine[Any, Any, T]:
        # One for each task: a coroutine runs once, and several tasks may be made of this,
        # one after the other where `asyncio.wait_for` is asked again.
        task = asyncio.current_task() or self
        if task not in self._waiting:
            self._waiting[task] = self._wait()
        return self._waiting[task]

    async def _wait(self) -> T:
        # Shielded, since several may wait and one of them may give up.
        return self._convert(await asyncio.shield(self._call))


def writing(call: WriteCall, convert: Callable[[Answered], T]) -> Writing[T]:
    """A write that was handed over, as its caller holds it.

    Args:
        call: what there is to wait for.
        convert: makes what is returned of the answer.
    """
    return Writing(call.answer, convert, call.stored)


def push(
    runtime: ClientRuntime,
    entity: str,
    entity_id: str,
    data: Json,
    base_version: int | None,
    schema_version: int | None = None,
) -> Writing[PushResult]:
    """Write a whole record; see `Client.push`."""
    message = build_message.push(entity, entity_id, data, base_version)
    return writing(runtime.write(_under(runtime, message, schema_version)), _pushed)


def replace(
    runtime: ClientRuntime,
    entity: str,
    entity_id: str,
    data: Json,
    base: EditBase,
    schema_version: int | None = None,
) -> Writing[PushResult]:
    """Write a whole record in the place of one as this client knows it."""
    message = build_message.push(entity, entity_id, data, base.version)
    _under(runtime, message, schema_version)
    return writing(runtime.write(message, base=base), _pushed)


def delete(
    runtime: ClientRuntime,
    entity: str,
    entity_id: str,
    base_version: int | None,
    schema_version: int | None = None,
) -> Writing[PushResult]:
    """Delete a record; see `Client.delete`."""
    message = build_message.push_delete(entity, entity_id, base_version)
    return writing(runtime.write(_under(runtime, message, schema_version)), _pushed)


def push_fields(
    runtime: ClientRuntime,
    entity: str,
    entity_id: str,
    fields: Mapping[str, Json],
    delete: Iterable[str],
    base_version: int | None,
    timestamp: datetime | None = None,
    if_unchanged: bool = False,
    schema_version: int | None = None,
) -> Writing[FieldPushResult]:
    """Write some fields of a record; see `Client.push_fields`."""
    now = runtime.now()
    at = timestamp or now
    message = build_message.push_fields(entity, entity_id, fields, delete, base_version, at)
    message.if_unchanged = if_unchanged or None
    _under(runtime, message, schema_version)
    return writing(runtime.write(message, now), _fields_pushed)


def _under(runtime: ClientRuntime, message: M, version: int | None) -> M:
    """A write that says under which version of the application's schema, and where it was made."""
    identity = runtime.session.local.identity
    message.schema_version = identity.schema_version if version is None else version
    message.traceparent = identity.traceparent and identity.traceparent()
    return message


def written(message: Mutation, answer: Answered) -> WriteResult:
    """What came of any write.

    Args:
        message: what was to be written.
        answer: what the server says of it.
    """
    if isinstance(answer.message, TransactionAck):
        assert isinstance(message, Transaction)
        return TransactionResult.of(message, answer.message, answer.conflicts)
    return _pushed(answer) if isinstance(answer.message, PushAck) else _fields_pushed(answer)


def _pushed(answer: Answered) -> PushResult:
    assert isinstance(answer.message, PushAck)
    return PushResult.of(answer.message)


def _fields_pushed(answer: Answered) -> FieldPushResult:
    assert isinstance(answer.message, FieldPushAck)
    return FieldPushResult.of(answer.message, answer.conflicts)
