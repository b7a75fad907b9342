"""A server core in miniature: memory store, hub and feeds, moved step by step.

Every `await` of a reader is a place where a test can put something else.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, TypeVar

from rhtmx.messages import Position, Push, PushFields, Sync, SyncFields
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.delivery.subscriptions import Subscriptions
from rhtmx_server.model import Commit, Granularity, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import Batch
from tests.unit.rhtmx_server.fakes import (
    FIELDS,
    NOW,
    Lines,
    Soon,
    Steps,
    at_once,
    messages,
    pause,
    push,
)

T = TypeVar("T")

DECIDERS: Mapping[type[Push | PushFields], Decide] = {
    Push: changes_decider(lambda entity: Policy()),
    PushFields: fields_decider(lambda entity: Policy()),
}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits")


class PausingStore(MemoryStore):
    """A memory store whose reads take their time, before and after the reading."""

    before = 0
    after = 0

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        for _ in range(self.before):
            await pause()
        limit = min(limit, self.page)
        page = await super().since(entity, after, upto, limit, clocks=clocks)
        for _ in range(self.after):
            await pause()
        return page

    page = 128


class Reader:
    """A connection as its subscriptions and the hub see it; keeps what it is sent in `out`."""

    def __init__(self, world: World) -> None:
        self.encoding = Lines()
        self.out: list[Message] = []
        self.gone = False
        self.outbox = Outbox(self._take_frames, Tick(at_once), self._dropped)
        self.steps = Steps()
        self.subscriptions = Subscriptions(self, world.store, world.hub, self.steps.spawn)

    def _dropped(self) -> None:
        self.gone = True

    def send(self, message: ServerMessage) -> None:
        if self.gone:
            return
        self.out += messages(self.encoding.frame(message))

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        sent = messages(frames)
        assert [type(message) for message in sent] == [kind] * count
        if not self.gone:
            self.out += sent

    def _take_frames(self, frames: bytes) -> None:
        self.out += messages(frames)

    takes_ephemeral = greeted = True

    def hears_begin(self, *, asked: bool) -> bool:
        return self.greeted and not asked

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        self.subscriptions.fell(entity, granularity, sent)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        while self.outbox.behind:
            await pause()
        yield

    def close(self) -> None:
        self.subscriptions.close()
        self.steps.cancel()

    def subscribe(
        self, granularity: Granularity, since: int | None = None, *, epoch: str = "e"
    ) -> None:
        position = None if since is None else Position(epoch=epoch, version=since)
        self.subscriptions.subscribe("tasks", granularity, position)

    def sync(self, granularity: Granularity, since: int, request_id: str | None = None) -> None:
        kind = SyncFields if granularity is FIELDS else Sync
        self.subscriptions.sync(kind(entity="tasks", since=since, epoch="e", request_id=request_id))

    def take(self) -> list[Message]:
        """What came since the last time."""
        out, self.out = self.out, []
        return out


class World:
    """Store, hub and whoever reads."""

    def __init__(self) -> None:
        self.store = PausingStore(new_epoch=lambda: "e")
        self.soon = Soon()
        self.hub = Hub(Tick(self.soon))
        self.readers: list[Reader] = []
        self.held: list[Commit] = []

    def reader(self) -> Reader:
        reader = Reader(self)
        self.readers.append(reader)
        return reader

    def write(self, *writes: Push | PushFields, hand_out: bool = True) -> None:
        """Make writes durable, each in a transaction, and hand them out unless told not to."""
        for message in writes:
            batch = Batch([Mutation(message, lambda reply: None)], DECIDERS, "e", NOW)
            run(self.store.commit(batch.wanted(), batch.decide))
            self.held += batch.commits
        if hand_out:
            self.hand_out()

    def hand_out(self) -> None:
        held, self.held = self.held, []
        self.hub.deliver(held)

    def fill(self, records: int) -> None:
        """So many records, each of a version of its own."""
        self.write(*(push(str(index), b'{"n":0}') for index in range(1, records + 1)))
        self.soon.turn()

    def step(self) -> None:
        for reader in self.readers:
            reader.steps.step()

    def settle(self) -> None:
        """Go on until nothing moves any more."""
        self.hand_out()
        self.soon.turn()
        for _ in range(10_000):
            if not any(reader.steps.running for reader in self.readers):
                break
            self.step()
            self.soon.turn()
        else:
            raise AssertionError("it does not come to rest")
        self.soon.turn()
