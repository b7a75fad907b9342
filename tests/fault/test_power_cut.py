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

from rhtmx_server.stores import FileOptions, SqliteStore
from tests.contract.builders import put, record, versions
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
