"""The horizon: no clock takes away what is young, and a right one is followed."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest

from rhtmx_server.horizon import DOUBT, HOUR, PACE, ServerClock, StoredTimes, advance, wall_clock

DAY = 24 * HOUR
NOW = 20_000 * DAY
KEPT = StoredTimes(horizon=NOW, history=NOW - 7 * DAY, others=NOW - 30 * DAY)
ODDS = [0, 0, 0, HOUR, -HOUR, 6 * DAY, -6 * DAY, 40 * DAY, -40 * DAY, 9_000 * DAY, -19_000 * DAY]
"""How wrong a clock is, now and then: by much, by little, and as if it were 1973."""


@pytest.mark.parametrize("ahead", [HOUR, 40 * DAY, 9_000 * DAY])
def test_at_boot_a_clock_that_is_ahead_changes_nothing(ahead: int) -> None:
    assert advance(KEPT, NOW + ahead, ran=0) == NOW


@pytest.mark.parametrize("ran", [0, 1, DOUBT - 1])
def test_a_clock_that_is_behind_is_not_believed_at_first(ran: int) -> None:
    assert advance(KEPT, NOW - 19_000 * DAY, ran) == NOW


def test_a_clock_that_stays_behind_is_believed() -> None:
    assert advance(KEPT, NOW - 40 * DAY, DOUBT) == NOW - 40 * DAY


def test_an_hour_of_running_moves_it_by_a_few() -> None:
    assert advance(KEPT, NOW + 40 * DAY, HOUR) == NOW + PACE * HOUR


def test_a_clock_that_is_right_is_followed_to_the_microsecond() -> None:
    assert advance(KEPT, NOW + HOUR, HOUR) == NOW + HOUR


def test_where_nothing_is_old_it_goes_to_the_oldest_row() -> None:
    kept = StoredTimes(horizon=NOW, history=NOW + 400 * DAY, others=NOW + 399 * DAY)
    assert advance(kept, NOW + 430 * DAY, ran=0) == NOW + 399 * DAY
    assert advance(kept, NOW + 398 * DAY, ran=0) == NOW + 398 * DAY, "but not beyond the clock"


@pytest.mark.parametrize(
    ("kept", "horizon"),
    [
        (StoredTimes(), NOW),
        (StoredTimes(history=NOW - 7 * DAY), NOW - 7 * DAY),
        (StoredTimes(others=NOW - 30 * DAY, history=NOW), NOW - 30 * DAY),
        (StoredTimes(others=NOW + 40 * DAY), NOW),
    ],
)
def test_a_store_without_a_horizon_begins_at_its_oldest_row(
    kept: StoredTimes, horizon: int
) -> None:
    assert advance(kept, NOW, ran=0) == horizon


def test_the_server_clock_goes_on_from_the_horizon_where_the_machine_is_behind() -> None:
    wall, monotonic = [NOW - 40 * DAY], [5.0]
    clock = ServerClock(lambda: wall[0], lambda: monotonic[0])
    assert clock() == NOW - 40 * DAY, "nothing is known better"
    clock.not_before(NOW)
    monotonic[0] += 2.5
    assert clock() == NOW + 2_500_000
    wall[0] = NOW + 3_000_000
    assert clock() == NOW + 3_000_000


@dataclass
class Row:
    stamp: int
    ran: int
    """How long servers had run, all in all, when it was written."""


@dataclass
class Machine:
    """A server that is started, stopped and killed under a clock that may be wrong."""

    days: int
    true: int = NOW
    off: int = 0
    ran: int = 0
    rows: list[Row] = field(default_factory=list)
    kept: int | None = None
    since: int = 0

    def __post_init__(self) -> None:
        self.clock = ServerClock(lambda: self.true + self.off, lambda: self.ran / 1e6)

    def horizon(self) -> int:
        oldest = min((row.stamp for row in self.rows), default=None)
        return advance(
            StoredTimes(self.kept, history=oldest), self.clock.wall(), self.ran - self.since
        )

    def boot(self) -> None:
        self.since = self.ran
        self.clock.not_before(self.kept or 0)
        self.turn()

    def turn(self) -> None:
        """What upkeep does once an hour."""
        self.kept = horizon = self.horizon()
        self.since = self.ran
        self.clock.not_before(horizon)
        gone = [row for row in self.rows if row.stamp < horizon - self.days]
        self.rows = [row for row in self.rows if row.stamp >= horizon - self.days]
        for row in gone:
            assert self.ran - row.ran >= self.days // PACE - HOUR, "it went too early"

    def run(self, span: int, rng: random.Random | None = None) -> None:
        end = self.ran + span
        while self.ran < end:
            if rng is not None and rng.random() < 0.2:
                self.off = rng.choice(ODDS)
            if rng is not None and rng.random() < 0.5:
                self.rows.append(Row(self.clock(), self.ran))
            due = self.since + (DOUBT if self.true + self.off < (self.kept or 0) else HOUR)
            step = max(0, min(end, due) - self.ran)
            self.ran += step
            self.true += step
            if self.ran >= due:
                self.turn()

    def end(self, rng: random.Random) -> None:
        """Stop in good order, or not."""
        if rng.random() < 0.5:
            self.kept = self.horizon()
        self.true += rng.choice([0, HOUR, 12 * HOUR, 40 * DAY, 400 * DAY])
        self.off = rng.choice(ODDS)


def stretches(stamps: list[int], apart: int) -> int:
    """How many groups of times there are with a gap between them."""
    stamps = sorted(stamps)
    return 1 + sum(later - one > apart for one, later in itertools.pairwise(stamps))


@pytest.mark.parametrize("seed", range(20))
def test_nothing_young_goes_whatever_the_clock_does_and_what_is_old_goes_when_it_is_right(
    seed: int,
) -> None:
    rng = random.Random(seed)
    machine = Machine(days=rng.choice([DAY, 7 * DAY, 30 * DAY]), off=rng.choice(ODDS))
    for _ in range(15):
        machine.boot()
        machine.run(rng.choice([HOUR // 20, HOUR, 10 * HOUR, 5 * DAY]), rng)
        machine.end(rng)
    machine.off = 0
    machine.boot()
    machine.run(DAY + stretches([row.stamp for row in machine.rows], DAY) * machine.days // 2)
    left = [row.stamp for row in machine.rows if row.stamp < machine.true - machine.days - HOUR]
    assert left == []


def test_a_server_that_always_runs_under_a_right_clock_forgets_to_the_hour() -> None:
    machine = Machine(days=7 * DAY)
    machine.boot()
    for _ in range(24 * 20):
        machine.rows.append(Row(machine.clock(), machine.ran))
        machine.run(HOUR)
    assert len(machine.rows) == 7 * 24


def test_the_machines_clock_is_read_in_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_999_999)
    assert wall_clock() == 1_999
