"""A disk that is full or fails refuses writes; what was there stays readable."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite.placement import NOTHING_LEARNT, Placement
from tests.contract.builders import put, record, versions
from tests.fault.disks import faulty, nothing


class Trouble:
    """A hook that raises while there is trouble."""

    def __init__(self, error: type[apsw.Error]) -> None:
        self.error: type[apsw.Error] | None = None
        self._kind = error

    def begin(self) -> None:
        self.error = self._kind

    def end(self) -> None:
        self.error = None

    def __call__(self) -> None:
        if self.error is not None:
            raise self.error("the test's trouble")


@pytest.mark.parametrize("placement", [NOTHING_LEARNT, Placement(1.0, 10**6)])
@pytest.mark.parametrize(
    ("error", "at_sync", "code"),
    [
        (apsw.FullError, False, ErrorCode.STORAGE_FULL),
        (apsw.IOError, False, ErrorCode.STORAGE_FAILED),
        (apsw.IOError, True, ErrorCode.STORAGE_FAILED),
    ],
)
async def test_a_commit_that_the_disk_refuses_is_as_if_it_had_not_been_asked_for(
    tmp_path: Path,
    error: type[apsw.Error],
    at_sync: bool,
    code: ErrorCode,
    placement: Placement,
) -> None:
    trouble = Trouble(error)
    hooks = (nothing, trouble) if at_sync else (trouble, nothing)
    with faulty(before_write=hooks[0], before_sync=hooks[1]) as disk:
        options = FileOptions(vfs=disk.vfs_name)
        store = SqliteStore(tmp_path / "app.db", options, placement=placement)
        await store.open()
        await put(store, record("1", 1))
        trouble.begin()
        for _ in range(2):
            with pytest.raises(RhtmxError) as refused:
                await put(store, record("2", 2))
            assert refused.value.code is code
            assert await versions(store) == [1]
        trouble.end()
        await put(store, record("2", 2, b"2"))
        await store.close()
        await store.open()
        assert await versions(store) == [1, 2]
        await store.close()
    connection = apsw.Connection(str(tmp_path / "app.db"))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
