"""A file that a server has is read beside it: what is committed, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite.view import SqliteView
from tests.contract.builders import put, record


async def test_what_is_committed_is_read_as_it_is_by_then(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    async with SqliteStore(store.path).look() as view:
        assert isinstance(view, SqliteView)
        assert view.epoch == store.epoch
        for version in (1, 2):
            await put(store, record(str(version), version))
            assert await view.head("tasks") == await store.head("tasks")
            for clocks in (True, False):
                page = await view.since("tasks", 0, version, 10, clocks=clocks)
                assert page == await store.since("tasks", 0, version, 10, clocks=clocks)
                assert len(page) == version
        assert await view.record("tasks", "2") == await store.record("tasks", "2") is not None
    await put(store, record("3", 3))
    assert store.ready()
    await store.close()


async def test_where_no_server_has_the_file_the_store_itself_is_opened(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "app.db")
    async with store.look() as opened:
        assert opened is store
    assert not (tmp_path / "app.db-wal").exists()


async def test_it_cannot_write(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    view = SqliteView(store.path, FileOptions())
    await view.open()
    with pytest.raises(RhtmxError, match="read-only"):
        view._query(lambda cursor: cursor.execute("DELETE FROM meta"))
    await view.close()
    await view.close()
    with pytest.raises(RhtmxError, match="is closed"):
        await view.head("tasks")
    await store.close()


async def test_a_file_of_another_format_is_left_to_the_version_that_wrote_it(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    await store.change(lambda cursor: cursor.execute("PRAGMA user_version = 1"))
    with pytest.raises(RhtmxError, match="use the rhtmx-server that runs there") as refused:
        await SqliteView(store.path, FileOptions()).open()
    assert refused.value.code is ErrorCode.STORAGE_FAILED
    await store.close()


async def test_what_is_no_database_is_put_into_words(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    path.write_bytes(b"# a text file\n" * 1000)
    with pytest.raises(RhtmxError, match="it is not a SQLite database"):
        await SqliteView(path, FileOptions()).open()
    with pytest.raises(RhtmxError, match="cannot open") as refused:
        await SqliteView(tmp_path / "none.db", FileOptions()).open()
    assert isinstance(refused.value.__cause__, apsw.Error)
