"""Facts about parts of an entity, as an application reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from rhtmx.api.client import Client
from rhtmx.core.granularity import Granularity
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Subscribe, Unsubscribe
from rhtmx.stores.memory import MemoryStore
from rhtmx.wire import Message
from tests.support.waiting import eventually
from tests.unit.rhtmx.parts_server import PartsServer
from tests.unit.rhtmx.peer import Peer, client_of, peering


class Server(PartsServer):
    """It, as a `Peer` has it."""

    def receive(self, message: Message) -> None:
        self.hear(message)

    def pump(self, number: int = 0) -> bool:
        return super().pump(number)


@pytest.fixture
async def parts() -> AsyncIterator[Peer]:
    async with peering() as peer:
        server: Any = Server(Granularity.RECORDS)
        peer.server = server
        yield peer


def subscribed(peer: Peer) -> list[bytes | None]:
    return [each.where for each in peer.heard if isinstance(each, Subscribe)]


async def write(peer: Peer, entity_id: str, data: Any) -> None:
    await peer.write(entity_id, data)


async def test_several_parts_are_read_side_by_side(parts: Peer) -> None:
    await write(parts, "1", {"c": "7"})
    await write(parts, "2", {"c": "8"})
    await write(parts, "3", {"c": "9"})
    async with client_of(parts) as client:
        seven = client.collection("tasks", where={"c": "7"})
        both = client.collection("tasks", where={"c": ["8", "7"]})
        await seven.synced()
        await both.synced()
        assert [row.id for row in seven.all()] == ["1"]
        assert [row.id for row in both.all()] == ["1", "2"]
        await write(parts, "1", {"c": "8"})
        await eventually(lambda: seven.all() == ())
        assert [row.data for row in both.all()] == [{"c": "8"}, {"c": "8"}]
        await write(parts, "1", {"c": "9"})
        await eventually(lambda: [row.id for row in both.all()] == ["2"])
    assert subscribed(parts) == [b'{"tasks":{"c":"7"}}', b'{"tasks":{"c":["7","8"]}}']


async def test_one_part_has_one_subscription_and_is_ended_with_its_last_reader(parts: Peer) -> None:
    async with client_of(parts) as client:
        one = client.collection("tasks", where={"c": 1})
        other = client.collection("tasks", where={"c": [1.0]})
        eight = client.collection("tasks", where={"c": "8"})
        for each in (one, other, eight):
            await each.synced()
        assert len(subscribed(parts)) == 2
        one.close()
        await write(parts, "1", {"c": 1})
        await eventually(lambda: len(other.all()) == 1)
        other.close()
        await write(parts, "2", {"c": "8"})
        await eventually(lambda: len(eight.all()) == 1)
    ended = [each.where for each in parts.heard if isinstance(each, Unsubscribe)]
    assert ended == [b'{"tasks":{"c":1}}']


async def test_who_waits_for_a_part_is_told_after_another_one_was_closed(parts: Peer) -> None:
    async with client_of(parts) as client:
        seven = client.collection("tasks", where={"c": "7"})
        eight = client.collection("tasks", where={"c": "8"})
        await seven.synced()
        seen: list[list[str]] = []
        async for rows in eight.subscribe():
            seen.append([row.id for row in rows])
            if rows:
                break
            seven.close()
            await write(parts, "2", {"c": "8"})
    assert seen == [[], ["2"]]


async def test_the_streams_of_a_part_yield_what_left_it(parts: Peer) -> None:
    await write(parts, "1", {"c": "7"})
    async with client_of(parts) as client:
        changes = client.collection("tasks", where={"c": "7"}).changes(since=0)
        seen = []
        async for change in changes:
            seen.append((change.action, change.left, change.data))
            if change.left:
                break
            await write(parts, "1", {"c": "8"})
        changes.stop()
        assert changes.position is not None
        assert changes.position.version == 2
        assert changes.position.scope is not None
        result = await client.sync("tasks", where={"c": "8"})
        assert [change.data for change in result] == [{"c": "8"}]
        assert result.position.scope is not None
        later = await client.sync("tasks", result.position, where={"c": "8"})
        assert (len(later), later.reset) == (0, False)
    assert seen == [("update", False, {"c": "7"}), ("delete", True, None)]


async def test_a_stream_in_order_is_not_read_beside_another_part(parts: Peer) -> None:
    async with client_of(parts) as client:
        await client.collection("tasks", where={"c": "7"}).synced()
        with pytest.raises(RhtmxError, match=r"'tasks' is being read where .*7.*second client"):
            await client.sync("tasks", where={"c": "8"})
        assert len(await client.sync("tasks", where={"c": "7"})) == 0
        with pytest.raises(RhtmxError, match="at one granularity") as caught:
            client.collection("tasks", where={"c": "8"}, granularity="fields").all()
        assert caught.value.code is ErrorCode.NOT_SUPPORTED


async def test_a_part_that_the_server_refuses_is_named_and_others_go_on(parts: Peer) -> None:
    async with client_of(parts) as client:
        seven = client.collection("tasks", where={"c": "7"})
        await seven.synced()
        parts.mute = True
        other = client.collection("tasks", where={"note": "8"})
        assert other.all() == ()
        await parts.until(lambda: len(subscribed(parts)) == 2)
        parts.server.outgoing.clear()
        parts.mute = False
        await parts.say(Error("no partition by note", ErrorCode.NOT_SUPPORTED))
        with pytest.raises(RhtmxError, match=r"'tasks' where .*note.*: no partition") as caught:
            await other.synced()
        assert caught.value.code is ErrorCode.NOT_SUPPORTED
        await write(parts, "1", {"c": "7"})
        await eventually(lambda: len(seven.all()) == 1)


async def test_a_server_without_parts_is_told_from_one_with_them(peer: Peer) -> None:
    async with client_of(peer) as client:
        with pytest.raises(RhtmxError, match=r"'tasks' where .*c.*update it") as caught:
            await client.collection("tasks", where={"c": "7"}).synced()
        assert caught.value.code is ErrorCode.NOT_SUPPORTED
        with pytest.raises(RhtmxError, match="update it"):
            await client.sync("tasks", where={"c": "7"})


async def test_a_part_that_can_be_none_is_refused_at_once(client: Client) -> None:
    with pytest.raises(RhtmxError, match="where of 'tasks'"):
        client.collection("tasks", where={"c": []})
    with pytest.raises(RhtmxError, match="where of 'tasks'"):
        client.changes("tasks", where={"": 1})


async def test_what_a_store_holds_of_a_part_is_there_again(parts: Peer) -> None:
    store = MemoryStore("c1")
    await write(parts, "1", {"c": "7"})
    async with client_of(parts, store=store) as client:
        await client.collection("tasks", where={"c": "7"}).synced()
    async with client_of(parts, store=store) as client:
        client.offline()
        held = client.collection("tasks", where={"c": "7"}).all()
        assert [row.data for row in held] == [{"c": "7"}]
