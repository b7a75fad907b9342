"""Parts of an entity as one model: whatever happens, every reader ends with what it may read.

Random writes, moves, deletes, slow readers, cut connections, other rights and forgotten
departures, with a step of every reader anywhere in between. The oracle is what the store
has, the rights of the reader, and what it asked for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from rhtmx.messages import ChangeAction, Position
from rhtmx_server.delivery import hub, subscriptions
from rhtmx_server.delivery.page_reader import unseen
from rhtmx_server.encoding.render import Passage, live_messages
from rhtmx_server.model import Departure, Granularity
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.delivery.scoped_client import Asked, ScopedClient, Where, matches
from tests.unit.rhtmx_server.delivery.scoped_world import ScopedReader, ScopedWorld
from tests.unit.rhtmx_server.fakes import FIELDS, RECORDS, push, push_fields, update

SEEDS = 300

WHERES: tuple[Where, ...] = (
    None,
    b'{"team":"a"}',
    b'{"team":["a","b"]}',
    b'{"owner":"ann"}',
    b'{"owner":"ann","team":"b"}',
)
RIGHTS: tuple[tuple[dict[str, Any], ...], ...] = (
    ({},),
    ({"team": "a"},),
    ({"team": "a"}, {"team": "b"}),
    ({"owner": "ann"}, {"team": "c"}),
    (),
)
SUBJECTS = ("ann", "ben")


class Person:
    """A client, its connection, and what is on its way to it."""

    def __init__(self, world: ScopedWorld, subject: str, level: Granularity) -> None:
        self.world, self.subject, self.level = world, subject, level
        self.reader: ScopedReader = world.person(subject)
        self.network: list[Any] = []
        self.client = ScopedClient(self._subscribe)

    def _subscribe(self, where: Where, since: Position) -> None:
        while self.reader.rescopes:  # a connection is not read meanwhile
            self.reader.steps.step()
        self.reader.read(self.level, where, since)
        self.network += [*self.reader.take(), Asked(self.client.streams[where])]

    def arrive(self, most: int | None = None) -> None:
        self.network += self.reader.take()
        while self.network and most != 0:
            self.client.take(self.network.pop(0))
            most = None if most is None else most - 1
        if self.reader.gone:  # the server has dropped it
            self.cut(0)

    def close(self, where: Where) -> None:
        self.reader.end(self.level, where)
        self.client.close(where)

    def cut(self, arrived: int) -> None:
        """Lose the connection with all that is on its way, and resume."""
        self.reader.gone = False
        self.arrive(arrived)
        self.reader.close()
        self.world.readers.remove(self.reader)
        self.reader = self.world.person(self.subject)
        self.network.clear()
        self.client.cut()


class Model:
    """The server in miniature, its clients, and what happens to them, by a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.world = ScopedWorld()
        store = self.world.store
        store.page, store.before, store.after = chance.choice([(1, 0, 0), (2, 1, 1), (128, 0, 2)])
        for subject in SUBJECTS:
            self.world.may_read(subject, *chance.choice(RIGHTS))
        self.people = [
            Person(self.world, subject, level)
            for subject in SUBJECTS
            for level in (RECORDS, FIELDS)
        ]

    def run(self, steps: int) -> None:
        ops: list[Callable[[], None]] = [
            *[self.write] * 5,
            *[self.write_fields] * 2,
            *[self.step] * 5,
            *[self.read] * 2,
            *[self.arrive] * 3,
            self.close,
            self.turn,
            self.slow,
            self.cut,
            self.rights,
            self.tell,
            self.forget,
        ]
        for _ in range(steps):
            self.chance.choice(ops)()
        self.finish()

    def someone(self) -> Person:
        return self.chance.choice(self.people)

    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"n": self.chance.randrange(9)}
        if self.chance.random() < 0.8:
            fields["team"] = self.chance.choice("abc")
        if self.chance.random() < 0.6:
            fields["owner"] = self.chance.choice(["ann", "ben"])
        return fields

    def write(self) -> None:
        delete = self.chance.random() < 0.15
        data = None if delete else json.dumps(self.fields()).encode()
        action = ChangeAction.DELETE if delete else ChangeAction.UPDATE
        message = push(self.chance.choice("12345"), data, action=action)
        self.world.write(message, hand_out=self.chance.random() < 0.8)

    def write_fields(self) -> None:
        fields = self.fields()
        name = self.chance.choice(list(fields))
        change = update(name, json.dumps(fields[name]).encode())
        self.world.write(push_fields(change, entity_id=self.chance.choice("12345")))

    def step(self) -> None:
        self.someone().reader.steps.step()

    def turn(self) -> None:
        self.world.hand_out()
        self.world.soon.turn()

    def arrive(self) -> None:
        self.someone().arrive(self.chance.randrange(8))

    def read(self) -> None:
        someone, where = self.someone(), self.chance.choice(WHERES)
        if where not in someone.client.streams:
            someone.client.open(where)

    def close(self) -> None:
        someone = self.someone()
        if someone.client.streams:
            someone.close(self.chance.choice(list(someone.client.streams)))

    def slow(self) -> None:
        self.someone().reader.outbox.behind = self.chance.random() < 0.5

    def cut(self) -> None:
        self.someone().cut(self.chance.randrange(6))

    def rights(self) -> None:
        subject = self.chance.choice(SUBJECTS)
        self.world.may_read(subject, *self.chance.choice(RIGHTS))
        for each in self.people:
            if each.subject == subject:
                each.reader.rescope(self.chance.randrange(3))

    def tell(self) -> None:
        self.someone().reader.subscriptions.tell_positions()

    def forget(self) -> None:
        """Departures and deletes are forgotten when nobody is in the middle of a first load."""
        if self.chance.random() < 0.3:
            self.settle()
            run(self.world.store.collect(history_before=0, tombstones_before=2**62))
            self.world.hub.raise_floors(run(self.world.store.heads()))

    def settle(self) -> None:
        """Go on until nobody has anything to read or to say any more."""
        for each in self.people:
            each.reader.outbox.behind = False
        for _ in range(100):
            self.world.settle()
            for each in self.people:
                each.arrive()
            if not any(each.reader.steps.running or each.network for each in self.people):
                return
        raise AssertionError("it does not come to rest")

    def finish(self) -> None:
        self.settle()
        for each in self.people:
            assert each.reader.subscriptions.lagging == 0
            assert not any(stream.catching for stream in each.client.streams.values())
            assert each.client.view() == self.expected(each), each.client.streams

    def expected(self, someone: Person) -> dict[str, dict[str, Any]]:
        rights = self.world.access.rights[someone.subject, "tasks"]
        state = {
            record.entity_id: json.loads(record.data)
            for record in self.world.store._records.values()
            if record.live and record.data is not None
        }
        return {
            entity_id: fields
            for entity_id, fields in state.items()
            if fields
            and any(fields.items() >= values.items() for values in rights)
            and any(matches(where, fields) for where in someone.client.streams)
        }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_reader_ends_with_what_it_may_read_and_asked_for(seed: int) -> None:
    Model(seed).run(120)


def broken(seeds: int) -> list[int]:
    """The seeds that end in anything else."""
    found = []
    for seed in range(seeds):
        try:
            Model(seed).run(120)
        except AssertionError:
            found.append(seed)
    return found


def test_filtering_the_live_stream_only_leaves_readers_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def filtered(commit: Any, granularity: Granularity, way: Passage = Passage.STAYS) -> Any:
        return [] if way is Passage.LEAVES else live_messages(commit, granularity, way)

    monkeypatch.setattr(hub, "live_messages", filtered)
    assert broken(40)


def test_catching_up_without_departures_leaves_readers_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without(page: Any, *rest: Any) -> Any:
        return [each for each in unseen(page, *rest) if not isinstance(each, Departure)]

    monkeypatch.setattr(subscriptions, "unseen", without)
    assert broken(40)


def test_a_record_that_enters_by_field_comes_whole_or_readers_are_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "passage", lambda commit, scope: Passage.STAYS)
    assert broken(40)
