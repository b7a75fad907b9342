"""Upkeep: what happens by the clock goes on, whatever one turn of it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction
from rhtmx_server import upkeep
from rhtmx_server.config import Config
from rhtmx_server.connection import Connection
from rhtmx_server.model import Head
from tests.unit.rhtmx_server.fakes import push
from tests.unit.rhtmx_server.feed_world import World

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


async def test_old_rows_are_collected_by_age_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, asked = World(), list[dict[str, int]]()

    async def collect(**before: int) -> None:
        asked.append(before)

    monkeypatch.setattr(world.store, "collect", collect)
    config = Config(history_days=2, tombstone_days=3)
    work = upkeep.collect(world.store, world.hub, config, lambda: 10 * DAY)
    assert await turns(monkeypatch, work, 1) == [3600.0, 3600.0]
    assert asked[0] == {"history_before": 8 * DAY, "tombstones_before": 7 * DAY}


async def test_the_hub_learns_the_floors_that_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.write(push("1"), push("1", None, action=ChangeAction.DELETE))
    work = upkeep.collect(world.store, world.hub, Config(tombstone_days=0), lambda: 2**62)
    await turns(monkeypatch, work, 0)
    assert world.hub.head("tasks") == Head(2, 2)


@pytest.mark.parametrize(
    "failure", [RhtmxError(ErrorCode.STORAGE_FULL, "disk full"), ZeroDivisionError()]
)
async def test_a_collection_that_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    world, attempts = World(), list[int]()

    async def collect(**before: int) -> None:
        attempts.append(1)
        raise failure

    monkeypatch.setattr(world.store, "collect", collect)
    await turns(monkeypatch, upkeep.collect(world.store, world.hub, Config(), lambda: DAY), 2)
    assert len(attempts) == 3
    assert "old rows stay for now" in caplog.text
