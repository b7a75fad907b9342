"""Facts about `rhtmx_server.round_robin`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.round_robin import RoundRobin


def fill(rotation: RoundRobin[str], *works: str) -> None:
    """Put in works that begin with the letter of their owner."""
    for work in works:
        rotation.put(work[0], work)


def all_next(rotation: RoundRobin[str]) -> list[str]:
    taken = []
    while (each := rotation.next()) is not None:
        owner, work = each
        assert owner == work[0]
        taken.append(work)
    return taken


def test_one_owner_is_served_in_the_order_in_which_it_asked() -> None:
    rotation = RoundRobin[str](9)
    fill(rotation, "a1", "a2", "a3")
    assert all_next(rotation) == ["a1", "a2", "a3"]


def test_owners_take_turns() -> None:
    rotation = RoundRobin[str](9)
    fill(rotation, "a1", "a2", "a3", "b1", "b2", "c1")
    assert all_next(rotation) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_an_owner_that_comes_late_has_its_turn_after_those_that_wait() -> None:
    rotation = RoundRobin[str](9)
    fill(rotation, "a1", "a2", "b1")
    assert rotation.next() == ("a", "a1")
    fill(rotation, "c1")
    assert all_next(rotation) == ["b1", "a2", "c1"]


def test_an_owner_has_no_more_under_way_than_it_may() -> None:
    rotation = RoundRobin[str](2)
    fill(rotation, "a1", "a2", "a3", "a4", "b1")
    assert all_next(rotation) == ["a1", "b1", "a2"]
    assert not rotation.ready
    rotation.done("a")
    assert rotation.ready
    assert all_next(rotation) == ["a3"]


def test_who_need_not_wait_begins_at_once() -> None:
    rotation = RoundRobin[str](2)
    assert rotation.begin("a")
    fill(rotation, "a1", "a2")
    assert not rotation.begin("a"), "two wait already"
    assert rotation.begin("b")
    assert rotation.begin("b")
    assert not rotation.begin("b"), "two are under way"
    assert all_next(rotation) == ["a1"]
    rotation.done("a")
    assert not rotation.begin("a")
    assert all_next(rotation) == ["a2"]


def test_work_that_was_withdrawn_is_not_next() -> None:
    rotation = RoundRobin[str](2)
    fill(rotation, "a1", "a2", "b1")
    assert rotation.withdraw("a", "a1")
    assert not rotation.withdraw("a", "a1"), "it is gone"
    assert all_next(rotation) == ["a2", "b1"]
    assert not rotation.withdraw("b", "b1"), "it is under way"


def test_who_withdraws_everything_is_forgotten() -> None:
    rotation = RoundRobin[str](2)
    fill(rotation, "a1", "b1")
    rotation.withdraw("a", "a1")
    assert all_next(rotation) == ["b1"]
    assert not rotation.empty
    rotation.done("b")
    assert rotation.empty


def test_withdrawing_does_not_lose_the_turn_of_what_is_left() -> None:
    rotation = RoundRobin[str](2)
    fill(rotation, "a1", "a2", "b1")
    rotation.withdraw("a", "a2")
    assert all_next(rotation) == ["a1", "b1"]


def test_dropping_forgets_what_waits_and_counts_what_is_under_way() -> None:
    rotation = RoundRobin[str](1)
    fill(rotation, "a1", "a2", "b1")
    rotation.next()
    assert sorted(rotation.drop()) == ["a2", "b1"]
    assert (rotation.ready, rotation.waiting, rotation.empty) == (False, 0, False)
    fill(rotation, "a3")
    assert rotation.next() is None
    rotation.done("a")
    assert rotation.next() == ("a", "a3")


@given(
    most=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from("pndw"), st.sampled_from("abc")), max_size=60),
)
def test_nothing_is_lost_doubled_or_beyond_what_an_owner_may(
    most: int, steps: Sequence[tuple[str, str]]
) -> None:
    rotation, waiting, under_way = RoundRobin[str](most), list[str](), list[str]()
    for number, (step, owner) in enumerate(steps):
        mine = [work for work in waiting if work[0] == owner]
        if step == "p":
            waiting.append(f"{owner}{number}")
            rotation.put(owner, waiting[-1])
        elif step == "w" and mine:
            assert rotation.withdraw(owner, mine[-1])
            waiting.remove(mine[-1])
        elif step == "d" and any(work[0] == owner for work in under_way):
            under_way.remove(next(work for work in under_way if work[0] == owner))
            rotation.done(owner)
        elif step == "n":
            busy = Counter(work[0] for work in under_way)
            may = [work for work in waiting if busy[work[0]] < most]
            assert rotation.ready == bool(may)
            taken = rotation.next()
            assert (taken is None) == (not may)
            if taken is not None:
                first = next(work for work in waiting if work[0] == taken[0])
                assert taken[1] == first
                assert taken[1] in may
                waiting.remove(taken[1])
                under_way.append(taken[1])
    assert rotation.waiting == len(waiting)
    assert rotation.empty == (not waiting and not under_way)
