"""What the embedding program wants to be told after a commit.

Knows the order of commits. Must not know who else is told.

A hook sees every commit, not only the latest state, so it cannot be a cursor:
its backlog is bounded by making the committer wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from rhtmx.messages import ChangeLog
from rhtmx_server.ports import Commit
from rhtmx_server.trackers.views import change_log

__all__ = ["CommitHooks", "Hook"]

log = logging.getLogger("rhtmx_server")

Hook = Callable[[ChangeLog], Awaitable[None]]

BACKLOG = 1024
"""Commits that may wait for the hooks before writing waits too."""


class CommitHooks:
    """Calls the hooks of each entity, one commit after the other."""

    def __init__(self) -> None:
        self._hooks: list[tuple[str | None, Hook]] = []
        self._queue: asyncio.Queue[ChangeLog] = asyncio.Queue(BACKLOG)

    def add(self, entity: str | None, hook: Hook) -> None:
        """Have `hook` called for the commits of an entity, or of all."""
        self._hooks.append((entity, hook))

    async def put(self, commits: Sequence[Commit]) -> None:
        """Put commits in line; waits while the line is too long."""
        for commit in commits:
            if any(entity in (None, commit.record.entity) for entity, _ in self._hooks):
                await self._queue.put(change_log(commit.record))

    async def run(self) -> None:
        """Call hooks until cancelled. One that fails is logged, and the rest go on."""
        while True:
            change = await self._queue.get()
            for entity, hook in self._hooks:
                if entity in (None, change.entity):
                    try:
                        await hook(change)
                    except Exception:
                        log.exception(
                            "on_commit hook failed at version %d of %r",
                            change.version,
                            change.entity,
                        )
            self._queue.task_done()

    async def finish(self) -> None:
        """Wait until every commit in line was handed out."""
        await self._queue.join()

    @property
    def any(self) -> bool:
        """Whether there are hooks at all."""
        return bool(self._hooks)
