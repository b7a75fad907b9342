"""Reads: one record, its fields, and what became of it; and questions about forms.

Knows the store's reading side and the validators. Must not know how state was
made, nor how a value is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from grpclib.server import Stream

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    BlameResult,
    GetFieldsRequest,
    GetFieldsResponse,
    GetRecordRequest,
    History,
    HistoryRequest,
    HistoryResult,
    ValidateField,
    ValidateForm,
)
from rhtmx_server.access.reading import ReadAccess, visible
from rhtmx_server.connections.checks import check, check_at_least, check_entity, check_name
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.encoding.render import latest_fields, latest_record
from rhtmx_server.model import Granularity, Record, Scope
from rhtmx_server.record_page import HistoryPosition
from rhtmx_server.times import to_micros
from rhtmx_server.transports.grpc.caller import Caller, caller_of
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

__all__ = [
    "blame",
    "get_fields",
    "get_record",
    "history",
    "record_history",
    "validate_field",
    "validate_form",
]

M = TypeVar("M")

PAGE = 32
"""Entries of the history that are read at a time."""


async def get_record(door: Door, stream: Stream[Any, Any]) -> None:
    """Read one record as its last commit left it."""
    request, caller = await _asked(door, stream, GetRecordRequest)
    # Room before the read: what is read has to be kept until the peer takes it.
    room = connection_of(stream).answers
    async with room.turn():
        record = await _record(door.services, request, caller, Granularity.RECORDS)
        found = kept(room, latest_record(record))
    await send(door, stream, found, room)
    answered(stream)


async def get_fields(door: Door, stream: Stream[Any, Any]) -> None:
    """Read the fields of one record, with who wrote them and when."""
    request, caller = await _asked(door, stream, GetFieldsRequest)
    room = connection_of(stream).answers
    async with room.turn():
        record = await _record(door.services, request, caller, Granularity.FIELDS)
        found = kept(room, GetFieldsResponse(fields=latest_fields(record)))
    await send(door, stream, found, room)
    answered(stream)


async def history(door: Door, stream: Stream[Any, Any]) -> None:
    """Read every commit that is kept, a page at a time: as fast as the peer takes them.

    Who reads a part of the entity is told the commits that left a record in it, and the
    deletes of those.
    """
    request, caller = await _asked(door, stream, HistoryRequest)
    check_entity("entity", request.entity)
    if request.entity_id is not None:
        check_name("entity_id", request.entity_id)
    check_at_least("since", request.since, 0)
    door.services.known(request.entity)
    until = None if request.until is None else to_micros(request.until)
    reading = await _reading(door.services, request.entity, caller)
    shown = Shown(door.services.access, reading)
    await stream.send_initial_metadata()
    room = connection_of(stream).pages
    after: int | HistoryPosition = request.since
    while True:
        await opened(door, stream)
        async with room.turn():
            if caller.visit is not None:
                await caller.visit.require()
            page = await door.services.store.history(
                request.entity, entity_id=request.entity_id, after=after, until=until, limit=PAGE
            )
            if not page:
                return
            after = page.end
            records = [entry.record for entry in page if not entry.lost]
            commits = [latest_record(record) for record in records if shown.shows(record)]
            frames = kept(room, *commits)
        if frames:
            await send(door, stream, frames, room)
        else:
            # All of them lost, or not to be seen. Nothing is sent: to a client of grpclib 0.4.9
            # an empty DATA frame is the end (`Buffer.read`). Others have their turn, however many
            # such pages follow.
            await asyncio.sleep(0)


async def record_history(door: Door, stream: Stream[Any, Any]) -> None:
    """Read the commits of one record, newest first: one page of them."""
    request, caller = await _asked(door, stream, History)
    _taken(door.services, request)
    door.services.known(request.entity)
    past = door.services.past
    await _answer_by_scope(
        door, stream, request.entity, caller, lambda scope: past.commits(request, scope)
    )


async def blame(door: Door, stream: Stream[Any, Any]) -> None:
    """Read who wrote which field of one record."""
    request, caller = await _asked(door, stream, Blame)
    _taken(door.services, request)
    door.services.known(request.entity, Granularity.FIELDS)
    past = door.services.past
    await _answer_by_scope(
        door, stream, request.entity, caller, lambda scope: past.blame(request, scope)
    )


async def _answer_by_scope(
    door: Door,
    stream: Stream[Any, Any],
    entity: str,
    caller: Caller,
    ask: Callable[[Scope], Awaitable[HistoryResult | BlameResult]],
) -> None:
    """Answer by what the caller may read, if that is still so when the answer is there."""
    room = connection_of(stream).answers
    async with room.turn():
        reading = await _reading(door.services, entity, caller)
        result = await ask(reading.scope)
        if caller.visit is not None:
            await caller.visit.require()
        found = kept(room, result)
    door.services.metrics.sent(type(result))
    await send(door, stream, found, room)
    answered(stream)


class Shown:
    """Which commits of an entity's history may be seen, asked from the oldest one on.

    Args:
        access: knows the parts of a record.
        reading: what of the entity may be read.
    """

    def __init__(self, access: ReadAccess, reading: Reading) -> None:
        self._access = access
        self._reading = reading
        self._seen: set[str] = set()

    def shows(self, record: Record) -> bool:
        """Whether the commit that made this of a record may be seen."""
        entity, scope = self._reading.entity, self._reading.scope
        if scope is None:
            return True
        if not record.live:  # what it was before is what may be seen of a delete
            seen = record.entity_id in self._seen
            self._seen.discard(record.entity_id)
            return seen
        if visible(self._access, entity, scope, record.data):
            self._seen.add(record.entity_id)
            return True
        self._seen.discard(record.entity_id)
        return False


async def validate_field(door: Door, stream: Stream[Any, Any]) -> None:
    """Judge one value. Calls stand alone: none supersedes another."""
    question, owner = await _asked(door, stream, ValidateField)
    _taken(door.services, question)
    forms, who = door.services.forms, owner.grant
    verdict = forms.try_validate_field(question, owner=owner, who=who)
    try:
        if verdict is None:
            verdict = await forms.validate_field(
                question, owner=owner, share=_peer(stream), who=who
            )
    finally:
        forms.forget(owner)
    door.services.metrics.sent(type(verdict))
    await answer(door, stream, verdict)


async def validate_form(door: Door, stream: Stream[Any, Any]) -> None:
    """Judge a whole form."""
    question, owner = await _asked(door, stream, ValidateForm)
    _taken(door.services, question)
    forms, who = door.services.forms, owner.grant
    try:
        verdict = await forms.validate_form(question, owner=owner, share=_peer(stream), who=who)
    finally:
        forms.forget(owner)
    door.services.metrics.sent(type(verdict))
    await answer(door, stream, verdict)


async def _asked(door: Door, stream: Stream[Any, Any], kind: type[M]) -> tuple[M, Caller]:
    """The question of a call, and who asks it: someone who may.

    Raises:
        RhtmxError: nobody may, or it cannot be understood.
    """
    caller = await caller_of(door, stream)
    question = await receive_one(stream, kind)
    caller.present()
    return question, caller


def _peer(stream: Stream[Any, Any]) -> Hashable:
    """Whose share of the validators a call uses: its HTTP/2 connection's, with all others'."""
    return connection_of(stream)


def _taken(services: Services, question: ValidateField | ValidateForm | History | Blame) -> None:
    services.metrics.received(type(question))
    check(question)


async def _record(
    services: Services,
    request: GetRecordRequest | GetFieldsRequest,
    caller: Caller,
    granularity: Granularity,
) -> Record:
    entity, entity_id = request.entity, request.entity_id
    check_entity("entity", entity)
    check_name("entity_id", entity_id)
    services.known(entity, granularity)
    reading = await _reading(services, entity, caller)
    record = await services.store.record(entity, entity_id)
    if record is None or not record.live or not _may_see(services, reading, record):
        raise RhtmxError(ErrorCode.NOT_FOUND, f"there is no record {entity[:40]}/{entity_id[:40]}")
    return record


async def _reading(services: Services, entity: str, caller: Caller) -> Reading:
    """What a caller reads of an entity; the call ends if that changes."""
    reading = await services.reading(entity, caller.grant)
    if caller.visit is not None:
        caller.visit.reading = reading
    return reading


def _may_see(services: Services, reading: Reading, record: Record) -> bool:
    return visible(services.access, reading.entity, reading.scope, record.data)
