"""What waits for the server, and what waits for a decision: shown, and carried out.

Knows the queue, the refused writes and the conflicts. Must not know how they got there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rhtmx.api.conflict_resolution import OpenConflict, Pending, RejectedWrite
from rhtmx.core.conflict import Side
from rhtmx.messages import FieldPushAck, PushAck
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.results import FieldPushResult, PushResult

__all__ = ["Decisions"]


class Decisions:
    """See the head of the file. What it shows is the same object until that changes.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._pending: tuple[Pending, ...] = ()
        self._pending_at = -1
        self._rejected: tuple[RejectedWrite, ...] = ()
        self._rejected_at = -1

    @property
    def queue(self) -> tuple[Pending, ...]:
        """The writes that wait for the server, in order."""
        writes = self._runtime.session.local.writes
        if self._pending_at != writes.revision:
            shown = {each.id: each for each in self._pending}
            rows = [Pending.of(row) for row in writes.queue]
            now = tuple(shown[row.id] if shown.get(row.id) == row else row for row in rows)
            self._pending = self._pending if self._pending == now else now
            self._pending_at = writes.revision
        return self._pending

    @property
    def rejected(self) -> tuple[RejectedWrite, ...]:
        """The writes that the server refused for good, oldest first."""
        writes = self._runtime.session.local.writes
        if self._rejected_at != writes.revision:
            shown = {each.id: each for each in self._rejected}
            kept = writes.refused.values()
            now = tuple(shown.get(each.id) or RejectedWrite.of(each, self) for each in kept)
            self._rejected = self._rejected if self._rejected == now else now
            self._rejected_at = writes.revision
        return self._rejected

    async def queues(self) -> AsyncGenerator[tuple[Pending, ...], None]:
        """The `queue` now, and each time that it has changed."""
        self._runtime.check_open()
        seen: tuple[Pending, ...] | None = None
        while True:
            if self.queue is not seen:
                seen = self.queue
                yield seen
            else:
                await self._runtime.router.queue.wait()

    async def rejections(self) -> AsyncGenerator[RejectedWrite, None]:
        """The refused writes that are kept, then each new one."""
        self._runtime.check_open()
        async with aclosing(self._runtime.router.rejections.listen()) as writes:
            async for each in writes:
                yield RejectedWrite.of(each, self)

    async def conflicts(self) -> AsyncGenerator[OpenConflict, None]:
        """The conflicts that nobody has answered yet, then each new one."""
        self._runtime.check_open()
        async with aclosing(self._runtime.router.disputes.listen()) as disputes:
            async for each in disputes:
                yield OpenConflict(each, self)

    async def retry(self, request_id: str) -> PushResult | FieldPushResult | None:
        """Write a refused write again."""
        self._let_go(request_id)
        now = self._runtime.now().timestamp()
        return await self._written(self._runtime.session.retry(request_id, now))

    def discard(self, request_id: str) -> None:
        """Give a refused write up."""
        self._let_go(request_id)
        self._runtime.session.local.writes.discard(request_id)
        self._runtime.changed()

    async def answer(
        self, conflict: OpenConflict, side: Side
    ) -> PushResult | FieldPushResult | None:
        """Decide a conflict."""
        self._runtime.router.disputes.drop(conflict.dispute)
        self._let_go(conflict.dispute.refused or "")
        return await self._written(
            self._runtime.session.answer(conflict.dispute, side, self._runtime.now())
        )

    def _let_go(self, request_id: str) -> None:
        """Nobody need be told of this refused write any more."""
        refused = self._runtime.session.local.writes.refused.get(request_id)
        if refused is not None:
            self._runtime.router.rejections.drop(refused)

    async def _written(self, request_id: str | None) -> PushResult | FieldPushResult | None:
        if request_id is None:
            self._runtime.changed()
            return None
        answer = await self._runtime.answer(request_id)
        if isinstance(answer.message, FieldPushAck):
            return FieldPushResult.of(answer.message, answer.conflicts)
        assert isinstance(answer.message, PushAck)
        return PushResult.of(answer.message)
