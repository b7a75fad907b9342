"""Facts about `rhtmx.api.collection`."""

from __future__ import annotations

import asyncio
import gc

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.errors import ErrorCode
from rhtmx.messages import Position, Push, PushFields, Subscribe, SyncBegin, Unsubscribe
from rhtmx.stores.memory import MemoryStore
from tests.support.waiting import eventually
from tests.unit.rhtmx.peer import Peer, client_of


async def test_a_collection_writes_its_entity(client: Client, peer: Peer) -> None:
    tasks = client.collection("tasks")
    assert (await tasks.set("1", {"n": 1}, base_version=0)).version == 1
    assert (await tasks.delete("1")).version == 2
    assert (await tasks.patch("1", {"a": 1}, delete=["b"])).applied == 1
    writes = [each for each in peer.heard if isinstance(each, Push | PushFields)]
    assert {each.entity for each in writes} == {"tasks"}


async def test_a_collection_reads_its_entity(client: Client) -> None:
    tasks = client.collection("tasks")
    await tasks.set("1", {"n": 1})
    async for change in tasks.changes(since=0):
        assert (change.version, change.action, change.data) == (1, "update", {"pushed": 1})
        break
    assert len(await tasks.sync()) == 1


async def test_a_collection_reads_fields(client: Client, peer: Peer) -> None:
    await peer.write("1", {"n": 1})
    async for change in client.collection("tasks").field_changes(since=0):
        assert (change.field, change.value) == ("n", 1)
        break


async def test_a_collection_holds_what_it_reads(client: Client, peer: Peer) -> None:
    await peer.write("1", {"n": 1})
    tasks = client.collection("tasks")
    assert tasks.all() == ()
    await tasks.synced()
    record = tasks.get("1")
    assert record == rhtmx.Record("1", {"n": 1}, 1, pending=False)
    assert tasks.get("2") is None
    await peer.write("2", {"n": 2})
    await eventually(lambda: len(tasks.all()) == 2)
    assert tasks.get("1") is record
    assert [each.id for each in tasks.where(lambda row: bool(row.data["n"] > 1))] == ["2"]


async def test_a_record_of_which_fields_are_read_is_put_together(
    client: Client, peer: Peer
) -> None:
    await peer.write("1", {"x": 1, "y": 2})
    tasks = client.collection("tasks", granularity="fields")
    await tasks.synced()
    assert [row.data for row in tasks.all()] == [{"x": 1, "y": 2}]
    with pytest.raises(rhtmx.RhtmxError, match="one granularity"):
        client.collection("tasks").all()


async def test_an_own_write_shows_at_once(client: Client, peer: Peer) -> None:
    tasks = client.collection("tasks")
    await tasks.synced()
    peer.mute = True
    call = asyncio.create_task(tasks.patch("1", {"a": 1}))
    await asyncio.sleep(0)
    assert tasks.get("1") == rhtmx.Record("1", {"a": 1}, 0, pending=True)
    call.cancel()


async def test_subscribe_yields_only_what_concerns_its_condition(
    client: Client, peer: Peer
) -> None:
    tasks = client.collection("tasks")
    seen = []

    async def look() -> None:
        async for rows in tasks.subscribe(lambda row: row.id == "1"):
            seen.append([row.data for row in rows])

    looking = asyncio.create_task(look())
    await peer.write("2", {"n": 2})
    await eventually(lambda: bool(tasks.all()))
    await peer.write("1", {"n": 1})
    await eventually(lambda: len(seen) == 2)
    assert seen == [[], [{"n": 1}]]
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_a_long_load_says_how_far_it_is(client: Client, peer: Peer) -> None:
    peer.mute = True
    tasks = client.collection("tasks")
    tasks.all()
    await eventually(lambda: any(isinstance(each, Subscribe) for each in peer.heard))
    assert tasks.progress is None
    peer.mute = False
    await peer.say(SyncBegin("tasks", peer.server.epoch, False, fields=False, head=300))
    await eventually(lambda: tasks.progress == rhtmx.Progress(0, 300))
    await peer.write("1", {"n": 1})
    await tasks.synced()
    assert tasks.progress is None


async def test_an_entity_that_the_server_does_not_know_is_an_error(client: Client) -> None:
    with pytest.raises(rhtmx.RhtmxError, match="no such entity"):
        await client.collection("nope").synced()
    rows = client.collection("nope").subscribe()
    assert await anext(rows) == ()
    with pytest.raises(rhtmx.RhtmxError, match="no such entity"):
        await anext(rows)


async def test_a_patch_is_based_on_what_was_seen(client: Client, peer: Peer) -> None:
    tasks = client.collection("tasks")
    await tasks.patch("1", {"a": 1})
    await peer.write("1", {"n": 1})
    await tasks.synced()
    await tasks.patch("1", {"a": 2})
    await tasks.patch("1", {"a": 3}, base_version=7)
    patches = [each for each in peer.heard if isinstance(each, PushFields)]
    assert [each.base_version for each in patches] == [None, 1, 7]


async def test_a_collection_can_be_read_beside_the_protocols_stream(
    client: Client, peer: Peer
) -> None:
    tasks = client.collection("tasks")
    await tasks.synced()
    async with tasks.changes() as changes:
        await peer.write("1", {"n": 1})
        assert (await anext(changes)).data == {"n": 1}
    await eventually(lambda: [row.id for row in tasks.all()] == ["1"])
    assert len(await tasks.sync()) == 1


# Closing.


def reading(peer: Peer) -> list[str]:
    """What was said about reading, in order."""
    kinds = Subscribe | Unsubscribe
    return [type(each).__name__ for each in peer.heard if isinstance(each, kinds)]


async def test_entering_a_collection_begins_to_read_and_leaving_ends_it(
    client: Client, peer: Peer
) -> None:
    async with client.collection("tasks") as tasks:
        await peer.until(lambda: reading(peer) == ["Subscribe"])
        await tasks.synced()
    await peer.until(lambda: reading(peer) == ["Subscribe", "Unsubscribe"])
    assert (await client.push("tasks", "1", 1)).version == 1


async def test_a_collection_that_was_closed_reads_no_more_and_says_what_to_do(
    client: Client,
) -> None:
    tasks = client.collection("tasks")
    await tasks.synced()
    tasks.close()
    tasks.close()
    words = r"this collection of 'tasks' was closed: client.collection\('tasks'\) opens another one"
    with pytest.raises(rhtmx.RhtmxError, match=words) as caught:
        tasks.get("1")
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
    for read in (tasks.all, tasks.changes, tasks.field_changes, lambda: tasks.where(bool)):
        with pytest.raises(rhtmx.RhtmxError, match=words):
            read()
    for wait in (tasks.synced(), anext(tasks.subscribe()), tasks.__aenter__()):
        with pytest.raises(rhtmx.RhtmxError, match=words):
            await wait
    assert (await tasks.set("1", 1)).version == 1, "to write is not to read"


async def test_what_iterates_over_a_closed_collection_ends(client: Client, peer: Peer) -> None:
    tasks = client.collection("tasks")
    ended: list[str] = []

    async def rows() -> None:
        async for _ in tasks.subscribe():
            ended.append("begun")
        ended.append("rows")

    async def changes() -> None:
        async for _ in tasks.changes():
            pass
        ended.append("changes")

    async def entered() -> None:
        async with tasks.changes() as changes:
            ended.append("entered")
            async for _ in changes:
                pass
        ended.append("left")

    running = [asyncio.create_task(each()) for each in (rows, changes, entered)]
    await eventually(lambda: sorted(ended) == ["begun", "entered"])
    tasks.close()
    await asyncio.gather(*running)
    assert sorted(ended) == ["begun", "changes", "entered", "left", "rows"]


async def test_an_iteration_that_is_busy_in_the_moment_of_closing_ends_as_well(
    client: Client, peer: Peer
) -> None:
    await peer.write("1", {"n": 1})
    await peer.write("2", {"n": 2})
    tasks, seen = client.collection("tasks"), []
    async for change in tasks.changes(since=0):
        seen.append(change.version)
        tasks.close()
    assert seen == [1]


async def test_synced_raises_when_its_collection_is_closed(client: Client, peer: Peer) -> None:
    peer.mute = True
    tasks = client.collection("tasks")
    waiting = asyncio.create_task(tasks.synced())
    await peer.until(lambda: reading(peer) == ["Subscribe"])
    tasks.close()
    with pytest.raises(rhtmx.RhtmxError, match="was closed"):
        await waiting


async def test_others_who_have_the_entity_open_go_on(client: Client, peer: Peer) -> None:
    mine, theirs = client.collection("tasks"), client.collection("tasks")
    unread = client.collection("tasks")
    await asyncio.gather(mine.synced(), theirs.synced())
    rows = theirs.subscribe()
    assert await anext(rows) == ()
    unread.close()
    mine.close()
    await peer.write("1", {"n": 1})
    assert [row.id for row in await anext(rows)] == ["1"]
    assert reading(peer) == ["Subscribe"]
    theirs.close()
    await peer.until(lambda: reading(peer) == ["Subscribe", "Unsubscribe"])


async def test_one_that_nobody_holds_any_more_does_not_keep_the_entity_open(
    client: Client, peer: Peer
) -> None:
    await client.collection("tasks").synced()
    gc.collect()
    async with client.collection("tasks") as tasks:
        await tasks.synced()
    await peer.until(lambda: reading(peer) == ["Subscribe", "Unsubscribe"])


async def test_the_protocols_stream_beside_it_goes_on(client: Client, peer: Peer) -> None:
    async with client.changes("tasks") as changes:
        async with client.collection("tasks") as tasks:
            await tasks.synced()
        await peer.write("1", {"n": 1})
        assert (await anext(changes)).entity_id == "1"


async def test_what_is_opened_again_without_a_store_is_read_anew(
    client: Client, peer: Peer
) -> None:
    await peer.write("1", {"n": 1})
    async with client.collection("tasks") as tasks:
        await tasks.synced()
    async with client.collection("tasks") as again:
        assert again.all() == ()
        await again.synced()
        assert [row.data for row in again.all()] == [{"n": 1}]


async def test_what_is_opened_again_with_a_store_goes_on_where_it_was(peer: Peer) -> None:
    await peer.write("1", {"n": 1})
    store = MemoryStore("c1")
    async with client_of(peer, store=store) as client:
        async with client.collection("tasks") as tasks:
            await tasks.synced()
        await peer.until(lambda: reading(peer)[-1] == "Unsubscribe")
        await peer.write("2", {"n": 2})
        async with client.collection("tasks") as again:
            assert [row.id for row in again.all()] == ["1"], "at once, as after a restart"
            await again.synced()
            assert [row.id for row in again.all()] == ["1", "2"]
        asked = [each for each in peer.heard if isinstance(each, Subscribe)]
        assert asked[1].since == {"tasks": Position(epoch="e0", version=1)}
    assert set(store.load().entities["tasks"].records) == {"1", "2"}


async def test_what_was_written_and_not_yet_read_is_shown_when_it_is_opened_again(
    peer: Peer,
) -> None:
    async with client_of(peer, store=MemoryStore("c1")) as client:
        async with client.collection("tasks") as tasks:
            await tasks.synced()
            client.offline()
            written = tasks.set("1", {"title": "On the train"})
        async with client.collection("tasks") as again:
            assert [row.pending for row in again.all()] == [True]
        client.online()
        assert (await written).version == 1
        assert not list(client._runtime.session.local.writes.queue.settled("tasks"))


async def test_a_closed_collection_can_be_read_at_another_granularity(
    client: Client, peer: Peer
) -> None:
    await peer.write("1", {"x": 1, "y": 2})
    async with client.collection("tasks") as tasks:
        await tasks.synced()
    async with client.collection("tasks", granularity="fields") as fields:
        await fields.synced()
        assert [row.data for row in fields.all()] == [{"x": 1, "y": 2}]


async def test_what_is_closed_leaves_nothing_behind(client: Client, peer: Peer) -> None:
    for number in range(20):
        await peer.write(str(number), {"n": number})
    for _ in range(3):
        async with client.collection("tasks") as tasks:
            await tasks.synced()
    await peer.until(lambda: reading(peer).count("Unsubscribe") == 3)
    local = client._runtime.session.local
    assert (local._views, local._readers, local._kept) == ({}, {}, {})
    assert (client._runtime.router._signals, client._open_collections._readers) == ({}, {})


async def test_closing_after_the_end_of_the_client_is_no_error(peer: Peer) -> None:
    async with client_of(peer) as client:
        tasks = client.collection("tasks")
        await tasks.synced()
    tasks.close()
    client_of(peer).collection("tasks").close()
