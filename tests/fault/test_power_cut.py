"""An acknowledged commit survives a power cut at any moment.

The disk is real in what it loses: see `power`. A control run without syncs has
to lose something, or the test would prove nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw
import pytest

from rhtmx_server.model import Departure, Record
from rhtmx_server.stores import FileOptions, SqliteStore
from tests.contract.builders import put, record, versions
from tests.contract.parts import BLUE, BOTH, RED, TEAMS, keys_of, of, write
from tests.fault.power import powered

CYCLES = 30
COMMITS = 16
OPERATIONS = 400
"""About as many writes and syncs as one run makes."""


@dataclass
class Found:
    """What a machine finds after the cut."""

    acknowledged: int
    versions: list[int]
    sound: bool

    @property
    def lost(self) -> int:
        return len(set(range(1, self.acknowledged + 1)) - set(self.versions))


async def work_until_cut(
    folder: Path, synchronous: Literal["FULL", "NORMAL"], seed: int, keep: float
) -> Found:
    """Commit records, one each, with a cut on the way; open what is left."""
    cut_at = random.Random(seed).randint(1, OPERATIONS)
    name = f"{folder.name}-{synchronous}-{seed}"
    with powered(name, cut_at=cut_at, keep=keep, seed=seed) as disk:
        options = FileOptions(synchronous=synchronous, vfs=name, checkpoint_pages=60)
        store = SqliteStore(folder / f"{name}.db", options)
        await store.open()
        for version in range(1, COMMITS + 1):
            await put(store, record(str(version), version, b'"' + b"x" * 3000 + b'"'))
            disk.acknowledged = version
        disk.cut()
        await store.close()
        disk.restart_in(folder / name)
    return await look_around(folder / name / f"{name}.db", disk.acknowledged_at_cut)


async def look_around(path: Path, acknowledged: int) -> Found:
    store = SqliteStore(path)
    await store.open()
    found = await versions(store)
    await store.close()
    connection = apsw.Connection(str(path))
    sound = connection.pragma("integrity_check") == "ok"
    connection.close()
    return Found(acknowledged, found, sound)


@pytest.mark.parametrize("keep", [0.0, 0.5])
async def test_no_acknowledged_commit_is_lost(tmp_path: Path, keep: float) -> None:
    found = [await work_until_cut(tmp_path, "FULL", seed, keep) for seed in range(CYCLES)]
    assert [one.lost for one in found] == [0] * CYCLES
    assert all(one.sound for one in found)
    assert len({one.acknowledged for one in found}) > COMMITS // 2, "cuts all over the run"


async def test_the_control_run_without_syncs_loses_commits(tmp_path: Path) -> None:
    found = [await work_until_cut(tmp_path, "NORMAL", seed, 0.0) for seed in range(CYCLES)]
    assert sum(one.lost > 0 for one in found) > CYCLES // 2


async def move_until_cut(folder: Path, seed: int) -> None:
    """Move records between parts, then divide otherwise, with a cut on the way; look at them."""
    cut_at = random.Random(seed).randint(1, OPERATIONS)
    name = f"{folder.name}-parts-{seed}"
    with powered(name, cut_at=cut_at, keep=0.5, seed=seed) as disk:
        store = SqliteStore(folder / f"{name}.db", FileOptions(vfs=name, checkpoint_pages=60))
        await store.open()
        await store.divide("tasks", TEAMS.spelt, keys_of(TEAMS))
        for version in range(1, COMMITS + 1):
            data = of(("red", "blue")[version % 2], text="x" * 3000)
            await write(store, record(str(version % 3), version, data))
        await store.divide("tasks", BOTH.spelt, keys_of(BOTH))
        disk.cut()
        await store.close()
        disk.restart_in(folder / name)
    store = SqliteStore(folder / name / f"{name}.db")
    await store.open()
    if await store.divided():  # not cut before it was
        by = BOTH if seed % 2 else TEAMS
        await store.divide("tasks", by.spelt, keys_of(by))
    there = await store.since("tasks", 0, COMMITS, COMMITS)
    for part in (RED, BLUE):
        found = await store.since_in("tasks", [part], 0, COMMITS, COMMITS)
        inside = [one for one in there if part in keys_of(TEAMS)(one.data)]
        assert [one for one in found if isinstance(one, Record)] == inside
        elsewhere = {one.entity_id for one in there} - {one.entity_id for one in inside}
        assert {one.entity_id for one in found if isinstance(one, Departure)} <= elsewhere
    await store.close()


async def test_parts_are_cut_off_where_their_records_are(tmp_path: Path) -> None:
    for seed in range(CYCLES):
        await move_until_cut(tmp_path, seed)
