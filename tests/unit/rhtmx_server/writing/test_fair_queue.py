"""The line: sources take turns, and each keeps its order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable

import pytest

from rhtmx_server.model import Mutation
from rhtmx_server.writing import fair_queue
from rhtmx_server.writing.fair_queue import MAX_BATCH, MAX_BYTES, FairQueue, weigh
from tests.support.state_tables import NOTHING, state_table
from tests.unit.rhtmx_server.fakes import push, push_fields, update


def mutation(entity_id: str, source: str = "", size: int = 1) -> Mutation:
    data = b'"' + b"x" * (size - 2) + b'"'
    return Mutation(push(entity_id, data), lambda reply: None, source=source)


def ids(mutations: list[Mutation]) -> list[str]:
    return [each.write.entity_id for each in mutations]


@pytest.fixture
def line() -> FairQueue:
    return FairQueue()


def test_what_fits_is_taken_as_it_came(line: FairQueue) -> None:
    assert not line
    for entity_id, source in ("1a", "2b", "3a", "4a", "5c"):
        line.put(mutation(entity_id, source))
    assert line
    assert ids(line.take()) == ["1", "2", "3", "4", "5"]
    assert not line
    assert line.take() == []


def test_its_length_is_how_many_wait_whatever_its_order(line: FairQueue) -> None:
    for entity_id in "123":
        line.put(mutation(entity_id, "a", MAX_BYTES // 2 + 1))
    assert len(line) == 3
    assert ids(line.take()) == ["1"]
    line.put(mutation("4", "b"))
    assert len(line) == 3
    line.clear()
    assert len(line) == 0


def test_where_not_all_fits_sources_take_turns(line: FairQueue) -> None:
    for entity_id in "1234":
        line.put(mutation(entity_id, "a", MAX_BYTES // 3 - 9))
    line.put(mutation("5", "b"))
    line.put(mutation("6", "c"))
    line.put(mutation("7", "b"))
    assert ids(line.take()) == ["1", "5", "6", "2", "7", "3"]
    assert ids(line.take()) == ["4"]
    assert not line


def test_small_ones_go_as_they_came_a_batch_at_a_time(line: FairQueue) -> None:
    for index in range(2 * MAX_BATCH):
        line.put(mutation(f"a{index}", "a"))
    line.put(mutation("b", "b"))
    assert ids(line.take()) == [f"a{index}" for index in range(MAX_BATCH)]
    assert ids(line.take()) == [f"a{index}" for index in range(MAX_BATCH, 2 * MAX_BATCH)]
    assert ids(line.take()) == ["b"]
    assert line.take() == []


def test_a_mutation_that_is_larger_than_a_batch_goes_alone_and_none_waits_for_ever(
    line: FairQueue,
) -> None:
    for source in "abc":
        line.put(mutation(source, source, 2 * MAX_BYTES))
        line.put(mutation(f"{source} next", source))
    taken = [ids(line.take()) for _ in range(4)]
    assert taken == [["a"], ["b"], ["c"], ["a next", "b next", "c next"]]


def test_what_is_put_back_comes_first_again(line: FairQueue) -> None:
    for entity_id, source in ("1a", "2b", "3a", "4c"):
        line.put(mutation(entity_id, source))
    taken = line.take()
    line.put(mutation("5", "b"))
    line.put_back(taken[1:])
    assert ids(line.take()) == ["2", "3", "4", "5"]


def test_all_of_it_can_be_taken_at_once(line: FairQueue) -> None:
    for entity_id, source in ("1a", "2b", "3a"):
        line.put(mutation(entity_id, source))
    line.put_back([mutation("0", "c")])
    assert sorted(ids(line.clear())) == ["0", "1", "2", "3"]
    assert not line


def test_a_field_weighs_more_than_its_value() -> None:
    few, many = push_fields(update("a", b"1" * 1000)), [update(f"{n}", b"1") for n in range(1000)]
    assert weigh(few) < weigh(push_fields(*many))
    assert weigh(push(data=None)) == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_source_keeps_its_order_and_nothing_is_lost(seed: int) -> None:
    rng = random.Random(seed)
    line = FairQueue()
    sent, got = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for step in range(400):
        for _ in range(rng.choice([0, 1, 5])):
            source = rng.choice("abcd")
            line.put(mutation(str(step), source, rng.choice([2, 2, MAX_BYTES // 3, MAX_BYTES])))
            sent[source].append(str(step))
        taken = line.take()
        done = rng.randint(0, len(taken))
        assert sum(weigh(each.message) for each in taken[1:]) <= MAX_BYTES
        line.put_back(taken[done:])
        for each in taken[:done]:
            got[str(each.source)].append(each.write.entity_id)
    for each in line.clear():
        got[str(each.source)].append(each.write.entity_id)
    assert got == sent


# The table.

LIGHT = MAX_BATCH + 1
"""So many that one is left when a batch is taken."""


def fill(line: FairQueue, state: str, count: int) -> None:
    for index in range(0 if state == "empty" else count):
        line.put(mutation(f"{index}"))
    if state == "by turns":
        line.put_back(line.take())


EVENTS: dict[str, tuple[int, Callable[[FairQueue], object]]] = {
    "put": (1, lambda line: line.put(mutation("new"))),
    "put_back": (1, lambda line: line.put_back([mutation("old")])),
    "take some": (LIGHT, lambda line: line.take()),
    "take all": (1, lambda line: line.take()),
}


def state_of(line: FairQueue) -> str:
    if line._turns:
        return "by turns"
    return "in order" if line._new else "empty"


@pytest.mark.parametrize(("cell", "state"), state_table(fair_queue).items(), ids=str)
def test_the_table_is_what_happens(line: FairQueue, cell: tuple[str, str], state: str) -> None:
    before, event = cell
    count, do = EVENTS[event]
    fill(line, before, count)
    assert state_of(line) == before
    do(line)
    assert state_of(line) == (before if state == NOTHING else state)
    assert bool(line) == (state_of(line) != "empty")


def test_all_that_wait_can_be_looked_at(line: FairQueue) -> None:
    for entity_id in "1234":
        line.put(mutation(entity_id, "a", MAX_BYTES // 3 - 9))
    line.put(mutation("5", "b"))
    assert sorted(ids(list(line))) == ["1", "2", "3", "4", "5"]
    assert ids(line.take()) == ["1", "5", "2", "3"]
    line.put(mutation("6", "b"))
    assert sorted(ids(list(line))) == ["4", "6"]
