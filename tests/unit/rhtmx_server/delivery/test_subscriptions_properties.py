"""Subscriptions, hub and store as one model: whatever happens, every replica ends as the store.

Random writes, subscriptions, syncs, slow readers and cut connections, in a
random order and with a step of every reader anywhere in between. A cut loses what
was on its way; the client resumes from the position that it holds then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate
from rhtmx_server.model import Granularity, Record
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from tests.unit.rhtmx_server.delivery.reading_client import NONE, Asked, Event, Replica
from tests.unit.rhtmx_server.delivery.reading_world import World, run
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, RECORDS, push, push_fields

GRAINS = st.sampled_from([RECORDS, FIELDS])
IDS = st.sampled_from(["1", "2", "3"])
NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def pushes(draw: st.DrawFn) -> Any:
    fields = draw(st.dictionaries(NAMES, st.integers(0, 2)))
    data = b"{%s}" % b",".join(b'"%s":%d' % (k.encode(), v) for k, v in fields.items())
    action = draw(st.sampled_from([ChangeAction.UPDATE] * 3 + [ChangeAction.DELETE]))
    return push(draw(IDS), data, action=action)


@st.composite
def field_pushes(draw: st.DrawFn) -> Any:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    updates = [
        FieldUpdate(
            field=name,
            value=b"%d" % draw(st.integers(0, 2)),
            action=draw(st.sampled_from([FieldAction.UPDATE, FieldAction.DELETE])),
            timestamp=to_datetime(NOW + draw(st.integers(0, 3))),
        )
        for name in names
    ]
    return push_fields(*updates, entity_id=draw(IDS))


@dataclass
class Op:
    """One thing that happens: a method of `Model`, to which client, and with what."""

    name: str
    client: int
    arguments: tuple[Any, ...]


def op(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Op]:
    return st.builds(Op, st.just(name), st.integers(0, 1), st.tuples(*arguments))


OPS = st.one_of(
    op("write", st.one_of(pushes(), field_pushes()), st.booleans()),
    op("write", st.one_of(pushes(), field_pushes()), st.just(True)),
    op("subscribe", GRAINS, st.one_of(st.none(), st.just(0), st.integers(0, 12))),
    op("unsubscribe", GRAINS),
    op("sync", GRAINS, st.integers(0, 12)),
    op("slow", st.booleans()),
    op("step"),
    op("step"),
    op("turn"),
    op("hand_out"),
    op("cut", st.integers(0, 6)),
    op("receive", st.integers(0, 4)),
    op("forget_tombstones"),
)


class Client:
    """One client, its connection, and what is on its way to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.granularity = NONE
        self.replica = Replica()
        self.reader = world.reader()
        self.network: list[Event] = []

    def arrive(self, most: int | None = None) -> None:
        """Take up to so many of the messages that are on their way."""
        self.network += self.reader.take()
        count = len(self.network) if most is None else most
        now, self.network = self.network[:count], self.network[count:]
        for event in now:
            self.replica.apply(event)

    def asked(self, granularity: Granularity, since: int) -> None:
        self.network += [*self.reader.take(), Asked(granularity, since)]

    def left(self, level: Granularity) -> None:
        """Wait no longer for what nobody asked for: that a slow one has caught up."""
        self.arrive()
        self.replica.left(level)

    @property
    def asking(self) -> list[Asked]:
        """What has not been answered as far as the client knows."""
        waiting = [event for event in self.network if isinstance(event, Asked)]
        return self.replica.asking + waiting

    def begin(self, granularity: Granularity, since: int | None) -> None:
        """Subscribe as one who has nothing."""
        position = self.world.hub.position("tasks")
        self.replica = Replica(position if since is None else None)
        self.granularity = granularity
        self.subscribe(granularity, since)

    def subscribe(self, granularity: Granularity, since: int | None) -> None:
        for level in granularity:
            self.reader.subscribe(level, since)
            if since is not None:
                self.asked(level, since)

    def reconnect(self) -> None:
        """Lose the connection with all that is on its way, and resume."""
        self.reader.take()
        self.network = []
        self.reader.close()
        self.world.readers.remove(self.reader)
        self.reader = self.world.reader()
        self.replica.asking.clear()
        self.replica.apply(Asked(NONE, 0))  # the order begins anew
        self.replica.asking.clear()
        fields_only = self.granularity is FIELDS
        position = self.replica.solid if fields_only else self.replica.whole
        if not self.granularity:
            self.replica = Replica()
        elif position is None or self.replica.start is None:
            self.begin(self.granularity, None)
        else:
            self.subscribe(self.granularity, position)


class Model:
    """The server in miniature, and its clients."""

    def __init__(self, page: int, before: int, after: int) -> None:
        self.world = World()
        self.world.store.page = page
        self.world.store.before, self.world.store.after = before, after
        self.clients = [Client(self.world), Client(self.world)]

    def write(self, client: Client, message: Any, hand_out: bool) -> None:
        self.world.write(message, hand_out=hand_out and not self.world.held)

    def hand_out(self, client: Client) -> None:
        self.world.hand_out()

    def turn(self, client: Client) -> None:
        self.world.soon.turn()

    def step(self, client: Client) -> None:
        client.reader.steps.step()

    def slow(self, client: Client, behind: bool) -> None:
        client.reader.outbox.behind = behind

    def receive(self, client: Client, most: int) -> None:
        client.arrive(most)

    def subscribe(self, client: Client, level: Granularity, since: int | None) -> None:
        self._one_stream(client, client.granularity | level)
        if client.granularity:
            client.granularity |= level
            client.subscribe(level, since)
        elif client.reader.subscriptions.syncs and since is None:
            client.granularity = level  # the sync under way becomes the subscription
            client.subscribe(level, None)
        else:
            self._settle(client)
            client.begin(level, since)

    def unsubscribe(self, client: Client, level: Granularity) -> None:
        client.reader.subscriptions.unsubscribe("tasks", level)
        client.granularity &= ~level
        client.left(level)

    def sync(self, client: Client, level: Granularity, since: int) -> None:
        if client.granularity:
            level = RECORDS if client.granularity & RECORDS else FIELDS
        else:
            self._one_stream(client, level)
            if not client.asking:
                client.replica = Replica()
        client.reader.sync(level, since)
        client.asked(level, since)

    def cut(self, client: Client, arrived: int) -> None:
        client.arrive(arrived)
        client.reconnect()

    def forget_tombstones(self, client: Client) -> None:
        # Between catching up and its floor a reader cannot know what it missed.
        for each in self.clients:
            self._settle(each)
        run(self.world.store.collect(history_before=0, tombstones_before=2**62))
        self.world.hub.raise_floors(run(self.world.store.heads()))

    def _one_stream(self, client: Client, granularity: Granularity) -> None:
        """A sync of the one level beside a stream of the other is a stream of its own."""
        if any(asked.granularity is not granularity for asked in client.asking):
            self._settle(client)

    def _settle(self, client: Client) -> None:
        slow = [each.reader for each in self.clients if each.reader.outbox.behind]
        for reader in slow:
            reader.outbox.behind = False
        self.world.settle()
        client.arrive()
        for reader in slow:
            reader.outbox.behind = True

    def finish(self) -> None:
        for client in self.clients:
            self._settle(client)
            assert client.asking == [], "an answer is missing"
            client.reader.outbox.behind = False
        self.world.settle()
        state = run(_everything(self.world.store))
        for client in self.clients:
            client.arrive()
            assert client.reader.subscriptions.lagging == 0
            if client.granularity:
                client.replica.check(state)


async def _everything(store: MemoryStore) -> list[Record]:
    return await MemoryStore.since(store, "tasks", 0, 2**62, 10_000)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(OPS, max_size=40),
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(0, 1),
)
def test_every_stream_is_in_order_without_doubles_and_ends_at_the_state_of_the_store(
    ops: list[Op], page: int, before: int, after: int
) -> None:
    model = Model(page, before, after)
    for each in ops:
        getattr(model, each.name)(model.clients[each.client], *each.arguments)
    model.finish()


def test_who_is_behind_as_it_leaves_is_sent_nothing_more() -> None:
    """That it is behind may show in that very moment, or before: then it was told that it reads."""
    for writes in (1, 3):
        model = Model(page=1, before=0, after=0)
        client = model.clients[0]
        model.subscribe(client, RECORDS, None)
        model.slow(client, True)
        for _ in range(writes):
            model.write(client, push("1", b"{}"), True)
        model.unsubscribe(client, RECORDS)
        assert client.asking == []
        model.world.settle()
        assert client.reader.take() == []
