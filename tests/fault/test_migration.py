"""A file of any earlier format is brought to today's whole or not at all."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite import schema
from tests.fault.power import Platter, powered

RECORDS = 300
CUTS = 8
"""For each format."""

OPERATIONS = 40
"""About as many writes and syncs as it takes to open the file of before."""


def file_of(format_: int, path: Path) -> bytes:
    """A file of an earlier format, whose records were written in no order."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    for step in schema._STEPS[:format_]:
        connection.execute(step)
    connection.pragma("application_id", schema.APPLICATION_ID)
    connection.pragma("user_version", format_)
    connection.execute("INSERT INTO meta VALUES ('epoch', 'before')")
    connection.execute("INSERT INTO entities VALUES ('tasks', ?, 0)", (RECORDS,))
    versions = list(range(1, RECORDS + 1))
    random.Random(1).shuffle(versions)
    connection.executemany(
        "INSERT INTO records(entity, entity_id, version, action, data, time) "
        "VALUES ('tasks', ?, ?, 2, x'7B7D', 5)",
        [(f"{number:060}", version) for number, version in enumerate(versions)],
    )
    connection.close()
    return path.read_bytes()


async def all_is_there(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    page = await store.since("tasks", 0, RECORDS, RECORDS)
    assert [one.version for one in page] == list(range(1, RECORDS + 1))
    assert len({one.entity_id for one in page}) == RECORDS
    assert store.epoch == "before"
    await store.close()
    connection = apsw.Connection(str(path))
    assert connection.pragma("integrity_check") == "ok"
    assert connection.pragma("user_version") == schema.FORMAT
    connection.close()


formats = pytest.mark.parametrize("format_", range(1, schema.FORMAT))


@formats
async def test_a_power_cut_at_any_moment_loses_nothing(tmp_path: Path, format_: int) -> None:
    before = file_of(format_, tmp_path / "before.db")
    found = set[int]()
    for seed in range(CUTS):
        name = f"{tmp_path.name}-{seed}"
        path = tmp_path / f"{name}.db"
        path.write_bytes(before)
        cut_at = random.Random(seed).randint(1, OPERATIONS)
        with powered(name, cut_at=cut_at, keep=0.5, seed=seed) as disk:
            disk.platters[str(path)] = Platter(before)
            store = SqliteStore(path, FileOptions(vfs=name))
            await store.open()
            disk.cut()
            await store.close()
            disk.restart_in(tmp_path / name)
        survived = apsw.Connection(str(tmp_path / name / path.name))
        found.add(survived.pragma("user_version"))
        survived.close()
        await all_is_there(tmp_path / name / path.name)
    assert found == {format_, schema.FORMAT}, "cut before, and after"


@formats
async def test_a_full_disk_leaves_the_file_as_it_was_and_room_brings_it_on(
    tmp_path: Path, format_: int
) -> None:
    path = tmp_path / "app.db"
    file_of(format_, path)
    connection = apsw.Connection(str(path))
    pages = connection.pragma("page_count")
    connection.close()
    with pytest.raises(RhtmxError, match="the disk is full, make room"):
        await SqliteStore(path, FileOptions(max_pages=pages)).open()
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == format_
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    await all_is_there(path)
