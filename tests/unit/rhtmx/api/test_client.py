"""Facts about `rhtmx.api.client`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Error, FieldUpdate, Position, Push, PushFields
from rhtmx.wire import Format
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer, client_of

MICRO = timedelta(microseconds=1)


@pytest.mark.parametrize("form", list(Format))
async def test_both_formats_say_the_same(peer: Peer, form: Format) -> None:
    async with client_of(peer, form) as client:
        assert (await client.push("tasks", "1", {"title": "x"})).version == 1
        result = await client.sync("tasks")
        assert [each.entity_id for each in result] == ["1"]
        assert await client.validate_field("signup", "email", "ok")


async def test_a_push_returns_when_it_is_durable(client: Client, peer: Peer) -> None:
    result = await client.push("tasks", "1", {"n": 1}, base_version=3)
    assert result == rhtmx.PushResult("tasks", "1", 1, duplicate=False)
    (push,) = [each for each in peer.heard if isinstance(each, Push)]
    assert (push.data, push.base_version, push.seq) == (b'{"n":1}', 3, 1)


async def test_a_delete_is_a_push_without_data(client: Client, peer: Peer) -> None:
    await client.delete("tasks", "1")
    assert isinstance(peer.heard[-1], Push)
    assert peer.heard[-1].data is None


async def test_fields_come_back_with_their_conflicts(client: Client) -> None:
    result = await client.push_fields("tasks", "1", {"title": "mine"}, delete=["old"])
    assert result.applied == 1
    (conflict,) = result.conflicts
    assert (conflict.field, conflict.server_value, conflict.client_value, conflict.winner) == (
        "title",
        "theirs",
        "mine",
        "server",
    )


async def test_field_writes_carry_the_time_of_the_clock(peer: Peer) -> None:
    async with client_of(peer, clock=lambda: NOW) as client:
        await client.push_fields("tasks", "1", {"a": 1})
        later = datetime(2026, 2, 1, tzinfo=UTC)
        await client.push_fields("tasks", "1", {"a": 2}, timestamp=later)
    updates: list[FieldUpdate] = []
    for message in peer.heard:
        if isinstance(message, PushFields):
            updates += message.fields
    assert [each.timestamp for each in updates] == [NOW, later]


async def test_writes_of_one_moment_have_times_of_their_own_in_their_order(peer: Peer) -> None:
    async with client_of(peer, clock=lambda: NOW) as client:
        for number in range(3):
            await client.push_fields("tasks", "1", {"a": number})
    times = [m.fields[0].timestamp for m in peer.heard if isinstance(m, PushFields)]
    assert times == [NOW, NOW + MICRO, NOW + 2 * MICRO]


async def test_forms_are_validated(client: Client) -> None:
    assert await client.validate_field("signup", "email", "ok")
    assert not await client.validate_field("signup", "email", "no", values={"a": "b"})
    assert await client.validate_form("signup", {})
    assert (await client.validate_form("signup", {"a": "b"})).errors == (
        rhtmx.FormError("a", "no"),
    )


async def test_a_refusal_is_raised_with_its_code(client: Client) -> None:
    with pytest.raises(RhtmxError, match="no such form") as caught:
        await client.validate_field("unknown", "email", "x")
    assert caught.value.code is ErrorCode.UNKNOWN_FORM


async def test_an_entity_that_the_server_does_not_know_is_an_error(client: Client) -> None:
    with pytest.raises(RhtmxError, match="no such entity"):
        async for _ in client.changes("nope"):
            pass
    with pytest.raises(RhtmxError, match="no such entity"):
        await client.sync("nope")


async def test_sync_gives_each_record_once_and_where_to_go_on(client: Client, peer: Peer) -> None:
    for number in range(3):
        await peer.write("a", {"n": number})
    await peer.write("b", {"n": 9})
    first = await client.sync("tasks")
    assert [(each.entity_id, each.version) for each in first] == [("a", 3), ("b", 4)]
    assert first.position == Position(epoch="e0", version=4)
    await peer.write("b", None)
    second = await client.sync("tasks", first.position)
    assert [(each.entity_id, each.action) for each in second] == [("b", "delete")]
    assert not second.reset


async def test_sync_gives_each_field_once(client: Client, peer: Peer) -> None:
    await peer.write("a", {"x": 1, "y": 2})
    result = await client.sync_fields("tasks")
    assert [(each.field, each.value) for each in result] == [("x", 1), ("y", 2)]


async def test_sync_tells_that_it_had_to_start_over(client: Client, peer: Peer) -> None:
    await peer.write("a", {"n": 1})
    result = await client.sync("tasks", Position(epoch="other", version=9))
    assert result.reset
    assert len(result) == 1


async def test_what_is_too_large_is_refused_before_it_ends_the_connection(client: Client) -> None:
    with pytest.raises(RhtmxError, match="at most 65536 bytes") as caught:
        await client.push("tasks", "1", "x" * 70_000)
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert (await client.push("tasks", "1", "x")).version == 1


async def test_what_is_no_json_is_refused_here(client: Client, peer: Peer) -> None:
    with pytest.raises(RhtmxError, match=r"push\.data"):
        await client.push("tasks", "1", float("nan"))
    assert not any(isinstance(each, Push) for each in peer.heard)


async def test_a_fresh_token_can_be_presented(client: Client, peer: Peer) -> None:
    assert await client.authenticate("t2") == NOW
    assert isinstance(peer.heard[-1], Authenticate)


async def test_a_client_that_was_not_entered_says_so(peer: Peer) -> None:
    client = client_of(peer)
    with pytest.raises(ConnectionClosed, match="async with"):
        await client.push("tasks", "1", 1)
    with pytest.raises(ConnectionClosed, match="async with"):
        client.changes("tasks")


async def test_the_queue_is_the_same_tuple_until_it_changes(client: Client) -> None:
    assert client.queue is client.queue
    client.offline()
    call = asyncio.create_task(client.push("tasks", "1", {"n": 1}))
    await asyncio.sleep(0)
    seen = []
    async for queue in client.queues():
        seen.append([each.entity_id for each in queue])
        if not queue:
            break
        client.online()
    assert (seen[0], seen[-1]) == (["1"], [])
    await call
    assert client.queue == ()


async def test_a_refused_write_is_raised_kept_and_told(client: Client, peer: Peer) -> None:
    peer.mute = True
    call = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: any(isinstance(each, Push) for each in peer.heard))
    peer.server.outgoing.clear()
    peer.mute = False
    await peer.say(Error("not yours", ErrorCode.FORBIDDEN, seq=1))
    with pytest.raises(RhtmxError, match="not yours"):
        await call
    async for rejected in client.rejections():
        assert [each.id for each in client.rejected] == [rejected.id]
        result = await rejected.retry()
        assert isinstance(result, rhtmx.PushResult)
        assert await rejected.retry() is None
        break
    assert client.rejected == ()


async def refused(client: Client, peer: Peer, entity_id: str, seq: int) -> None:
    """Have a write refused for good."""
    peer.mute = True
    call = asyncio.create_task(client.push("tasks", entity_id, 1))
    await peer.until(lambda: any(getattr(each, "seq", 0) == seq for each in peer.heard))
    peer.server.outgoing.clear()
    peer.mute = False
    await peer.say(Error("not yours", ErrorCode.FORBIDDEN, seq=seq))
    with pytest.raises(RhtmxError, match="not yours"):
        await call


async def test_what_was_refused_is_the_same_tuple_of_the_same_objects_until_it_changes(
    client: Client, peer: Peer
) -> None:
    await refused(client, peer, "1", 1)
    before = client.rejected
    client.offline()
    waits = client.push("tasks", "2", {"n": 2})
    assert client.rejected is before, "the queue has changed, and nothing else"
    client.online()
    await waits
    await refused(client, peer, "3", 3)
    assert [each.entity_id for each in client.rejected] == ["1", "3"]
    assert client.rejected[0] is before[0]


async def test_the_queue_is_the_same_tuple_while_only_what_was_refused_changes(
    client: Client, peer: Peer
) -> None:
    await refused(client, peer, "1", 1)
    client.offline()
    writes = [client.push("tasks", "2", {"n": 2})]
    before = client.queue
    client.rejected[0].discard()
    assert client.rejected == ()
    assert client.queue is before
    writes.append(client.push("tasks", "3", {"n": 3}))
    assert [each.entity_id for each in client.queue] == ["2", "3"]
    assert client.queue[0] is before[0]
    client.online()
    await asyncio.gather(*writes)


async def test_a_conflict_is_told_and_answered(client: Client) -> None:
    await client.push_fields("tasks", "1", {"title": "mine"}, delete=["old"])
    conflicts = client.conflicts()
    conflict = await anext(conflicts)
    assert (conflict.mine, conflict.theirs, conflict.winner) == ("mine", "theirs", "server")
    assert await conflict.take_theirs() is None
    result = await conflict.keep_mine()
    assert isinstance(result, rhtmx.FieldPushResult)
    await conflicts.aclose()
    again = client.conflicts()
    assert (await anext(again)) is not conflict
    await again.aclose()


async def test_the_end_ends_whoever_listens(peer: Peer) -> None:
    async with client_of(peer) as client:
        listening = [
            asyncio.ensure_future(anext(client.conflicts())),
            asyncio.ensure_future(anext(client.rejections())),
            asyncio.ensure_future(client.collection("nothing").synced()),
        ]
        await asyncio.sleep(0)
    for each in listening:
        with pytest.raises(ConnectionClosed, match="the client was closed"):
            await each
