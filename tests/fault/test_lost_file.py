"""A database that is deleted, moved or replaced under the server: nothing is acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores import SqliteStore
from rhtmx_server.stores.sqlite.placement import NOTHING_LEARNT, Placement
from tests.contract.builders import put, record, versions
from tests.support.lost_files import deleted, moved, replaced_by_a_copy


@pytest.fixture(params=[NOTHING_LEARNT, Placement(1.0, 10**6)], ids=["at first", "worker"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store that holds record 1; by its clock each commit takes a second."""
    made = SqliteStore(tmp_path / "app.db", clock=count().__next__, placement=request.param)
    await made.open()
    await put(made, record("1", 1))
    yield made
    await made.close()


def without_its_log(path: Path) -> None:
    path.with_name("app.db-wal").unlink()


def without_its_index(path: Path) -> None:
    path.with_name("app.db-shm").unlink()


def with_its_folder(path: Path) -> None:
    path.parent.rename(f"{path.parent}-elsewhere")


@pytest.mark.parametrize("link", ["the file", "its folder"])
async def test_a_link_that_leads_elsewhere_by_now_is_a_file_that_is_gone(
    tmp_path: Path, link: str
) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    current = tmp_path / ("app.db" if link == "the file" else "current")
    path = current if link == "the file" else current / "app.db"
    target = "v1/app.db" if link == "the file" else "v1"
    current.symlink_to(target)
    store = SqliteStore(path, clock=count().__next__)
    await store.open()
    await put(store, record("1", 1))
    current.unlink()
    current.symlink_to(target.replace("v1", "v2"))
    with pytest.raises(RhtmxError, match="put back"):
        await put(store, record("2", 2))
    assert not store.ready()
    await store.close()


@pytest.mark.parametrize(
    "lose",
    [
        deleted,
        moved,
        replaced_by_a_copy,
        without_its_log,
        without_its_index,
        with_its_folder,
    ],
)
async def test_a_commit_into_a_file_that_is_not_there_any_more_is_refused(
    store: SqliteStore, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    assert store.ready()
    lose(tmp_path / "app.db")
    for _ in range(2):
        with pytest.raises(RhtmxError) as refused:
            await put(store, record("2", 2))
        assert refused.value.code is ErrorCode.STORAGE_FAILED
        assert "put back" in refused.value.message
    assert not store.ready()


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.collect(history_before=0, tombstones_before=0),
        lambda store: store.renew_epoch(),
    ],
)
async def test_nothing_else_is_written_either(
    store: SqliteStore, tmp_path: Path, write: Callable[[SqliteStore], Awaitable[object]]
) -> None:
    epoch = store.epoch
    deleted(tmp_path / "app.db")
    with pytest.raises(RhtmxError, match="put back"):
        await write(store)
    assert store.epoch == epoch


async def test_it_is_seen_without_a_write_as_well(store: SqliteStore, tmp_path: Path) -> None:
    deleted(tmp_path / "app.db")
    assert not store.ready()


async def test_once_it_was_gone_it_is_not_believed_until_it_is_opened_again(
    store: SqliteStore, tmp_path: Path
) -> None:
    moved(tmp_path / "app.db")
    assert not store.ready()
    (tmp_path / "moved.db").rename(tmp_path / "app.db")
    with pytest.raises(RhtmxError, match="started again"):
        await put(store, record("2", 2))
    await store.close()
    assert not store.ready()
    await store.open()
    assert store.ready()
    assert await versions(store) == [1], "nothing was written any more"
    await put(store, record("2", 2))
    assert await versions(store) == [1, 2]


def moved_back(path: Path) -> None:
    path.with_name("moved.db").rename(path)


def with_its_folder_back(path: Path) -> None:
    Path(f"{path.parent}-elsewhere").rename(path.parent)


@pytest.mark.parametrize(
    ("lose", "put_back"), [(moved, moved_back), (with_its_folder, with_its_folder_back)]
)
async def test_what_was_acknowledged_is_there_when_the_file_was_put_back_after_a_stop(
    store: SqliteStore,
    tmp_path: Path,
    lose: Callable[[Path], None],
    put_back: Callable[[Path], None],
) -> None:
    path = tmp_path / "app.db"
    lose(path)
    with pytest.raises(RhtmxError):
        await put(store, record("2", 2))
    await store.close()
    put_back(path)
    await store.open()
    assert 1 in await versions(store)
