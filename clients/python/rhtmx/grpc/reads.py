"""What a backend reads.

Knows the calls that a user makes for it. Must not know how calls are made nor
how they fail: `calls` does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from rhtmx.api.read_once import field_key, record_key
from rhtmx.core import build_message
from rhtmx.core.events import Reset
from rhtmx.core.granularity import Granularity
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call import Limit
from rhtmx.grpc.calls import Calls
from rhtmx.grpc.catch_up import CatchUp
from rhtmx.grpc.stream_opener import StreamOpener
from rhtmx.grpc.watch import Watch
from rhtmx.messages import (
    ChangeAction,
    GetFieldsRequest,
    GetRecordRequest,
    HistoryRequest,
    Position,
)
from rhtmx.values.changes import Change, FieldChange
from rhtmx.wire.check_outgoing import check_integer, check_time

__all__ = ["Reads"]


class Reads:
    """The part of a backend that reads.

    Args:
        calls: makes the calls.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(
        self, entity: str, entity_id: str, *, timeout: float | None = None
    ) -> Change | None:
        """One record, as its latest change; `None` if there is none.

        Example:
            >>> (await trackers.get("users", "1")).data
            {'name': 'Ada'}
        """
        request = GetRecordRequest(entity=entity, entity_id=entity_id)
        try:
            record = await self._calls.ask(lambda stub: stub.get_record(request), timeout)
        except RhtmxError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise
        return None if record.action is ChangeAction.DELETE else Change.of(record)

    async def get_fields(
        self, entity: str, entity_id: str, *, timeout: float | None = None
    ) -> dict[str, FieldChange] | None:
        """The fields of one record, by name, each as its latest change; `None` if there is none."""
        request = GetFieldsRequest(entity=entity, entity_id=entity_id)
        try:
            record = await self._calls.ask(lambda stub: stub.get_fields(request), timeout)
        except RhtmxError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise
        return {each.field: FieldChange.of(each) for each in record.fields}

    def watch(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Watch[Change]:
        """The live stream of whole records.

        Args:
            entity: the collection.
            since: where to start: `None` with the next change, `0` with
                everything there is, or the `position` of an earlier one.
            on_reset: called when what was yielded is void and all of it comes
                anew. If left out, the `Reset` is raised.

        Example:
            >>> async for change in trackers.watch("users", since=0):
            ...     print(change.version, change.action, change.data)
            1 create {'name': 'Ada'}
        """
        source = StreamOpener(self._calls, entity, Granularity.RECORDS)
        return Watch(source, Change.of, since=build_message.position(since), on_reset=on_reset)

    def watch_fields(
        self,
        entity: str,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Watch[FieldChange]:
        """The live stream of field changes; see `watch`."""
        source = StreamOpener(self._calls, entity, Granularity.FIELDS)
        return Watch(source, FieldChange.of, since=build_message.position(since), on_reset=on_reset)

    def sync(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        on_reset: Callable[[Reset], None] | None = None,
        timeout: float | None = None,
    ) -> CatchUp[Change]:
        """Every record that changed after a position, each at its latest.

        Iterate over it, or await it for all of it at once.

        Example:
            >>> result = await trackers.sync("users")
            >>> [change.data for change in result]
            [{'name': 'Ada'}]
            >>> async for change in trackers.sync("users"):  # one at a time
            ...     print(change.version, change.data)
            1 {'name': 'Ada'}
        """
        source = StreamOpener(self._calls, entity, Granularity.RECORDS, ends=True, timeout=timeout)
        start = build_message.position(since)
        return CatchUp(source, Change.of, record_key, since=start, on_reset=on_reset)

    def sync_fields(
        self,
        entity: str,
        since: Position | int = 0,
        *,
        on_reset: Callable[[Reset], None] | None = None,
        timeout: float | None = None,
    ) -> CatchUp[FieldChange]:
        """Every field that changed after a position, each at its latest; see `sync`."""
        source = StreamOpener(self._calls, entity, Granularity.FIELDS, ends=True, timeout=timeout)
        start = build_message.position(since)
        return CatchUp(source, FieldChange.of, field_key, since=start, on_reset=on_reset)

    async def history(
        self,
        entity: str,
        entity_id: str | None = None,
        since: int = 0,
        until: datetime | None = None,
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Every commit that is still kept, in version order.

        Args:
            entity: the collection.
            entity_id: one record of it; all, if left out.
            since: the last version that is not wanted.
            until: the last moment that is wanted.
            timeout: seconds for all of it.

        Example:
            >>> async for change in trackers.history("users"):
            ...     print(change.version, change.data)
            1 {'name': 'Ada'}
        """
        check_integer(since, "history.since")
        if until is not None:
            check_time(until, "history.until")
        request = HistoryRequest(entity=entity, entity_id=entity_id, since=since, until=until)
        commits = self._calls.stream(lambda call: call.stub.history(request), Limit.of(timeout))
        async with aclosing(commits):
            async for commit in commits:
                yield Change.of(commit)
