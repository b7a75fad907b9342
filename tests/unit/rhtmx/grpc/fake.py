"""A server that says what a test tells it to, in memory, and a backend for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from grpclib.client import Channel
from grpclib.const import Status
from grpclib.events import RecvRequest, SendTrailingMetadata, listen
from grpclib.exceptions import GRPCError
from grpclib.testing import ChannelFor

from rhtmx.errors import ErrorCode
from rhtmx.grpc.call_factory import CallFactory, Token
from rhtmx.grpc.client import Backend
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.grpc.endpoint import target
from rhtmx.messages import (
    Blame,
    BlameResult,
    Change,
    ChangeAction,
    ChangeLog,
    Envelope,
    Error,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    GetFieldsRequest,
    GetFieldsResponse,
    GetRecordRequest,
    History,
    HistoryRequest,
    HistoryResult,
    Push,
    PushAck,
    PushFields,
    PushFieldsResponse,
    PushOutcome,
    Sync,
    SyncComplete,
    SyncFields,
    SyncFieldsComplete,
    ValidateField,
    ValidateForm,
    ValidationResult,
    WatchRequest,
)
from rhtmx.messages import FormValidationResult as FormResult
from rhtmx.messages.rhtmx.v1 import TrackersBase
from rhtmx.messages.tables import ERRORS

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
FOREVER = object()
"""In a script: the stream stays open, and nothing comes."""


def refusal(
    code: ErrorCode, message: str = "no", details: bytes | None = None, wait: str | None = None
) -> GRPCError:
    """An error as the door sends it."""
    row = ERRORS[code]
    return GRPCError(Status(row.grpc_status), message, (row.spelling, details, wait))


def change(version: int, entity_id: str = "1", data: bytes | None = b"{}") -> Envelope:
    """A record changed."""
    action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
    return Envelope(change=Change(change=record(version, entity_id, data, action)))


def record(
    version: int,
    entity_id: str = "1",
    data: bytes | None = b"{}",
    action: ChangeAction = ChangeAction.UPDATE,
) -> ChangeLog:
    """A record as its latest change."""
    return ChangeLog("tasks", entity_id, action, data, version, "cafe", NOON)


def field(version: int, name: str, *, more: bool = False, entity_id: str = "1") -> FieldChangeLog:
    """A field as its latest change."""
    return FieldChangeLog(
        "tasks", entity_id, name, b"1", FieldAction.UPDATE, version, "cafe", NOON, more or None
    )


def field_change(version: int, name: str, *, more: bool = False) -> Envelope:
    """A field changed."""
    return Envelope(field_change=FieldChange(change=field(version, name, more=more)))


def synced(version: int, epoch: str = "e1", *, reset: bool = False) -> Envelope:
    """Records are caught up with."""
    return Envelope(sync_complete=SyncComplete("tasks", version, epoch, reset))


def fields_synced(version: int, epoch: str = "e1", *, reset: bool = False) -> Envelope:
    """Fields are caught up with."""
    return Envelope(sync_fields_complete=SyncFieldsComplete("tasks", version, epoch, reset))


class Fake(TrackersBase):
    """Answers from scripts; an exception in one is raised.

    Attributes:
        answer: of each unary call, by its name.
        streams: what each next stream says; the last one is said again and again.
        asked: every request, in order.
        metadata: what came with each.
        open: streams that are.
    """

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.streams: list[list[Any]] = []
        self.asked: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.open = 0
        self.refuses_push: Callable[[Push], Error | GRPCError | None] = lambda _: None

    async def _unary(self, name: str, message: Any) -> Any:
        self.asked.append(message)
        answer = self.answer[name]
        if isinstance(answer, Exception):
            raise answer
        if answer is FOREVER:
            await asyncio.Event().wait()
        return answer

    async def _stream(self, message: Any) -> AsyncIterator[Any]:
        self.asked.append(message)
        script = self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
        self.open += 1
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if step is FOREVER:
                    await asyncio.Event().wait()
                yield step
        finally:
            self.open -= 1

    async def push(self, message: Push) -> PushAck:
        answer: PushAck = await self._unary("push", message)
        return answer

    async def push_each(self, messages: AsyncIterator[Push]) -> AsyncIterator[PushOutcome]:
        self.open += 1
        try:
            version = 0
            async for message in messages:
                self.asked.append(message)
                error = self.refuses_push(message)
                if isinstance(error, GRPCError):
                    raise error
                if error is not None:
                    yield PushOutcome(error=error)
                    continue
                version += 1
                ack = PushAck(message.entity, message.entity_id, version, seq=message.seq)
                yield PushOutcome(ack=ack)
        finally:
            self.open -= 1

    async def push_fields(self, message: PushFields) -> PushFieldsResponse:
        answer: PushFieldsResponse = await self._unary("push_fields", message)
        return answer

    async def validate_field(self, message: ValidateField) -> ValidationResult:
        answer: ValidationResult = await self._unary("validate_field", message)
        return answer

    async def validate_form(self, message: ValidateForm) -> FormResult:
        answer: FormResult = await self._unary("validate_form", message)
        return answer

    async def get_record(self, message: GetRecordRequest) -> ChangeLog:
        answer: ChangeLog = await self._unary("get_record", message)
        return answer

    async def record_history(self, message: History) -> HistoryResult:
        answer: HistoryResult = await self._unary("record_history", message)
        return answer

    async def blame(self, message: Blame) -> BlameResult:
        answer: BlameResult = await self._unary("blame", message)
        return answer

    async def get_fields(self, message: GetFieldsRequest) -> GetFieldsResponse:
        answer: GetFieldsResponse = await self._unary("get_fields", message)
        return answer

    def sync(self, message: Sync) -> AsyncIterator[Envelope]:
        return self._stream(message)

    def sync_fields(self, message: SyncFields) -> AsyncIterator[Envelope]:
        return self._stream(message)

    def watch(self, message: WatchRequest) -> AsyncIterator[Envelope]:
        return self._stream(message)

    def watch_fields(self, message: WatchRequest) -> AsyncIterator[Envelope]:
        return self._stream(message)

    def history(self, message: HistoryRequest) -> AsyncIterator[ChangeLog]:
        return self._stream(message)

    async def opened(self) -> None:
        """Wait until a stream is open."""
        await until(lambda: self.open > 0)

    async def closed(self) -> None:
        """Wait until no stream is open."""
        await until(lambda: self.open == 0)


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so, but not for ever."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 (what happens on the other side has no event)
            await asyncio.sleep(0.001)


async def drain(changes: AsyncIterator[Any], into: list[Any]) -> None:
    """Read until it ends or fails."""
    async for each in changes:
        into.append(each)


@asynccontextmanager
async def channel_to(fake: Fake) -> AsyncIterator[Channel]:
    """A channel to it."""
    memory = ChannelFor([fake], codec=GrpcCodec())
    channel = await memory.__aenter__()

    async def note(event: RecvRequest) -> None:
        fake.metadata.append(dict(event.metadata))

    async def add(event: SendTrailingMetadata) -> None:
        if event.status_details is not None:
            spelling, details, wait = event.status_details
            event.metadata["rhtmx-code"] = spelling
            if wait is not None:
                event.metadata["rhtmx-retry-after"] = wait
            if details is not None:
                event.metadata["rhtmx-details-bin"] = details

    listen(memory._server, RecvRequest, note)
    listen(memory._server, SendTrailingMetadata, add)
    try:
        yield channel
    finally:
        channel.close()
        memory._server_protocol.connection_lost(None)
        memory._server.close()
        await memory._server.wait_closed()


@asynccontextmanager
async def calls_to(
    fake: Fake,
    *,
    token: Token = None,
    client_id: str | None = None,
    client_secret: str | None = None,
) -> AsyncIterator[CallFactory]:
    """A calls to it that is open."""
    async with channel_to(fake) as channel:
        calls = CallFactory(
            target("test:1"),
            token=token,
            client_id=client_id,
            client_secret=client_secret,
            make=lambda _: channel,
        )
        await calls.open()
        yield calls
        calls.close()


@asynccontextmanager
async def backend_to(
    fake: Fake, *, token: Token = None, client_id: str | None = None
) -> AsyncIterator[Backend]:
    """A backend of it that is entered."""
    async with channel_to(fake) as channel:
        where = target("test:1")
        calls = CallFactory(where, token=token, client_id=client_id, make=lambda _: channel)
        async with Backend(calls, clock=lambda: NOON) as backend:
            yield backend
