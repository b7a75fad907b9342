"""Facts about `rhtmx.collection`."""

from __future__ import annotations

from rhtmx.client import Client
from rhtmx.messages import Push, PushFields
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
