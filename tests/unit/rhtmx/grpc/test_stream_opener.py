"""Facts about `rhtmx.grpc.stream_opener`."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from rhtmx.core.granularity import Granularity
from rhtmx.errors import RhtmxError
from rhtmx.grpc.stream_opener import StreamOpener
from rhtmx.messages import Position, Sync, SyncFields, WatchRequest
from tests.unit.rhtmx.grpc.fake import FOREVER, Fake, calls_to, fields_synced, synced

AT = Position(epoch="e1", version=4)
SCOPED = Position(epoch="e1", version=4, scope="s7")


@pytest.mark.parametrize(
    ("granularity", "ends", "request_"),
    [
        (Granularity.RECORDS, False, WatchRequest("tasks", AT)),
        (Granularity.FIELDS, False, WatchRequest("tasks", AT)),
        (Granularity.RECORDS, True, Sync("tasks", 4, "e1")),
        (Granularity.FIELDS, True, SyncFields("tasks", 4, "e1")),
    ],
)
async def test_it_asks_for_what_is_wanted(
    fake: Fake, granularity: Granularity, ends: bool, request_: object
) -> None:
    fake.streams = [[synced(4)]]
    async with calls_to(fake) as calls:
        source = StreamOpener(calls, "tasks", granularity, ends=ends)
        async with aclosing(source.open(AT)) as envelopes:
            assert [each async for each in envelopes] == [synced(4)]
    assert fake.asked == [request_]


@pytest.mark.parametrize(
    ("granularity", "ends", "request_"),
    [
        (Granularity.RECORDS, False, WatchRequest("tasks", SCOPED, b'{"c":"7"}')),
        (Granularity.FIELDS, False, WatchRequest("tasks", SCOPED, b'{"c":"7"}')),
        (Granularity.RECORDS, True, Sync("tasks", 4, "e1", None, b'{"c":"7"}', "s7")),
        (Granularity.FIELDS, True, SyncFields("tasks", 4, "e1", None, b'{"c":"7"}', "s7")),
    ],
)
async def test_it_asks_for_a_part_with_the_scope_of_the_position(
    fake: Fake, granularity: Granularity, ends: bool, request_: object
) -> None:
    fake.streams = [[synced(4)]]
    async with calls_to(fake) as calls:
        source = StreamOpener(calls, "tasks", granularity, ends=ends, where={"c": ["7"]})
        async with aclosing(source.open(SCOPED)) as envelopes:
            assert [each async for each in envelopes] == [synced(4)]
        with pytest.raises(RhtmxError, match="where of 'tasks'"):
            StreamOpener(calls, "tasks", granularity, where={"c": []})
    assert fake.asked == [request_]


@pytest.mark.parametrize("granularity", Granularity)
async def test_the_epoch_is_what_a_stream_at_the_head_says(
    fake: Fake, granularity: Granularity
) -> None:
    complete = synced if granularity is Granularity.RECORDS else fields_synced
    fake.streams = [[complete(9, "e7"), FOREVER]]
    async with calls_to(fake) as calls:
        assert await StreamOpener(calls, "tasks", granularity).epoch() == "e7"
        await fake.closed()
    assert fake.asked == [WatchRequest("tasks")]


async def test_no_attempt_waits_beyond_the_time_for_all(fake: Fake) -> None:
    async with calls_to(fake) as calls:
        endless, short = (
            StreamOpener(calls, "t", Granularity.RECORDS),
            StreamOpener(calls, "t", Granularity.RECORDS, timeout=1),
        )
        for source in (endless, short):
            source.begin()
        assert endless.patience(30) == 30
        assert short.patience(30) <= 1
