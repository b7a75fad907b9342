"""Facts about `rhtmx.core.collect_changes`."""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.core.collect_changes import collect
from rhtmx.core.cursor import Cursor
from rhtmx.core.events import Delivered, Reset, Synced, WasReset
from rhtmx.core.granularity import Granularity
from rhtmx.messages import ChangeLog, Position
from rhtmx.runtime.subscription import News, Subscription

CURSOR = Cursor()


def at(version: int) -> Position:
    return Position(epoch="e", version=version)


def change(entity_id: str, version: int) -> Delivered:
    return Delivered(CURSOR, ChangeLog("tasks", entity_id, version=version), at(version))


class Owner:
    """Delivers everything as soon as someone reads."""

    def __init__(self, *news: News) -> None:
        self.news = news
        self.stopped = 0

    def start(self, subscription: Subscription[tuple[str, int]], since: object) -> Cursor:
        for each in self.news:
            subscription.put(each)
        return CURSOR

    def stop(self, cursor: Cursor) -> None:
        self.stopped += 1

    def pause(self, cursor: Cursor) -> None:
        raise AssertionError("nothing is slow here")

    resume = pause

    def make(self, on_reset: Callable[[Reset], None]) -> Subscription[tuple[str, int]]:
        return Subscription(
            self,  # type: ignore[arg-type]  # it owns subscriptions of one kind only
            "tasks",
            Granularity.RECORDS,
            lambda log: (log.entity_id, log.version),
            on_reset=on_reset,
            ends=True,
        )


async def test_it_reads_up_to_the_end_and_stops_there() -> None:
    owner = Owner(change("a", 1), change("b", 2), Synced(CURSOR, at(5)), change("c", 6))
    result = await collect(owner.make, key=lambda each: each[0])
    assert result.changes == (("a", 1), ("b", 2))
    assert (result.position, result.reset) == (at(5), False)
    assert owner.stopped == 1


async def test_a_later_change_takes_the_place_of_an_earlier_one() -> None:
    owner = Owner(change("a", 1), change("b", 2), change("a", 3), Synced(CURSOR, at(3)))
    result = await collect(owner.make, key=lambda each: each[0])
    assert result.changes == (("b", 2), ("a", 3))


async def test_a_reset_voids_what_came_before_it() -> None:
    reset = WasReset(CURSOR, Reset("tasks", at(9)), at(0))
    owner = Owner(change("gone", 12), reset, change("a", 1), Synced(CURSOR, at(1)))
    result = await collect(owner.make, key=lambda each: each[0])
    assert result.changes == (("a", 1),)
    assert result.reset
