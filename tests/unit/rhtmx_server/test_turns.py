"""Facts about `rhtmx_server.turns`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.turns import Turns


def fill(turns: Turns[str], *works: str) -> None:
    """Put in works that begin with the letter of their owner."""
    for work in works:
        turns.put(work[0], work)


def all_next(turns: Turns[str]) -> list[str]:
    taken = []
    while (each := turns.next()) is not None:
        owner, work = each
        assert owner == work[0]
        taken.append(work)
    return taken


def test_one_owner_is_served_in_the_order_in_which_it_asked() -> None:
    turns = Turns[str](9)
    fill(turns, "a1", "a2", "a3")
    assert all_next(turns) == ["a1", "a2", "a3"]


def test_owners_take_turns() -> None:
    turns = Turns[str](9)
    fill(turns, "a1", "a2", "a3", "b1", "b2", "c1")
    assert all_next(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_an_owner_that_comes_late_has_its_turn_after_those_that_wait() -> None:
    turns = Turns[str](9)
    fill(turns, "a1", "a2", "b1")
    assert turns.next() == ("a", "a1")
    fill(turns, "c1")
    assert all_next(turns) == ["b1", "a2", "c1"]


def test_an_owner_has_no_more_under_way_than_it_may() -> None:
    turns = Turns[str](2)
    fill(turns, "a1", "a2", "a3", "a4", "b1")
    assert all_next(turns) == ["a1", "b1", "a2"]
    assert not turns.ready
    turns.done("a")
    assert turns.ready
    assert all_next(turns) == ["a3"]


def test_who_need_not_wait_begins_at_once() -> None:
    turns = Turns[str](2)
    assert turns.begin("a")
    fill(turns, "a1", "a2")
    assert not turns.begin("a"), "two wait already"
    assert turns.begin("b")
    assert turns.begin("b")
    assert not turns.begin("b"), "two are under way"
    assert all_next(turns) == ["a1"]
    turns.done("a")
    assert not turns.begin("a")
    assert all_next(turns) == ["a2"]


def test_work_that_was_withdrawn_is_not_next() -> None:
    turns = Turns[str](2)
    fill(turns, "a1", "a2", "b1")
    assert turns.withdraw("a", "a1")
    assert not turns.withdraw("a", "a1"), "it is gone"
    assert all_next(turns) == ["a2", "b1"]
    assert not turns.withdraw("b", "b1"), "it is under way"


def test_who_withdraws_everything_is_forgotten() -> None:
    turns = Turns[str](2)
    fill(turns, "a1", "b1")
    turns.withdraw("a", "a1")
    assert all_next(turns) == ["b1"]
    assert not turns.empty
    turns.done("b")
    assert turns.empty


def test_withdrawing_does_not_lose_the_turn_of_what_is_left() -> None:
    turns = Turns[str](2)
    fill(turns, "a1", "a2", "b1")
    turns.withdraw("a", "a2")
    assert all_next(turns) == ["a1", "b1"]


def test_dropping_forgets_what_waits_and_counts_what_is_under_way() -> None:
    turns = Turns[str](1)
    fill(turns, "a1", "a2", "b1")
    turns.next()
    assert sorted(turns.drop()) == ["a2", "b1"]
    assert (turns.ready, turns.waiting, turns.empty) == (False, 0, False)
    fill(turns, "a3")
    assert turns.next() is None
    turns.done("a")
    assert turns.next() == ("a", "a3")


@given(
    most=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from("pndw"), st.sampled_from("abc")), max_size=60),
)
def test_nothing_is_lost_doubled_or_beyond_what_an_owner_may(
    most: int, steps: Sequence[tuple[str, str]]
) -> None:
    turns, waiting, under_way = Turns[str](most), list[str](), list[str]()
    for number, (step, owner) in enumerate(steps):
        mine = [work for work in waiting if work[0] == owner]
        if step == "p":
            waiting.append(f"{owner}{number}")
            turns.put(owner, waiting[-1])
        elif step == "w" and mine:
            assert turns.withdraw(owner, mine[-1])
            waiting.remove(mine[-1])
        elif step == "d" and any(work[0] == owner for work in under_way):
            under_way.remove(next(work for work in under_way if work[0] == owner))
            turns.done(owner)
        elif step == "n":
            busy = Counter(work[0] for work in under_way)
            may = [work for work in waiting if busy[work[0]] < most]
            assert turns.ready == bool(may)
            taken = turns.next()
            assert (taken is None) == (not may)
            if taken is not None:
                first = next(work for work in waiting if work[0] == taken[0])
                assert taken[1] == first
                assert taken[1] in may
                waiting.remove(taken[1])
                under_way.append(taken[1])
    assert turns.waiting == len(waiting)
    assert turns.empty == (not waiting and not under_way)
