"""Live fields, end to end."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.history import Stream
from tests.support.sockets import Raw, raw

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"


def update(field: str, value: Any, timestamp: str = EARLY, **more: Any) -> dict[str, Any]:
    return {"field": field, "value": value, "action": "update", "timestamp": timestamp, **more}


def push_fields(entity_id: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    fields_list = list(fields)
    push = {"type": "push_fields", "entity": "users", "entity_id": entity_id}
    return {**push, "fields": fields_list, **more}


async def seen(client: Raw) -> list[dict[str, Any]]:
    await client.settle()
    return [m["change"] for m in client.log if m["type"] in ("change", "field_change")]


async def test_fields_of_one_push_arrive_under_one_version(app: App) -> None:
    async with raw(app.url) as client:
        await client.send({"type": "subscribe_fields", "entities": ["users"]})
        ack = await client.ask(push_fields("1", update("a", 1), update("b", [2])), "field_push_ack")
        assert (ack["applied"], ack["conflicts"], ack["version"]) == (2, 0, 1)
        changes = await seen(client)
        assert [(c["field"], c["value"], c["version"]) for c in changes] == [
            ("a", 1, 1),
            ("b", [2], 1),
        ]
        assert [c.get("more") for c in changes] == [True, None]


async def test_both_granularities_see_one_log_of_one_record(app: App) -> None:
    async with raw(app.url) as records, raw(app.url) as fields:
        await records.send({"type": "subscribe", "entities": ["users"]})
        await fields.send({"type": "subscribe_fields", "entities": ["users"]})
        await fields.settle()
        await records.push("users", "1", {"name": "Ada", "age": 36})
        await records.ask(
            push_fields("1", update("age", 37, "2030-01-01T00:00:00Z")), "field_push_ack"
        )
        await records.push("users", "1", {"name": "Ada"})
        assert [c["data"] for c in await seen(records)] == [
            {"name": "Ada", "age": 36},
            {"name": "Ada", "age": 37},
            {"name": "Ada"},
        ]
        assert [
            (c["field"], c["action"], c["value"], c["version"]) for c in await seen(fields)
        ] == [
            ("age", "update", 36, 1),
            ("name", "update", "Ada", 1),
            ("age", "update", 37, 2),
            ("age", "delete", None, 3),
        ]


async def test_a_subscriber_at_both_grains_sees_each_commit_as_it_was_written(app: App) -> None:
    async with raw(app.url) as client:
        await client.send(
            {"type": "subscribe", "entities": ["users"]},
            {"type": "subscribe_fields", "entities": ["users"]},
        )
        await client.push("users", "1", {"a": 1, "b": 1})
        await client.ask(push_fields("1", update("a", 2, "2030-01-01T00:00:00Z")), "field_push_ack")
        await client.settle()
        kinds = [m["type"] for m in client.log if "change" in m["type"]]
        assert kinds == ["change", "field_change"]


async def test_an_older_write_loses_and_is_told_so(app: App) -> None:
    async with raw(app.url) as client:
        await client.ask(push_fields("1", update("name", "late", LATE)), "field_push_ack")
        await client.send(push_fields("1", update("name", "early", EARLY), update("age", 1)))
        conflict = await client.until("field_conflict")
        ack = await client.until("field_push_ack")
        assert conflict["field"] == "name"
        assert conflict["server_value"] == "late"
        assert conflict["client_value"] == "early"
        assert conflict["server_timestamp"] == LATE
        assert conflict["winner"] == "server"
        assert conflict["strategy"] == "last_write_wins"
        assert (ack["applied"], ack["conflicts"]) == (1, 1)


@pytest.mark.parametrize(
    ("strategy", "value", "winner"),
    [
        ("last_write_wins", "late", "server"),
        ("keep_both", "late", "server"),
        ("server_wins", "late", "server"),
        ("client_wins", "early", "client"),
    ],
)
async def test_each_strategy_decides_its_own_way(
    store: str, strategy: str, value: str, winner: str
) -> None:
    app = App(store=store, config=Config(port=0))
    app.entity("users", merge={"name": strategy})
    async with app, raw(app.url) as client:
        await client.ask(push_fields("1", update("name", "late", LATE)), "field_push_ack")
        await client.send(push_fields("1", update("name", "early", EARLY)))
        assert (await client.until("field_conflict"))["winner"] == winner
        record = await app.changes.get("users", "1")
        assert record is not None
        assert record.data == {"name": value}
        lost = [entry for entry in await app.history("users", "1") if entry.lost]
        assert bool(lost) is (winner == "server")


async def test_a_time_in_2099_is_brought_back_and_does_not_win_for_ever(app: App) -> None:
    async with raw(app.url) as client:
        far = "2099-01-01T00:00:00Z"
        ack = await client.ask(push_fields("1", update("name", "x", far)), "field_push_ack")
        assert ack["clamped"] == 1
        await client.send({"type": "sync_fields", "entity": "users", "since": 0})
        change = (await client.until("field_change"))["change"]
        assert change["timestamp"] < "2099"


async def test_sync_fields_sends_only_the_fields_written_since(app: App) -> None:
    async with raw(app.url) as client:
        await client.ask(push_fields("1", update("name", "Ada")), "field_push_ack")
        await client.ask(push_fields("1", update("email", "a@example.com")), "field_push_ack")
        await client.send({"type": "sync_fields", "entity": "users", "since": 1})
        done = await client.until("sync_fields_complete")
        assert done["version"] == 2
        fields = [m["change"]["field"] for m in client.log if m["type"] == "field_change"]
        assert fields == ["email"]


async def test_a_field_stream_cut_anywhere_resumes_without_loss(app: App) -> None:
    async with raw(app.url) as writer:
        for n in range(6):
            fields = [update(f"f{k}", n * 10 + k, LATE) for k in range(n % 3 + 1)]
            await writer.ask(push_fields(str(n % 2), *fields), "field_push_ack")
        record = {key: await _data(app, key) for key in ("0", "1")}
        async with raw(app.url) as reader:
            await reader.send({"type": "sync_fields", "entity": "users", "since": 0})
            epoch = (await reader.until("sync_fields_complete"))["epoch"]
            messages = list(reader.log)
        for cut in range(len(messages) + 1):
            stream = Stream("users")
            for message in messages[:cut]:
                stream.saw(message)
            async with raw(app.url) as reader:
                stream.rewound(stream.position)
                position = {"epoch": epoch, "version": stream.position}
                await reader.send(
                    {
                        "type": "subscribe_fields",
                        "entities": ["users"],
                        "since": {"users": position},
                    }
                )
                await reader.until("sync_fields_complete")
                for message in reader.log:
                    stream.saw(message)
            assert stream.records == record


async def _data(app: App, entity_id: str) -> Any:
    record = await app.changes.get("users", entity_id)
    assert record is not None
    return record.data


async def test_fields_cannot_be_pushed_into_what_is_no_object(app: App) -> None:
    async with raw(app.url) as client:
        await client.push("users", "1", [1, 2])
        error = await client.ask(push_fields("1", update("a", 1)), "error")
        assert error["code"] == "invalid_data"


async def test_a_field_write_older_than_the_delete_loses(app: App) -> None:
    async with raw(app.url) as client:
        await client.push("users", "1", {"a": 1})
        await client.push("users", "1", None)
        await client.send(push_fields("1", update("a", 2, EARLY)))
        conflict = await client.until("field_conflict")
        assert conflict["server_value"] is None
        assert (await client.until("field_push_ack"))["applied"] == 0
        assert await app.changes.get("users", "1") is None


async def test_an_entity_without_fields_says_so_to_who_asks_for_them(store: str) -> None:
    app = App(store=store, config=Config(port=0))
    app.entity("users", fields=False)
    async with app, raw(app.url) as client:
        for message in (
            {"type": "subscribe_fields", "entities": ["users"]},
            {"type": "sync_fields", "entity": "users", "since": 0},
            push_fields("1", update("a", 1)),
        ):
            assert (await client.ask(message, "error"))["code"] == "not_supported"
        await client.push("users", "1", {"a": 1})
