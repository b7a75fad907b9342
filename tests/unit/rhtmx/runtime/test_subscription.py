"""Facts about `rhtmx.runtime.subscription`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.api.client import Client
from rhtmx.core.cursor import Cursor
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Delivered, Reset
from rhtmx.core.granularity import Granularity
from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeLog, Position, Subscribe, Unsubscribe
from rhtmx.runtime import subscription as module
from rhtmx.runtime.subscription import Subscription
from tests.unit.rhtmx.peer import Peer


class Owner:
    """A client that writes down what its subscriptions want."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.cursor = Cursor()
        self.version = 0

    def deliver(self, subscription: Subscription[int], count: int) -> int:
        """Hand over some changes; returns how many."""
        for _ in range(count):
            self.version += 1
            position = Position(epoch="e", version=self.version)
            log = ChangeLog("tasks", "1", version=self.version)
            subscription.put(Delivered(self.cursor, log, position))
        return count

    def start(self, subscription: object, since: Position | None) -> Cursor:
        self.calls.append("start")
        return self.cursor

    def stop(self, cursor: Cursor) -> None:
        self.calls.append("stop")

    def pause(self, cursor: Cursor) -> None:
        self.calls.append("pause")

    def resume(self, cursor: Cursor) -> None:
        self.calls.append("resume")


async def take_all(changes: Subscription[int], count: int) -> list[int]:
    return [await anext(changes) for _ in range(count)]


async def test_it_yields_what_there_is_and_then_what_comes(client: Client, peer: Peer) -> None:
    await peer.write("a", {"n": 1})
    seen = []
    async for change in client.changes("tasks", since=0):
        seen.append((change.version, change.entity_id, change.data))
        if len(seen) == 2:
            break
        await peer.write("b", {"n": 2})
    assert seen == [(1, "a", {"n": 1}), (2, "b", {"n": 2})]


async def test_leaving_the_loop_unsubscribes(client: Client, peer: Peer) -> None:
    await peer.write("a", {"n": 1})
    async for _ in client.changes("tasks", since=0):
        break
    await peer.until(lambda: any(isinstance(each, Unsubscribe) for each in peer.heard))
    assert peer.server.cursor is None


async def test_another_loop_goes_on_where_the_first_was_left(client: Client, peer: Peer) -> None:
    for number in range(3):
        await peer.write(f"{number}", {"n": number})
    changes = client.changes("tasks", since=0)
    seen = []
    for _ in range(3):
        async for change in changes:
            seen.append(change.version)
            break
    assert seen == [1, 2, 3]


async def test_inside_async_with_it_reads_from_the_first_moment_on(
    client: Client, peer: Peer
) -> None:
    async with client.changes("tasks") as changes:
        await peer.write("a", {"n": 1})
        await peer.write("a", {"n": 2})
        assert [(await anext(changes)).version, (await anext(changes)).version] == [1, 2]
        await peer.write("a", {"n": 3})
        async for change in changes:
            assert change.version == 3
            break
        await client.push("tasks", "b", 1)
        assert (await anext(changes)).version == 4
        assert not any(isinstance(each, Unsubscribe) for each in peer.heard)


async def test_cancelling_the_wait_loses_nothing(client: Client, peer: Peer) -> None:
    async with client.changes("tasks") as changes:
        waiting = asyncio.create_task(anext(changes))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await peer.write("a", {"n": 1})
        assert (await anext(changes)).version == 1


async def test_the_position_is_that_of_what_was_yielded(client: Client, peer: Peer) -> None:
    await peer.write("a", {"n": 1})
    await peer.write("b", {"n": 1})
    changes = client.changes("tasks", since=0)
    assert (await anext(changes)).version == 1
    assert changes.position == Position(epoch="e0", version=1)
    changes.stop()
    again = client.changes("tasks", since=changes.position)
    assert (await anext(again)).version == 2


async def test_two_of_one_entity_share_one_subscription(client: Client, peer: Peer) -> None:
    async with client.changes("tasks") as one, client.changes("tasks") as two:
        await peer.write("a", {"n": 1})
        assert (await anext(one)) == (await anext(two))
    assert sum(isinstance(each, Subscribe) for each in peer.heard) == 1


async def test_a_reset_is_raised_where_nobody_takes_it(client: Client, peer: Peer) -> None:
    with pytest.raises(Reset, match="Pass on_reset") as caught:
        async for _ in client.changes("tasks", since=Position(epoch="old", version=9)):
            pass
    assert caught.value.entity == "tasks"
    assert caught.value.position == Position(epoch="old", version=9)


async def test_a_reset_that_is_taken_is_followed_by_everything(client: Client, peer: Peer) -> None:
    await peer.write("a", {"n": 1})
    resets: list[Reset] = []
    since = Position(epoch="old", version=9)
    async for change in client.changes("tasks", since=since, on_reset=resets.append):
        assert (change.version, len(resets)) == (1, 1)
        break


async def test_the_other_grain_at_the_same_time_is_refused(client: Client) -> None:
    async with client.changes("tasks"):
        with pytest.raises(RhtmxError, match="open a second client"):
            await anext(client.field_changes("tasks"))


async def test_entering_fails_where_the_server_refuses(client: Client) -> None:
    with pytest.raises(RhtmxError, match="no such entity"):
        async with client.changes("nope"):
            pass


async def test_what_waits_is_yielded_before_the_end_is_raised(client: Client, peer: Peer) -> None:
    async with client.changes("tasks") as changes:
        await peer.write("a", {"n": 1})
        await client.push("tasks", "b", 1)
        await client.close()
        assert [(await anext(changes)).version for _ in range(2)] == [1, 2]
        with pytest.raises(ConnectionClosed):
            await anext(changes)


async def test_a_slow_reader_holds_up_nobody_and_misses_nothing(
    client: Client, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 8)
    monkeypatch.setattr(module, "PATIENCE", 0.001)
    async with client.changes("tasks") as changes:
        for number in range(50):
            await peer.write(f"{number % 20}", {"n": number})
        # The answer lies behind all of them on the socket.
        await client.push("tasks", "last", 1)
        replica, versions = {}, [0]
        while "last" not in replica:
            change = await anext(changes)
            replica[change.entity_id] = change.version
            versions.append(change.version)
        await peer.until(lambda: peer.server.cursor is not None and peer.server.cursor.live)
    assert versions == sorted(set(versions))
    assert replica == {key: record.version for key, record in peer.server.records.items()}
    assert sum(isinstance(each, Unsubscribe) for each in peer.heard) >= 1


async def test_a_reader_that_takes_all_when_its_time_is_just_up_is_not_left_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 8)
    monkeypatch.setattr(module, "PATIENCE", 0)
    owner = Owner()
    changes = Subscription(owner, "tasks", Granularity.RECORDS, lambda log: log.version)
    assert await take_all(changes, owner.deliver(changes, 1)) == [1]
    versions = owner.deliver(changes, 8)
    waiting = asyncio.create_task(changes.make_room())
    await asyncio.sleep(0)  # it waits
    await asyncio.sleep(0)  # its time is up, but it does not know yet
    assert await take_all(changes, versions) == list(range(2, 10))
    await waiting
    assert owner.calls == ["start"]


async def test_a_reader_that_is_too_slow_is_paused_until_it_has_taken_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 8)
    monkeypatch.setattr(module, "PATIENCE", 0)
    owner = Owner()
    changes = Subscription(owner, "tasks", Granularity.RECORDS, lambda log: log.version)
    assert await take_all(changes, owner.deliver(changes, 1)) == [1]
    owner.deliver(changes, 8)
    await changes.make_room()
    assert owner.calls == ["start", "pause"]
    assert await take_all(changes, 5) == [2, 3, 4, 5, 6]
    assert owner.calls == ["start", "pause"]
    assert await take_all(changes, 1) == [7]
    assert owner.calls == ["start", "pause", "resume"]


async def test_a_reader_that_keeps_up_is_not_paused(
    client: Client, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 8)
    monkeypatch.setattr(module, "PATIENCE", 10)
    for number in range(100):
        await peer.write(f"{number}", {"n": number})
    assert len(await client.sync("tasks")) == 100
    assert sum(isinstance(each, Subscribe) for each in peer.heard) == 1


async def test_a_commit_of_several_fields_is_resumed_before_it(client: Client, peer: Peer) -> None:
    async with client.field_changes("tasks") as changes:
        await peer.write("a", {"x": 1, "y": 2})
        first = await anext(changes)
        assert (first.field, first.more) == ("x", True)
        assert changes.position == Position(epoch="e0", version=0)
        second = await anext(changes)
        assert (second.field, second.more) == ("y", False)
        assert changes.position == Position(epoch="e0", version=1)


async def test_a_wait_ends_when_somebody_else_stops_it(client: Client, peer: Peer) -> None:
    changes = client.changes("tasks")
    waiting = asyncio.create_task(anext(changes))
    await peer.until(lambda: any(isinstance(each, Subscribe) for each in peer.heard))
    changes.stop()
    with pytest.raises(StopAsyncIteration):
        await waiting
    async with changes:
        await peer.write("1", {"n": 1})
        assert (await anext(changes)).version == 1


async def test_one_that_was_ended_does_not_begin_again(client: Client, peer: Peer) -> None:
    changes = client.changes("tasks", since=0)
    changes.end()
    assert [change async for change in changes] == []
    async with changes as entered:
        with pytest.raises(StopAsyncIteration):
            await anext(entered)
    assert not any(isinstance(each, Subscribe) for each in peer.heard)
