"""What the embedding program wants to be told after a commit.

Knows which commits were handed to the hooks. Must not know who else is told.

Hooks are readers like any other: they keep a position and read what comes after
it, here from the history, because a hook sees every commit and not only the
latest state. So a slow hook costs no memory and holds no writer up, also when
it writes itself.

Fields that never leave the server are not in the history. A hook sees them as they are when
it is called, which may be later than its commit.

Where several nodes share a store, the one that leads calls the hooks for what all of them commit.
How far it is, it notes in the store after each page: who leads after it goes on from there, and may
tell the commits of one page once more. So each is told at least once, over all nodes and restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.changes import Change
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.failures import report
from rhtmx_server.functions import blocks, call, name_of, require_one_argument, was_cancelled
from rhtmx_server.model import Commit, Record
from rhtmx_server.names import suggestion
from rhtmx_server.ports import Store
from rhtmx_server.record_page import HistoryPosition, place
from rhtmx_server.sharing import SharedStore
from rhtmx_server.threads import DaemonPool
from rhtmx_server.trackers.hidden import whole
from rhtmx_server.trackers.values import change_of

__all__ = ["CommitHooks", "Hook", "HookRunner"]

log = logging.getLogger("rhtmx_server")

Hook: TypeAlias = Callable[[Change], object]
"""A hook as its author writes it: plain or `async`."""

PAGE = 100

_NOTE_EVERY = 30.0
"""Seconds after which it is noted that hooks are called."""

_LOOK_EVERY = 1.0
"""Seconds after which the node that leads looks for commits of which it has not heard."""


@dataclass(frozen=True, slots=True)
class _Registered:
    """A hook, of which commits it wants to know, and whether it may hold up the event loop."""

    entity: str | None
    hook: Hook
    name: str
    blocking: bool


class CommitHooks:
    """The hooks that were registered, by entity."""

    def __init__(self) -> None:
        self._hooks: list[_Registered] = []

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._hooks)

    def add(self, entity: str | None, hook: Hook, blocking: bool | None = None) -> None:
        """Have `hook` called for the commits of an entity, or of all.

        Args:
            entity: its name; `None` for all.
            hook: takes the change.
            blocking: whether it must stay off the event loop; `None`: yes for a
                plain function, no for an `async` one.

        Raises:
            TypeError: it takes anything else, is no function, or `async` and blocking.
            ValueError: it wants those of a conflict log, which has no history.
        """
        if entity is not None and entity.startswith(RESERVED):
            raise ValueError(
                f"on_commit({entity[:40]!r}): hooks are not called for conflict logs: read it "
                "with a client"
            )
        name = f"on_commit {name_of(hook)}"
        require_one_argument(hook, name, "(change)")
        self._hooks.append(_Registered(entity, hook, name, blocks(name, hook, blocking)))

    def check(self, entities: Collection[str] | None) -> None:
        """Make sure that each hook may be called one day.

        Args:
            entities: those that there can be; `None` for any.

        Raises:
            RhtmxError: `UNKNOWN_ENTITY`, one waits for commits of another.
        """
        if entities is None:
            return
        for each in self._hooks:
            if each.entity is not None and each.entity not in entities:
                raise RhtmxError(
                    ErrorCode.UNKNOWN_ENTITY,
                    f"{each.name}: no entity {each.entity!r} is declared"
                    f"{suggestion(each.entity, entities)}",
                )

    @property
    def entities(self) -> Collection[str] | None:
        """Of which entities they want to know; `None` for all."""
        names = {each.entity for each in self._hooks}
        return None if None in names else {name for name in names if name is not None}

    def of(self, entity: str) -> list[_Registered]:
        """Return the hooks that want to know of an entity's commits; of a conflict log: none."""
        if not self._hooks or entity.startswith(RESERVED):
            return []
        return [each for each in self._hooks if each.entity in (None, entity)]


class HookRunner:
    """Calls hooks, one commit after the other for each entity.

    Args:
        hooks: whom to call.
        store: where the commits are read.
        hiding: the entities that have fields which never leave the server, as far as is known.
        shared: where it is noted how far hooks are, if several nodes share the store.
        leads: whether this node is the one that calls hooks.
        now: seconds, of a clock that does not jump.
        threads: where plain functions run: one, as hooks are called one after the other.
    """

    def __init__(
        self,
        hooks: CommitHooks,
        store: Store,
        *,
        hiding: Iterable[str] = (),
        shared: SharedStore | None = None,
        leads: Callable[[], bool] = lambda: True,
        now: Callable[[], float] = time.monotonic,
        threads: DaemonPool | None = None,
    ) -> None:
        self._hooks = hooks
        self._store = store
        self._shared = shared
        self._leads = leads
        self._leading = False
        self._finishing = False
        self._epoch = ""
        self._now = now
        self._noted = 0.0
        self._told: dict[str, int | HistoryPosition] = {}
        self._behind: dict[str, int] = {}
        self._hiding = set(hiding)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._threads = threads or DaemonPool(1, "rhtmx-hook")

    def notice(self, commits: Sequence[Commit]) -> None:
        """Take note that there are commits to tell of."""
        if self._shared is not None:
            return  # `moved` is said of these, too
        for commit in commits if self._hooks else ():
            entity = commit.record.entity
            if self._hooks.of(entity):
                if commit.record.hidden is not None:
                    self._hiding.add(entity)
                # From the first commit of this run on: what was before was told before, or to
                # nobody.
                self._told.setdefault(entity, commit.record.version - 1)
                self._behind[entity] = commit.record.version
        if self._behind:
            self._idle.clear()
            self._wake.set()

    def moved(self, entities: Iterable[str]) -> None:
        """Take note that there are commits of some entities, of whatever node."""
        if self._leading and any(map(self._hooks.of, entities)):
            self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether a commit that was noticed has yet to be told."""
        return not self._idle.is_set()

    async def start(self) -> None:
        """Begin with what is committed from now on; or where another server has stopped."""
        if self._shared is not None and self._hooks:
            await self._shared.begin_telling(self._hooks.entities)
            self._noted = self._now()

    async def run(self) -> None:
        """Call hooks until cancelled. One that fails is logged, and the rest go on."""
        try:
            await self._run()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._shared is None else _LOOK_EVERY):
                    await self._wake.wait()
            self._wake.clear()
            if self._shared is not None and self._hooks:
                self._idle.clear()
                await self._find_behind(self._shared)
            while self._behind:
                entity = next(iter(self._behind))
                # Before it is read: a commit that comes meanwhile puts it back in line.
                upto = self._behind.pop(entity)
                try:
                    await self._catch_up(entity, upto)
                except RhtmxError as error:
                    log.error("commits of %r wait for their hooks: %s", entity, error)
            self._idle.set()

    async def _find_behind(self, shared: SharedStore) -> None:
        """Look of which entities there are commits to tell of, if that is for this node to do."""
        self._behind.clear()
        was, self._leading = self._leading, self._leads() and not self._finishing
        if not self._leading:
            return
        try:
            epoch = shared.epoch
            is_new = not was or epoch != self._epoch  # of another epoch no version means anything
            if is_new or self._now() - self._noted > _NOTE_EVERY:
                self._told = dict(await shared.begin_telling(self._hooks.entities))
                self._noted, self._epoch = self._now(), epoch
            heads = await shared.heads()
        except RhtmxError as error:
            log.error("commits wait for their hooks: %s", error)
            self._leading = False
            return
        for entity, head in heads.items():
            told = place(self._told.setdefault(entity, 0)).version
            if told < head.version and self._hooks.of(entity):
                self._behind[entity] = head.version

    async def finish(self) -> None:
        """Wait until every commit noticed so far was told.

        Where another node goes on: until what is told of now was, and that is noted.
        """
        if self._shared is not None:
            self._finishing = True
            self._behind.clear()
        await self._idle.wait()

    async def _catch_up(self, entity: str, upto: int) -> None:
        while page := await self._store.history(entity, after=self._told[entity], limit=PAGE):
            for entry in page:
                if not self._goes_on():
                    self._leading = False
                    return
                if not entry.lost:
                    record = await self._whole(entry.record)
                    for hook in self._hooks.of(entity):
                        await self._call(hook, record)
            self._told[entity] = page.end
            if self._shared is not None and self._goes_on():
                await self._shared.note_told(entity, page.end.version)
                if self._finishing:
                    return
        if place(self._told[entity]).version < upto:  # of the last ones no history is kept
            self._told[entity] = upto

    def _goes_on(self) -> bool:
        """Whether what it has read is still for it to tell.

        It was frozen, maybe, and another node is further by now; or there is another epoch.
        """
        return self._leads() and (self._shared is None or self._shared.epoch == self._epoch)

    async def _whole(self, record: Record) -> Record:
        """A record of the history, with what is hidden of it now."""
        if record.entity not in self._hiding or not record.live:
            return record
        newest = await self._store.record(record.entity, record.entity_id)
        return record if newest is None else whole(replace(record, hidden=newest.hidden))

    async def _call(self, hook: _Registered, record: Record) -> None:
        threads = self._threads if hook.blocking else None
        try:
            change = change_of(record)  # for each its own: the data may be changed
            await call(lambda: hook.hook(change), threads, self)
        except (Exception, SystemExit, asyncio.CancelledError) as failure:
            if was_cancelled(failure):
                raise  # the server stops; otherwise the hook waited for something cancelled
            what = f"{hook.name} failed at version {record.version} of {record.entity!r}"
            report(failure, what)
