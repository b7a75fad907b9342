"""Reads: one record, its fields, and what became of it; and questions about forms.

Knows the store's reading side and the validators. Must not know how state was
made, nor how a value is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any, TypeVar

from grpclib.server import Stream

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    GetFieldsRequest,
    GetFieldsResponse,
    GetRecordRequest,
    HistoryRequest,
    ValidateField,
    ValidateForm,
)
from rhtmx_server.connections.checks import check, check_at_least, check_name
from rhtmx_server.connections.services import Services
from rhtmx_server.encoding.render import latest_fields, latest_record
from rhtmx_server.model import Granularity, Record
from rhtmx_server.record_page import HistoryPosition
from rhtmx_server.times import to_micros
from rhtmx_server.transports.grpc.caller import identify, request_of
from rhtmx_server.transports.grpc.calls import (
    answer,
    answered,
    connection_of,
    kept,
    opened,
    receive_one,
    send,
)
from rhtmx_server.transports.grpc.door import Door

__all__ = ["get_fields", "get_record", "history", "validate_field", "validate_form"]

M = TypeVar("M")

PAGE = 32
"""Entries of the history that are read at a time."""


async def get_record(door: Door, stream: Stream[Any, Any]) -> None:
    """Read one record as its last commit left it."""
    request = await _asked(door, stream, GetRecordRequest)
    # Room before the read: what is read has to be kept until the peer takes it.
    room = connection_of(stream).answers
    async with room.turn():
        record = await _record(door.services, request, Granularity.RECORDS)
        found = kept(room, latest_record(record))
    await send(door, stream, found, room)
    answered(stream)


async def get_fields(door: Door, stream: Stream[Any, Any]) -> None:
    """Read the fields of one record, with who wrote them and when."""
    request = await _asked(door, stream, GetFieldsRequest)
    room = connection_of(stream).answers
    async with room.turn():
        record = await _record(door.services, request, Granularity.FIELDS)
        found = kept(room, GetFieldsResponse(fields=latest_fields(record)))
    await send(door, stream, found, room)
    answered(stream)


async def history(door: Door, stream: Stream[Any, Any]) -> None:
    """Read every commit that is kept, a page at a time: as fast as the peer takes them."""
    request = await _asked(door, stream, HistoryRequest)
    check_name("entity", request.entity)
    if request.entity_id is not None:
        check_name("entity_id", request.entity_id)
    check_at_least("since", request.since, 0)
    door.services.known(request.entity)
    until = None if request.until is None else to_micros(request.until)
    await stream.send_initial_metadata()
    room = connection_of(stream).pages
    after: int | HistoryPosition = request.since
    while True:
        await opened(door, stream)
        async with room.turn():
            page = await door.services.store.history(
                request.entity, entity_id=request.entity_id, after=after, until=until, limit=PAGE
            )
            if not page:
                return
            after = page.end
            commits = [latest_record(entry.record) for entry in page if not entry.lost]
            frames = kept(room, *commits)
        if frames:
            await send(door, stream, frames, room)
        else:
            # All of them lost. Nothing is sent: to a client of grpclib 0.4.9 an empty DATA frame
            # is the end (`Buffer.read`). Others have their turn, however many such pages follow.
            await asyncio.sleep(0)


async def validate_field(door: Door, stream: Stream[Any, Any]) -> None:
    """Judge one value. Calls stand alone: none supersedes another."""
    question = await _asked(door, stream, ValidateField)
    _taken(door.services, question)
    forms, owner = door.services.forms, object()
    verdict = forms.try_validate_field(question, owner=owner)
    try:
        if verdict is None:
            verdict = await forms.validate_field(question, owner=owner, share=_peer(stream))
    finally:
        forms.forget(owner)
    door.services.metrics.sent(type(verdict))
    await answer(door, stream, verdict)


async def validate_form(door: Door, stream: Stream[Any, Any]) -> None:
    """Judge a whole form."""
    question = await _asked(door, stream, ValidateForm)
    _taken(door.services, question)
    forms, owner = door.services.forms, object()
    try:
        verdict = await forms.validate_form(question, owner=owner, share=_peer(stream))
    finally:
        forms.forget(owner)
    door.services.metrics.sent(type(verdict))
    await answer(door, stream, verdict)


async def _asked(door: Door, stream: Stream[Any, Any], kind: type[M]) -> M:
    """The question of a call, from someone who may ask.

    Raises:
        RhtmxError: nobody may, or it cannot be understood.
    """
    caller = await identify(door.services, request_of(stream))
    question = await receive_one(stream, kind)
    caller.present()
    return question


def _peer(stream: Stream[Any, Any]) -> Hashable:
    """Whose share of the validators a call uses: its HTTP/2 connection's, with all others'."""
    return connection_of(stream)


def _taken(services: Services, question: ValidateField | ValidateForm) -> None:
    services.metrics.received(type(question))
    check(question)


async def _record(
    services: Services, request: GetRecordRequest | GetFieldsRequest, granularity: Granularity
) -> Record:
    check_name("entity", request.entity)
    check_name("entity_id", request.entity_id)
    services.known(request.entity, granularity)
    record = await services.store.record(request.entity, request.entity_id)
    if record is None or not record.live:
        name = f"{request.entity[:40]}/{request.entity_id[:40]}"
        raise RhtmxError(ErrorCode.NOT_FOUND, f"there is no record {name}")
    return record
