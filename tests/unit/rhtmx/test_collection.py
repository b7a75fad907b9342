"""Facts about `rhtmx.collection`."""

from __future__ import annotations

import asyncio

import pytest

import rhtmx
from rhtmx.client import Client
from rhtmx.messages import Push, PushFields
from tests.support.waiting import eventually
from tests.unit.rhtmx.peer import Peer


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
