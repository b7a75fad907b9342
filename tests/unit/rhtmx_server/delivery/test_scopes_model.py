"""Parts of an entity as one model: whatever happens, every reader ends with what it may read.

Random writes, moves, deletes, slow readers, cut connections, other rights and forgotten
departures, with a step of every reader anywhere in between. The readers are the core of the
Python client. The oracle is what the store has, the rights of the reader, and what it asked for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from rhtmx.core.where import Where, where_of
from rhtmx.messages import (
    ChangeAction,
    Hello,
    Limits,
    Ping,
    Pong,
    Subscribe,
    SubscribeFields,
    Unsubscribe,
    UnsubscribeFields,
    Welcome,
)
from rhtmx.wire import ClientMessage, Message
from rhtmx_server.connections.wheres import wheres
from rhtmx_server.delivery import hub, subscriptions
from rhtmx_server.delivery.page_reader import unseen
from rhtmx_server.encoding.render import Passage, live_messages
from rhtmx_server.model import Departure, Granularity
from rhtmx_server.times import to_datetime
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.delivery.scoped_client import ENTITY, ScopedClient
from tests.unit.rhtmx_server.delivery.scoped_world import ScopedReader, ScopedWorld, task
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, RECORDS, push, push_fields, update

WELCOME = Welcome("s", "e", heartbeat=20_000, limits=Limits(), server_time=to_datetime(NOW))
SEEDS = 300
STEPS = 200

WHERES = tuple(
    where_of(values, ENTITY)
    for values in (
        None,
        {"team": "a"},
        {"team": ["a", "b"]},
        {"owner": "ann"},
        {"owner": "ann", "team": "b"},
    )
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
    """A client, its connection, and what is on its way in both directions.

    Args:
        world: the server.
        subject: who it is.
        level: what it reads.
        known: its schema is the server's: it is known to know of parts.
    """

    def __init__(
        self, world: ScopedWorld, subject: str, level: Granularity, *, known: bool
    ) -> None:
        self.world, self.subject, self.level, self.known = world, subject, level, known
        self.reader: ScopedReader = world.person(subject)
        self.up: list[ClientMessage] = []
        self.down: list[Message] = []
        self.client = ScopedClient(level)

    def say(self, most: int) -> bool:
        """So many of its messages reach the server; returns whether there were any."""
        self.up += self.client.says()
        now, self.up = self.up[:most], self.up[most:]
        for message in now:
            self._heard(message)
        return bool(now)

    def _heard(self, message: ClientMessage) -> None:
        match message:
            case Hello():
                self.reader.subscriptions.knows_parts = self.known
                self.reader.send(WELCOME)
            case Ping():
                self.reader.send(Pong())
            case Subscribe() | SubscribeFields():
                while self.reader.rescopes:  # a connection is not read meanwhile
                    self.reader.steps.step()
                where = wheres(message.where).get(ENTITY)
                self.reader.read(self.level, where, message.since[ENTITY])
            case Unsubscribe() | UnsubscribeFields():
                self.reader.end(self.level, wheres(message.where).get(ENTITY))
            case _:
                raise AssertionError(message)

    def arrive(self, most: int) -> bool:
        """So many of the server's messages reach it; returns whether there were any."""
        self.down += self.reader.take()
        now, self.down = self.down[:most], self.down[most:]
        for message in now:
            self.client.take(message)
        if self.reader.gone:  # the server has dropped it
            self.cut(0)
        return bool(now)

    def cut(self, arrived: int, *, restarts: bool = False) -> None:
        """Lose the connection with all that is on its way, and resume."""
        self.reader.gone = False
        self.arrive(arrived)
        self.reader.close()
        self.world.readers.remove(self.reader)
        self.reader = self.world.person(self.subject)
        self.up.clear()
        self.down.clear()
        if restarts:
            self.client.restart()
        else:
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
            Person(self.world, subject, level, known=chance.random() < 0.7)
            for subject in SUBJECTS
            for level in (RECORDS, FIELDS)
        ]

    def run(self) -> None:
        ops: list[Callable[[], None]] = [
            *[self.write] * 5,
            *[self.write_fields] * 2,
            *[self.step] * 5,
            *[self.read] * 2,
            *[self.say] * 3,
            *[self.arrive] * 3,
            self.keep,
            self.close,
            self.turn,
            self.slow,
            self.cut,
            self.rights,
            self.tell,
            self.forget,
        ]
        for _ in range(STEPS):
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

    def say(self) -> None:
        self.someone().say(self.chance.randrange(1, 9))

    def arrive(self) -> None:
        self.someone().arrive(self.chance.randrange(8))

    def keep(self) -> None:
        self.someone().client.keep()

    def read(self) -> None:
        client, where = self.someone().client, self.chance.choice(WHERES)
        if where not in client.wheres:
            client.open(where)

    def close(self) -> None:
        client = self.someone().client
        if client.wheres:
            client.close(self.chance.choice(client.wheres))

    def slow(self) -> None:
        self.someone().reader.outbox.behind = self.chance.random() < 0.5

    def cut(self) -> None:
        self.someone().cut(self.chance.randrange(6), restarts=self.chance.random() < 0.3)

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
            moved = False
            for each in self.people:
                moved |= each.say(1000)
                moved |= each.arrive(1000)
                moved |= bool(each.reader.steps.running)
            if not moved:
                return
        raise AssertionError("it does not come to rest")

    def finish(self) -> None:
        self.settle()
        for each in self.people:
            assert each.reader.subscriptions.lagging == 0
            assert each.client.live
            for where in each.client.wheres:
                assert each.client.shown(where) == self.expected(each, where), where

    def expected(self, someone: Person, where: Where | None) -> dict[str, dict[str, Any]]:
        rights = self.world.access.rights[someone.subject, ENTITY]
        state = {
            record.entity_id: json.loads(record.data)
            for record in self.world.store._records.values()
            if record.live and record.data is not None
        }
        return {
            entity_id: fields
            for entity_id, fields in state.items()
            if any(fields.items() >= values.items() for values in rights)
            and (where is None or where.has(fields))
        }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_reader_ends_with_what_it_may_read_and_asked_for(seed: int) -> None:
    Model(seed).run()


@pytest.mark.parametrize("level", [RECORDS, FIELDS])
@pytest.mark.parametrize("first", WHERES[:2])
@pytest.mark.parametrize(
    ("rights", "meanwhile"),
    [(({"team": "a"},), ()), (({"owner": "ann"},), ({},)), (({},), ({"owner": "ann"},))],
    ids=["none", "more", "fewer"],
)
def test_rights_that_come_back_leave_nothing_of_those_that_were_between(
    level: Granularity, first: Where | None, rights: Any, meanwhile: Any
) -> None:
    model = Model(0)
    someone = Person(model.world, "ann", level, known=True)
    model.people = [someone]
    model.world.may_read("ann", *rights)
    model.world.write(task("1", '"team":"a"'), task("2", '"team":"a","owner":"ann"'))
    for where, held in ((first, meanwhile), (WHERES[first is None], rights)):
        someone.client.open(where)
        model.settle()
        someone.client.close(where)
        model.settle()
        model.world.may_read("ann", *held)
        someone.reader.rescope()
    someone.client.open(first)
    model.finish()


def broken(seeds: int) -> list[int]:
    """The seeds that end in anything else."""
    found = []
    for seed in range(seeds):
        try:
            Model(seed).run()
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
