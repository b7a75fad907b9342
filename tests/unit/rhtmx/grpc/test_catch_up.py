"""Facts about `rhtmx.grpc.catch_up`."""

from __future__ import annotations

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from rhtmx.grpc.client import Backend
from rhtmx.messages import Position, Sync
from tests.unit.rhtmx.grpc.fake import FOREVER, Fake, change, field_change, fields_synced, synced

AWAY = GRPCError(Status.UNAVAILABLE, "restarting")


def at(version: int, epoch: str = "e1") -> Position:
    return Position(epoch=epoch, version=version)


async def test_a_sync_ends_at_the_head(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(9), FOREVER], [change(5), change(6), synced(9)]]
    sync = backend.sync("tasks")
    assert [each.version async for each in sync] == [5, 6]
    assert sync.position == at(9)
    fake.streams = [[synced(9)]]
    assert [each async for each in backend.sync("tasks", sync.position)] == []
    assert fake.asked[-2:] == [Sync("tasks", 0, "e1"), Sync("tasks", 9, "e1")]


async def test_a_sync_that_is_awaited_has_each_record_once(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(5), change(6, "2"), change(7), AWAY], [change(8, "2"), synced(9)]]
    result = await backend.sync("tasks", at(4))
    assert [(each.version, each.entity_id) for each in result] == [(7, "1"), (8, "2")]
    assert (result.position, result.reset) == (at(9), False)


async def test_a_sync_that_was_reset_has_everything(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(6), synced(9, "e2", reset=True)], [change(6), synced(9, "e2")]]
    result = await backend.sync("tasks", at(4))
    assert [each.version for each in result] == [6]
    assert (result.position, result.reset) == (at(9, "e2"), True)


async def test_fields_are_synced_likewise(fake: Fake, backend: Backend) -> None:
    fake.streams = [[field_change(5, "a", more=True), field_change(5, "b"), fields_synced(6)]]
    result = await backend.sync_fields("tasks", at(4))
    assert [(each.field, each.value) for each in result] == [("a", 1), ("b", 1)]
    assert result.position == at(6)


async def test_a_sync_has_a_time_for_all_of_it(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(5), FOREVER]]
    with pytest.raises(TimeoutError, match=r"within 0\.02 s"):
        await backend.sync("tasks", at(4), timeout=0.02)
    await fake.closed()
    fake.streams = [[AWAY]]
    with pytest.raises(TimeoutError, match=r"within 0\.02 s"):
        await backend.sync("tasks", at(4), timeout=0.02)
