"""The streams of a client, as its calls ask for them.

Knows what is asked for. Must not know what is done with what comes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rhtmx.core import build_message
from rhtmx.core.collect_changes import collect, field_key, record_key
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import WhereValues, where_of
from rhtmx.messages import Position
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.progress import Progress
from rhtmx.values.reset import Reset
from rhtmx.values.results import SyncResult

__all__ = ["field_stream", "record_stream", "sync_fields", "sync_records"]

T = TypeVar("T")


def record_stream(
    runtime: ClientRuntime,
    entity: str,
    since: Position | int | None,
    where: WhereValues | None,
    on_reset: Callable[[Reset], None] | None,
    *,
    ends: bool = False,
) -> Subscription[Change]:
    """The whole records of an entity, or of a part of it; see `Client.changes`.

    Args:
        runtime: the client's.
        entity: the collection.
        since: where to start.
        where: the part.
        on_reset: called when what was yielded is void.
        ends: it ends with what there is.
    """
    asked = runtime, entity, since, where, on_reset
    return _stream(Granularity.RECORDS, Change.of, *asked, ends)


def field_stream(
    runtime: ClientRuntime,
    entity: str,
    since: Position | int | None,
    where: WhereValues | None,
    on_reset: Callable[[Reset], None] | None,
    *,
    ends: bool = False,
) -> Subscription[FieldChange]:
    """The fields of an entity, or of a part of it; see `record_stream`."""
    asked = runtime, entity, since, where, on_reset
    return _stream(Granularity.FIELDS, FieldChange.of, *asked, ends)


async def sync_records(
    runtime: ClientRuntime,
    entity: str,
    since: Position | int,
    where: WhereValues | None,
    on_progress: Callable[[Progress], None] | None,
) -> SyncResult[Change]:
    """Every record that changed after a position; see `Client.sync`."""
    read = partial(record_stream, runtime, entity, since, where, ends=True)
    return await collect(read, record_key, on_progress)


async def sync_fields(
    runtime: ClientRuntime,
    entity: str,
    since: Position | int,
    where: WhereValues | None,
    on_progress: Callable[[Progress], None] | None,
) -> SyncResult[FieldChange]:
    """Every field that changed after a position; see `Client.sync_fields`."""
    read = partial(field_stream, runtime, entity, since, where, ends=True)
    return await collect(read, field_key, on_progress)


def _stream(
    granularity: Granularity,
    convert: Callable[[Any], T],
    runtime: ClientRuntime,
    entity: str,
    since: Position | int | None,
    where: WhereValues | None,
    on_reset: Callable[[Reset], None] | None,
    ends: bool,
) -> Subscription[T]:
    runtime.check_open()
    position, part = build_message.position(since), where_of(where, entity)
    make = partial(Subscription, runtime, entity, granularity, convert, where=part)
    return make(since=position, on_reset=on_reset, ends=ends)
