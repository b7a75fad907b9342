"""The server core in miniature with an entity in parts, and readers with rights to some."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any

from rhtmx.messages import Position, Push, Sync, SyncFields
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.reading import finished
from rhtmx_server.access.scopes import scope_id
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.model import Departure, Granularity, Record
from tests.support.divided import DividedStore, SimpleAccess
from tests.unit.rhtmx_server.delivery.reading_world import Reader, World
from tests.unit.rhtmx_server.fakes import FIELDS, pause, push

A, B, ANN = b'{"team":"a"}', b'{"team":"b"}', b'{"owner":"ann"}'


class PausingDividedStore(DividedStore):
    """A divided store whose reads take their time, before and after the reading."""

    before = after = 0
    page = 128

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        await self._pause(self.before)
        found = await super().since(entity, after, upto, min(limit, self.page), clocks=clocks)
        await self._pause(self.after)
        return found

    async def since_in(
        self,
        entity: str,
        parts: Collection[str],
        after: int,
        upto: int,
        limit: int,
        *,
        clocks: bool = True,
    ) -> list[Record | Departure]:
        await self._pause(self.before)
        limit = min(limit, self.page)
        found = await super().since_in(entity, parts, after, upto, limit, clocks=clocks)
        await self._pause(self.after)
        return found

    async def _pause(self, times: int) -> None:
        for _ in range(times):
            await pause()


class ScopedReader(Reader):
    """A connection of somebody whose rights are asked for."""

    world: ScopedWorld

    def __init__(self, world: ScopedWorld, subject: str) -> None:
        super().__init__(world)
        self.world = world
        self.who = Grant(subject)
        self.rescopes = 0

    def reading(self, where: bytes | None, entity: str = "tasks") -> Reading:
        """What it may read now."""
        return finished(self.world.reading(entity, self.who, where))

    def read(
        self, level: Granularity, where: bytes | None = None, since: Position | int | None = None
    ) -> None:
        """Subscribe to a part; a number is a version in the scope of now."""
        reading = self.reading(where)
        if isinstance(since, int):
            since = Position(epoch="e", version=since, scope=reading.scope_id)
        self.subscriptions.subscribe("tasks", level, since, reading)

    def end(self, level: Granularity, where: bytes | None = None) -> None:
        self.subscriptions.unsubscribe("tasks", level, where)

    def sync_part(self, level: Granularity, where: bytes | None, since: int, **more: Any) -> None:
        kind = SyncFields if level is FIELDS else Sync
        reading = self.reading(where)
        request = kind(entity="tasks", since=since, where=where, **more)
        self.subscriptions.sync(request, reading)

    def rescope(self, pauses: int = 0) -> None:
        """Have its rights found out anew, by a task that may have to wait."""

        async def readable(entity: str, where: bytes | None) -> Reading:
            for _ in range(pauses):
                await pause()
            return await self.world.reading(entity, self.who, where)

        async def rescope() -> None:
            self.rescopes += 1
            await self.subscriptions.rescope(readable)
            self.rescopes -= 1

        coroutine = rescope()
        with contextlib.suppress(StopIteration):
            coroutine.send(None)  # it begins at once
            self.steps.spawn(coroutine)


class ScopedWorld(World):
    """Store, hub, rights, and whoever reads."""

    def __init__(self) -> None:
        super().__init__()
        self.store: PausingDividedStore = PausingDividedStore(new_epoch=lambda: "e")  # type: ignore[assignment]
        self.access = SimpleAccess()

    async def reading(self, entity: str, who: Grant, where: bytes | None) -> Reading:
        scope = await self.access.readable(entity, who, where)
        return Reading(entity, where, scope, scope_id(scope, self.access.declared(entity)))

    def may_read(self, subject: str, *values: dict[str, Any]) -> None:
        """The rights of somebody, from now on."""
        self.access.rights[subject, "tasks"] = values

    def person(self, subject: str = "ann") -> ScopedReader:
        reader = ScopedReader(self, subject)
        self.readers.append(reader)
        return reader

    def hand_out(self) -> None:
        held, self.held = self.held, []
        self.hub.deliver(self.store.fill(held))


def task(entity_id: str, data: str) -> Push:
    """A push of a task, `data` without its brackets."""
    return push(entity_id, b"{%s}" % data.encode())


__all__ = ["ANN", "A", "B", "ScopedReader", "ScopedWorld", "task"]
