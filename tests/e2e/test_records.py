"""Live data, end to end."""

from __future__ import annotations

from rhtmx_server import App
from tests.support.history import Stream
from tests.support.sockets import raw


async def test_a_push_reaches_every_subscriber_and_is_acknowledged(app: App) -> None:
    async with raw(app.url) as writer, raw(app.url) as reader:
        await reader.send({"type": "subscribe", "entities": ["users", "posts"]})
        await reader.settle()
        ack = await writer.push("users", "1", {"name": "Ada"})
        assert (ack["entity"], ack["entity_id"], ack["version"]) == ("users", "1", 1)
        change = (await reader.until("change"))["change"]
        assert change["action"] == "create"
        assert change["data"] == {"name": "Ada"}
        assert change["version"] == 1
        assert change["created_at"].endswith("Z")


async def test_the_sender_sees_its_own_change_after_the_acknowledgement(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["users"]})
        await client.push("users", "1", {"name": "Ada"})
        assert (await client.until("change"))["change"]["version"] == 1


async def test_the_log_says_what_happened_not_what_was_claimed(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["users"]})
        for data in ({"n": 1}, {"n": 2}, None, {"n": 3}):
            await client.push("users", "1", data)
        await client.settle()
        actions = [m["change"]["action"] for m in client.log if m["type"] == "change"]
        assert actions == ["create", "update", "delete", "create"]


async def test_deleting_what_is_not_there_is_acknowledged_and_logs_nothing(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["users"]})
        assert (await client.push("users", "9", None))["version"] == 0
        assert not [m for m in await client.settle() if m["type"] == "change"]


async def test_sync_sends_each_record_once_at_its_latest_and_ends(app: App) -> None:
    async with raw(app.url) as client:
        for n in range(5):
            await client.push("users", str(n % 2), {"n": n})
        await client.push("users", "0", None)
        await client.send({"type": "sync", "entity": "users", "since": 0, "request_id": "r"})
        done = await client.until("sync_complete")
        assert (done["version"], done["reset"], done["request_id"]) == (6, False, "r")
        changes = [m["change"] for m in client.log if m["type"] == "change"]
        assert [(c["entity_id"], c["version"]) for c in changes] == [("1", 4), ("0", 6)]
        assert changes[-1]["action"] == "delete"


async def test_sync_since_a_version_sends_only_what_came_after(app: App) -> None:
    async with raw(app.url) as client:
        for n in range(3):
            await client.push("users", str(n), {"n": n})
        await client.send({"type": "sync", "entity": "users", "since": 2})
        await client.until("sync_complete")
        versions = [m["change"]["version"] for m in client.log if m["type"] == "change"]
        assert versions == [3]


async def test_a_future_or_foreign_position_is_reset_with_a_full_snapshot(app: App) -> None:
    async with raw(app.url) as client:
        await client.push("users", "1", {"n": 1})
        for position in ({"since": 99}, {"since": 1, "epoch": "another"}):
            await client.send({"type": "sync", "entity": "users", **position})
            done = await client.until("sync_complete")
            assert done["reset"] is True
            assert done["version"] == 1
        assert len([m for m in client.log if m["type"] == "change"]) == 2


async def test_a_subscription_resumes_without_a_gap(app: App) -> None:
    stream = Stream("users")
    async with raw(app.url) as writer:
        async with raw(app.url) as reader:
            since = {"users": {"epoch": "", "version": 0}}
            await reader.send({"type": "subscribe", "entities": ["users"], "since": since})
            epoch = (await reader.until("sync_complete"))["epoch"]
            for n in range(10):
                await writer.push("users", str(n), {"n": n})
            await reader.settle()
            for message in reader.log:
                stream.saw(message)
        for n in range(10, 20):
            await writer.push("users", str(n % 5), {"n": n})
        async with raw(app.url) as reader:
            since = {"users": {"epoch": epoch, "version": stream.position}}
            await reader.send({"type": "subscribe", "entities": ["users"], "since": since})
            await reader.until("sync_complete")
            await writer.push("users", "last", {"n": 99})
            await reader.until("change")
            for message in reader.log:
                stream.saw(message)
    assert stream.records == {
        **{str(n): {"n": n} for n in range(5, 10)},
        **{str(n): {"n": n + 15} for n in range(5)},
        "last": {"n": 99},
    }


async def test_many_pushes_in_flight_are_acknowledged_in_order(app: App) -> None:
    async with raw(app.url) as client:
        pushes = [
            {"type": "push", "entity": "e", "entity_id": str(n), "action": "create",
             "data": n, "request_id": str(n)}
            for n in range(1000)
        ]  # fmt: skip
        await client.send(*pushes)
        for n in range(1000):
            assert (await client.until("push_ack"))["request_id"] == str(n)


async def test_a_stale_base_version_is_refused_with_the_current_record(app: App) -> None:
    async with raw(app.url) as client:
        await client.push("users", "1", {"n": 1})
        await client.push("users", "1", {"n": 2})
        await client.send(
            {"type": "push", "entity": "users", "entity_id": "1", "action": "update",
             "data": {"n": 3}, "base_version": 1, "request_id": "r"}
        )  # fmt: skip
        error = await client.until("error")
        assert error["code"] == "conflict"
        assert error["request_id"] == "r"
        assert error["details"]["data"] == {"n": 2}
        assert error["details"]["version"] == 2


async def test_unsubscribe_ends_the_stream(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["users"]})
        await client.push("users", "1", 1)
        await client.until("change")
        await client.send({"type": "unsubscribe", "entities": ["users"]})
        await client.push("users", "1", 2)
        assert await client.settle() == []


async def test_numbers_of_any_size_inside_data_pass_to_the_digit(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["n"]})
        text = (
            '{"type":"push","entity":"n","entity_id":"1","action":"create",'
            '"data":{"big":12345678901234567890123,"frac":0.1000}}'
        )
        await client.socket.send(text)
        received = ""
        while '"type":"change"' not in received:
            frame = await client.socket.recv()
            assert isinstance(frame, str)
            received = frame
        assert '"data":{"big":12345678901234567890123,"frac":0.1000}' in received
