"""Writes for which the program has to be asked first what their author may read.

Knows mutations, and that those of one source keep their order. Must not know what a
mutation does, nor what the program answers.

A write to any other entity waits for nothing, unless one of its source waits before it:

=======  ======================  =================================================
source   a write that asks       a write that does not
=======  ======================  =================================================
free     asking                  handed on
asking   waits in the line       waits in the line
=======  ======================  =================================================

What has gathered in a line is asked for together: one question for each entity. When
nothing waits in it any more the source is free again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from rhtmx.errors import RhtmxError
from rhtmx_server.access.access import Access
from rhtmx_server.access.grant import Grant
from rhtmx_server.model import Mutation, Scope

__all__ = ["WriteLines"]


class WriteLines:
    """Hands mutations on, those of a source in the order in which they came.

    Args:
        access: asks the program.
        submit: takes a mutation of which everything is known.
    """

    def __init__(self, access: Access, submit: Callable[[Mutation], None]) -> None:
        self._access = access
        self._submit = submit
        self._lines: dict[Hashable, list[Mutation]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, mutation: Mutation) -> None:
        """Take a mutation."""
        line = self._lines.get(mutation.source) if self._lines else None
        if line is not None:
            line.append(mutation)
        elif self._asks(mutation):
            self._lines[mutation.source] = [mutation]
            task = asyncio.get_running_loop().create_task(self._walk(mutation.source))
            self._tasks.add(task)  # the loop itself keeps no hold of it
            task.add_done_callback(self._tasks.discard)
        else:
            self._submit(mutation)

    def _asks(self, mutation: Mutation) -> bool:
        if mutation.who is None or mutation.rejection is not None:
            return False
        waits = self._access.waits
        return any(waits(each.write.entity) for each in mutation.writes or (mutation,))

    async def _walk(self, source: Hashable) -> None:
        while waiting := self._lines[source]:
            self._lines[source] = []
            answers: dict[tuple[str, Grant], Scope | RhtmxError] = {}
            changes = self._access.changes
            for mutation in waiting:
                if changes != self._access.changes:
                    answers.clear()
                    changes = self._access.changes
                if self._asks(mutation):
                    for each in mutation.writes or (mutation,):
                        mutation.rejection = mutation.rejection or await self._ask(each, answers)
                self._submit(mutation)
        del self._lines[source]

    async def _ask(
        self, mutation: Mutation, answers: dict[tuple[str, Grant], Scope | RhtmxError]
    ) -> RhtmxError | None:
        """Have a single write know what its author may read; returns why it must not be written."""
        who, entity = mutation.who, mutation.write.entity
        assert who is not None
        if (entity, who) not in answers:
            try:
                answers[entity, who] = await self._access.readable(entity, who)
            except RhtmxError as error:
                answers[entity, who] = error
        answer = answers[entity, who]
        if isinstance(answer, RhtmxError):
            return answer
        mutation.reads = answer
        return None
