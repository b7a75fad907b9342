"""One who reads all of an entity by field, and parts of it beside: nothing is missing in the end.

A client drops what it is told has left, and cannot know of which of its subscriptions that is
told. The client is the core of the Python client; the oracle is what the store has.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhtmx.core.where import Where
from rhtmx.messages import ChangeAction
from tests.unit.rhtmx_server.delivery.scoped_world import task
from tests.unit.rhtmx_server.delivery.test_scopes_model import WHERES, Model, Person
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, push, push_fields, update

ALL, TEAM, TEAMS = WHERES[:3]
IDS = st.sampled_from("123")
TEAM_NAMES = st.sampled_from("abc")


class Readers(Model):
    """The model with one reader by field, who may read everything."""

    def __init__(self, page: int, pauses: int) -> None:
        super().__init__(0)
        store = self.world.store
        store.page, store.before, store.after = page, pauses, pauses
        self.world.may_read("ann", {})
        self.world.readers.clear()
        self.one = Person(self.world, "ann", FIELDS, known=True)
        self.people = [self.one]
        self.writes = 0

    def make(self, entity_id: str, team: str) -> None:
        self.world.write(task(entity_id, f'"kept":1,"team":"{team}"'))

    def move(self, entity_id: str, team: str) -> None:
        self.set(entity_id, "team", team)

    def set(self, entity_id: str, field: str, value: str) -> None:
        self.writes += 1
        change = update(field, json.dumps(value).encode(), NOW + self.writes)
        self.world.write(push_fields(change, entity_id=entity_id))

    def delete(self, entity_id: str) -> None:
        self.world.write(push(entity_id, None, action=ChangeAction.DELETE))

    def toggle(self, where: Where | None) -> None:
        client = self.one.client
        (client.close if where in client.wheres else client.open)(where)

    def talk(self) -> None:
        """What either has to say arrives, and what the other one says to that."""
        while self.one.say(9) | self.one.arrive(99):
            pass

    def go(self, steps: int) -> None:
        for _ in range(steps):
            self.world.step()
            self.turn()

    def behind(self, behind: bool) -> None:
        self.one.reader.outbox.behind = behind

    def back(self, arrived: int) -> None:
        self.one.cut(arrived)


OPS = st.one_of(
    st.tuples(st.just("make"), IDS, TEAM_NAMES),
    st.tuples(st.just("move"), IDS, TEAM_NAMES),
    st.tuples(st.just("set"), IDS, st.just("n"), TEAM_NAMES),
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("toggle"), st.sampled_from([ALL, TEAM, TEAMS])),
    st.tuples(st.just("talk")),
    st.tuples(st.just("turn")),
    st.tuples(st.just("go"), st.integers(1, 3)),
    st.tuples(st.just("behind"), st.booleans()),
    st.tuples(st.just("back"), st.integers(0, 3)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(OPS, max_size=40), st.integers(1, 2), st.integers(0, 1))
def test_what_is_read_as_a_whole_and_in_parts_is_whole(
    ops: list[tuple[Any, ...]], page: int, pauses: int
) -> None:
    model = Readers(page, pauses)
    for entity_id in "123":
        model.make(entity_id, "a")
    model.toggle(ALL)
    model.settle()
    for name, *arguments in ops:
        getattr(model, name)(*arguments)
    model.finish()


@pytest.mark.parametrize("steps", range(10))
def test_what_leaves_a_live_part_comes_whole_to_one_that_yet_resumes_all(steps: int) -> None:
    model = Readers(1, 0)
    model.make("1", "a")
    model.toggle(ALL)
    model.settle()
    model.back(0)
    for entity_id in "23456789":
        model.make(entity_id, "b")
    model.talk()
    model.toggle(TEAM)
    model.talk()
    model.go(steps)
    model.move("1", "c")
    model.finish()
