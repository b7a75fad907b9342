"""Upkeep: what happens by the clock goes on, whatever one turn of it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction
from rhtmx_server import upkeep
from rhtmx_server.config import Config
from rhtmx_server.connections.connection import Connection
from rhtmx_server.horizon import HOUR, PACE, ServerClock, StoredTimes
from rhtmx_server.model import Head
from tests.unit.rhtmx_server.delivery.reading_world import World
from tests.unit.rhtmx_server.fakes import NOW, push

DAY = 86_400_000_000


class Pauses:
    """An `asyncio.sleep` that notes its seconds and ends everything after some."""

    def __init__(self, turns: int) -> None:
        self.seconds: list[float] = []
        self._turns = turns

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) > self._turns:
            raise asyncio.CancelledError


class Looked:
    """A connection that notes when it was looked at."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.looks: list[float] = []
        self._failure = failure

    def look(self, now: float) -> None:
        self.looks.append(now)
        if self._failure is not None:
            raise self._failure


async def turns(monkeypatch: pytest.MonkeyPatch, work: Any, count: int) -> list[float]:
    """Let it go so many turns; the seconds between them."""
    pauses = Pauses(count)
    monkeypatch.setattr(upkeep, "asyncio", SimpleNamespace(sleep=pauses))
    with pytest.raises(asyncio.CancelledError):
        await work
    return pauses.seconds


def watching(
    *connections: Looked, config: Config | None = None, times: Iterable[float] = range(-1, 1000)
) -> Any:
    clock = iter(times)
    return upkeep.watch(
        lambda: cast("list[Connection]", list(connections)),
        lambda: float(next(clock)),
        config or Config(),
    )


async def test_every_connection_is_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Looked(), Looked()
    await turns(monkeypatch, watching(one, other), 3)
    assert one.looks == other.looks == [0.0, 1.0, 2.0]


async def test_a_server_that_was_away_itself_listens_before_it_judges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = Looked()
    await turns(monkeypatch, watching(peer, times=[0, 1, 50, 51, 52]), 4)
    assert peer.looks == [1, 51, 52]


async def test_a_server_that_is_always_late_judges_every_other_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = Looked()
    await turns(monkeypatch, watching(peer, times=[0, 50, 100, 150, 200]), 4)
    assert peer.looks == [100, 200]


async def test_a_look_that_fails_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, healthy = Looked(ZeroDivisionError()), Looked()
    await turns(monkeypatch, watching(broken, healthy), 2)
    assert len(healthy.looks) == 2
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("config", "pause"),
    [
        (Config(), 1.0),
        (Config(heartbeat=2.0), 0.5),
        (Config(stall_timeout=1.0), 0.25),
    ],
)
async def test_it_looks_often_enough_for_the_shortest_time_that_has_to_be_kept(
    monkeypatch: pytest.MonkeyPatch, config: Config, pause: float
) -> None:
    assert set(await turns(monkeypatch, watching(config=config), 1)) == {pause}


async def test_becoming_ready_and_not_ready_is_told_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states, told = iter([True, True, False, False, True, True]), list[str]()
    work = upkeep.watch_readiness(lambda: next(states), lambda: told.append("changed"))
    assert await turns(monkeypatch, work, 5) == [1.0] * 6
    assert told == ["changed", "changed"]


class Times:
    """A wall clock and a clock that does not jump; every pause makes both go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wall: int = 100 * DAY) -> None:
        self.wall = wall
        self.ran = 0.0
        self.clock = ServerClock(lambda: self.wall, lambda: self.ran)
        self._patch = monkeypatch

    def go_on(self, seconds: float) -> None:
        self.wall += round(seconds * 1e6)
        self.ran += seconds

    async def collect(self, world: World, turns: int, config: Config | None = None) -> list[float]:
        """Collect so many times; the seconds between them."""
        pauses = list[float]()

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == turns:
                raise asyncio.CancelledError
            self.go_on(seconds)

        work = upkeep.collect(
            world.store, world.hub, config or Config(), self.clock, lambda: self.ran
        )
        with self._patch.context() as patch:
            patch.setattr(upkeep, "asyncio", SimpleNamespace(sleep=sleep))
            with pytest.raises(asyncio.CancelledError):
                await work
        return pauses


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(monkeypatch)


async def test_old_rows_are_collected_by_age_once_an_hour(
    times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, asked = World(), list[dict[str, int]]()

    async def collect(**before: int) -> None:
        asked.append(before)

    monkeypatch.setattr(world.store, "collect", collect)
    config = Config(history_days=2, tombstone_days=3)
    assert await times.collect(world, 2, config) == [3600.0, 3600.0]
    assert asked[0] == {"history_before": 98 * DAY, "tombstones_before": 97 * DAY}
    assert asked[1] == {before: time + HOUR for before, time in asked[0].items()}


async def test_at_boot_a_clock_that_is_ahead_takes_nothing_and_an_hour_takes_a_few(
    times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    await times.collect(world, 1)
    world.write(push("1"))
    times.wall = 140 * DAY
    asked = list[int]()

    async def collect(*, history_before: int, tombstones_before: int) -> None:
        asked.append(history_before)

    monkeypatch.setattr(world.store, "collect", collect)
    monkeypatch.setattr(world.store, "kept", kept(StoredTimes(100 * DAY, 99 * DAY, 99 * DAY)))
    await times.collect(world, 2)
    assert asked == [93 * DAY, 93 * DAY + PACE * HOUR]
    assert "old rows are held back: the clock is 40.0 days ahead" in caplog.text


@pytest.mark.parametrize(
    ("oldest", "told"),
    [
        (StoredTimes(100 * DAY, 103 * DAY, 80 * DAY), False),
        (StoredTimes(100 * DAY, 100 * DAY, None), True),
        (StoredTimes(100 * DAY, None, 79 * DAY), True),
        (StoredTimes(100 * DAY, None, None), False),
    ],
)
async def test_that_rows_are_held_back_is_told_where_there_are_some(
    times: Times,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    oldest: StoredTimes,
    told: bool,
) -> None:
    world = World()
    times.wall = 109 * DAY + 3 * HOUR
    monkeypatch.setattr(world.store, "kept", kept(oldest))
    await times.collect(world, 1)
    assert ("held back" in caplog.text) is told


async def test_a_restart_after_less_than_an_hour_is_no_reason_to_warn(
    times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    oldest = StoredTimes(times.wall - HOUR + 1, times.wall - 8 * DAY, None)
    monkeypatch.setattr(world.store, "kept", kept(oldest))
    await times.collect(world, 1)
    assert caplog.text == ""


def kept(values: StoredTimes) -> Callable[[], Awaitable[StoredTimes]]:
    async def read() -> StoredTimes:
        return values

    return read


async def test_a_clock_that_is_behind_is_told_of_and_looked_at_again_soon(
    times: Times, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    await times.collect(world, 1)
    times.wall = 60 * DAY
    assert await times.collect(world, 3) == [601.0, 3600.0, 3600.0]
    assert "the clock is 40.0 days behind" in caplog.text
    assert (await world.store.kept()).horizon == times.wall


async def test_while_it_is_behind_what_is_written_gets_the_time_that_the_store_has_seen(
    times: Times,
) -> None:
    world = World()
    await times.collect(world, 1)
    times.wall = 60 * DAY
    await times.collect(world, 1)
    times.go_on(5)
    assert times.clock() == 100 * DAY + 5_000_000


async def test_what_was_run_since_the_last_time_counts_when_it_stops(times: Times) -> None:
    world = World()
    await world.store.note_horizon(100 * DAY)
    times.wall += 40 * DAY
    working = asyncio.create_task(
        upkeep.collect(world.store, world.hub, Config(), times.clock, lambda: times.ran)
    )
    await asyncio.sleep(0)  # it has collected once, and pauses
    assert (await world.store.kept()).horizon == 100 * DAY
    times.go_on(1800)
    working.cancel()
    await asyncio.wait([working], timeout=5)
    assert (await world.store.kept()).horizon == 100 * DAY + PACE * HOUR // 2


async def test_the_hub_learns_the_floors_that_rise(times: Times) -> None:
    world = World()
    world.write(push("1"), push("1", None, action=ChangeAction.DELETE))
    times.wall = 2 * NOW
    await times.collect(world, 2, Config(tombstone_days=0))
    assert world.hub.head("tasks") == Head(2, 2)


@pytest.mark.parametrize(
    "failure", [RhtmxError(ErrorCode.STORAGE_FULL, "disk full"), ZeroDivisionError()]
)
async def test_a_collection_that_fails_is_tried_again_and_its_time_is_not_lost(
    times: Times,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    world, asked = World(), list[int]()
    await world.store.note_horizon(50 * DAY)

    async def collect(*, history_before: int, tombstones_before: int) -> None:
        asked.append(history_before)
        raise failure

    monkeypatch.setattr(world.store, "collect", collect)
    await times.collect(world, 3)
    assert [time - asked[0] for time in asked] == [0, PACE * HOUR, 2 * PACE * HOUR]
    assert "old rows stay for now" in caplog.text


async def test_others_have_their_turn_while_many_connections_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [Looked() for _ in range(2 * upkeep.AT_A_TIME + 1)]
    seconds = await turns(monkeypatch, watching(*many), 3)
    assert [each for each in seconds if not each] == [0, 0]
    assert all(len(each.looks) == 1 for each in many)
