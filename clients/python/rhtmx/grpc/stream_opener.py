"""Where a reader's streams come from: the call, with its entity and granularity.

Knows which call reads what. Must not know what becomes of the messages.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from rhtmx.core.granularity import Granularity
from rhtmx.core.where import WhereValues, where_of
from rhtmx.grpc.call import Call, Limit
from rhtmx.grpc.call_factory import CallFactory
from rhtmx.messages import Envelope, Position, Sync, SyncFields, WatchRequest

__all__ = ["StreamOpener"]

_Send = Callable[[Call], AsyncIterator[Envelope]]


class StreamOpener:
    """Opens the streams of one reader, and keeps its time.

    Args:
        calls: makes the calls.
        entity: the collection.
        granularity: records or fields.
        ends: whether to end at the head.
        timeout: seconds for all of it.
        where: the part of the entity; all of it, if left out.

    Raises:
        RhtmxError: `BAD_MESSAGE`, `where` cannot be a part of any entity.
    """

    def __init__(
        self,
        calls: CallFactory,
        entity: str,
        granularity: Granularity,
        *,
        ends: bool = False,
        timeout: float | None = None,
        where: WhereValues | None = None,
    ) -> None:
        self.entity = entity
        self.ends = ends
        self._calls = calls
        self._granularity = granularity
        self._timeout = timeout
        part = where_of(where, entity)
        self._where = None if part is None else part.text.encode()
        self._limit: Limit | None = None

    @property
    def renews(self) -> bool:
        """Whether another call may have another token."""
        return self._calls.renews

    def begin(self) -> None:
        """The time begins."""
        self._limit = Limit.of(self._timeout)

    def patience(self, wait: float) -> float:
        """How long to wait before the next attempt, at most."""
        return wait if self._limit is None else min(wait, self._limit.left)

    def open(self, since: Position | None) -> AsyncGenerator[Envelope, None]:
        """Read from a position on."""
        if self.ends and since is not None:
            return self._calls.stream(self._syncing(since), self._limit)
        return self._calls.stream(self._watching(since), self._limit)

    async def epoch(self) -> str:
        """The epoch of the log, as a stream says it that starts at the head."""
        async with aclosing(self._calls.stream(self._watching(None), self._limit)) as envelopes:
            async for envelope in envelopes:
                for complete in (envelope.sync_complete, envelope.sync_fields_complete):
                    if complete is not None:
                        return complete.epoch
        return ""

    def _watching(self, since: Position | None) -> _Send:
        request = WatchRequest(entity=self.entity, since=since, where=self._where)

        def send(call: Call) -> AsyncIterator[Envelope]:
            fields = self._granularity is Granularity.FIELDS
            return call.stub.watch_fields(request) if fields else call.stub.watch(request)

        return send

    def _syncing(self, since: Position) -> _Send:
        fields = self._granularity is Granularity.FIELDS
        request = (SyncFields if fields else Sync)(
            entity=self.entity,
            since=since.version,
            epoch=since.epoch or None,
            where=self._where,
            scope=since.scope,
        )

        def send(call: Call) -> AsyncIterator[Envelope]:
            if isinstance(request, SyncFields):
                return call.stub.sync_fields(request)
            return call.stub.sync(request)

        return send
