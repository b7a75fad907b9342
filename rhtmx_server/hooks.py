"""What the embedding program wants to be told after a commit.

Knows which commits were handed to the hooks. Must not know who else is told.

Hooks are readers like any other: they keep a position and read what comes after
it, here from the history, because a hook sees every commit and not only the
latest state. So a slow hook costs no memory and holds no writer up, also when
it writes itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeLog
from rhtmx_server.failures import place
from rhtmx_server.model import Commit
from rhtmx_server.page import Place
from rhtmx_server.ports import Store
from rhtmx_server.trackers.views import change_log

__all__ = ["CommitHooks", "Hook", "HookRunner"]

log = logging.getLogger("rhtmx_server")

Hook = Callable[[ChangeLog], Awaitable[None]]

PAGE = 100


class CommitHooks:
    """The hooks that were registered, by entity."""

    def __init__(self) -> None:
        self._hooks: list[tuple[str | None, Hook]] = []

    def add(self, entity: str | None, hook: Hook) -> None:
        """Have `hook` called for the commits of an entity, or of all."""
        self._hooks.append((entity, hook))

    def of(self, entity: str) -> list[Hook]:
        """Return the hooks that want to know of an entity's commits."""
        return [hook for name, hook in self._hooks if name in (None, entity)]


class HookRunner:
    """Calls hooks, one commit after the other for each entity.

    Args:
        hooks: whom to call.
        store: where the commits are read.
    """

    def __init__(self, hooks: CommitHooks, store: Store) -> None:
        self._hooks = hooks
        self._store = store
        self._told: dict[str, int | Place] = {}
        self._behind: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def notice(self, commits: Sequence[Commit]) -> None:
        """Take note that there are commits to tell of."""
        for commit in commits:
            entity = commit.record.entity
            if self._hooks.of(entity):
                self._told.setdefault(entity, commit.record.version - 1)
                self._behind[entity] = None
        if self._behind:
            self._idle.clear()
            self._wake.set()

    async def run(self) -> None:
        """Call hooks until cancelled. One that fails is logged, and the rest go on."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._behind:
                entity = next(iter(self._behind))
                del self._behind[entity]
                try:
                    await self._catch_up(entity)
                except RhtmxError as error:
                    log.error("commits of %r wait for their hooks: %s", entity, error)
            self._idle.set()

    async def finish(self) -> None:
        """Wait until every commit noticed so far was told."""
        await self._idle.wait()

    async def _catch_up(self, entity: str) -> None:
        while page := await self._store.history(entity, after=self._told[entity], limit=PAGE):
            for entry in page:
                if not entry.lost:
                    for hook in self._hooks.of(entity):
                        await _call(hook, change_log(entry.record))
            self._told[entity] = page.end


async def _call(hook: Hook, change: ChangeLog) -> None:
    try:
        await hook(change)
    except (Exception, asyncio.CancelledError) as failure:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # the server stops; otherwise the hook waited for something cancelled
        log.error(
            "on_commit hook failed at version %d of %r: %s",
            change.version,
            change.entity,
            place(failure),
        )
