"""Turns of the loop, shared among those who have much to do."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from rhtmx_server.connections.turns import Turns, Work


class World:
    """A clock that steps move on, and a loop whose turns a test begins."""

    def __init__(self, *, share: float = 2.0, whole: float = 6.0) -> None:
        self.now = 0.0
        self.scheduled: list[Callable[[], None]] = []
        self.done: list[str] = []
        self.turns = Turns(lambda: self.now, self.scheduled.append, share=share, whole=whole)

    def work(self, name: str, steps: int, seconds: float = 1.0) -> Work:
        """Something that takes so many steps of so many seconds."""
        left = [steps]

        def step() -> bool:
            self.done.append(name)
            self.now += seconds
            left[0] -= 1
            return left[0] > 0

        return step

    def turn(self) -> str:
        """One turn of the loop; returns who had a step in it."""
        calls, self.scheduled[:] = self.scheduled[:], []
        self.done.clear()
        for call in calls:
            call()
        return "".join(self.done)


def test_one_uses_its_share_of_a_turn_and_no_more() -> None:
    world = World()
    world.turns.wait(world.work("a", 5))
    assert [world.turn() for _ in range(4)] == ["aa", "aa", "a", ""]


def test_all_who_wait_have_their_share_in_each_turn() -> None:
    world = World()
    for name in "abc":
        world.turns.wait(world.work(name, 4))
    assert [world.turn(), world.turn()] == ["aabbcc", "aabbcc"]


def test_a_turn_ends_when_its_whole_is_spent_and_the_next_begins_with_those_left() -> None:
    world = World(share=2.0, whole=3.0)
    for name in "abc":
        world.turns.wait(world.work(name, 4))
    assert [world.turn() for _ in range(4)] == ["aabb", "ccaa", "bbcc", ""]


def test_a_step_that_takes_longer_than_a_share_is_the_only_one() -> None:
    world = World()
    world.turns.wait(world.work("a", 2, seconds=9.0))
    world.turns.wait(world.work("b", 1))
    assert [world.turn(), world.turn()] == ["a", "ba"]


def test_one_turn_is_scheduled_however_many_wait() -> None:
    world = World()
    for name in "abc":
        world.turns.wait(world.work(name, 3))
    assert len(world.scheduled) == 1
    world.turn()
    assert len(world.scheduled) == 1
    world.turn()
    assert world.scheduled == []


def test_what_fits_into_a_share_is_done_at_once() -> None:
    world = World()
    assert not world.turns.spend(world.work("a", 2))
    assert world.done == ["a", "a"]
    assert world.scheduled == []


def test_what_does_not_fit_waits_for_its_turns() -> None:
    world = World()
    assert world.turns.spend(world.work("a", 3))
    assert world.done == ["a", "a"]
    assert world.turn() == "a"


def test_one_who_comes_while_others_wait_still_has_a_share_at_once() -> None:
    world = World()
    world.turns.wait(world.work("a", 100))
    world.turn()
    world.done.clear()
    assert not world.turns.spend(world.work("b", 1))
    assert world.done == ["b"]


def test_one_who_fails_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    def fail() -> bool:
        raise ValueError("what a user entered")

    world.turns.wait(fail)
    world.turns.wait(world.work("b", 1))
    with caplog.at_level(logging.ERROR, "rhtmx_server"):
        assert [world.turn(), world.turn()] == ["b", ""]
    assert "ValueError" in caplog.text
    assert "what a user entered" not in caplog.text


def test_who_asks_again_in_its_own_step_waits_for_the_next_turn() -> None:
    world = World()

    def again() -> bool:
        world.done.append("a")
        if len(world.done) < 3:
            world.turns.wait(again)
        return False

    world.turns.wait(again)
    assert [world.turn(), world.turn()] == ["a", "a"]
