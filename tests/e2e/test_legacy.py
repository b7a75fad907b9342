"""Pages that still run an old client keep working unchanged."""

from __future__ import annotations

import gzip
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from rhtmx_server import App, Config
from tests.support.old_clients import OldFields, OldRecords
from tests.support.plain_http import ask
from tests.support.sockets import raw

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
PATHS = ("/api/sync/ws", "/api/field-sync/ws")


def at(app: App, path: str) -> str:
    return app.url.replace("/api/ws", path)


# Records.


async def test_two_old_record_clients_see_each_others_writes(app: App) -> None:
    ada, bob = OldRecords(app.url, "users"), OldRecords(app.url, "users")
    async with ada.open(), bob.open():
        await ada.push("1", {"name": "Ada"})
        await bob.seen(1)
        await bob.push("2", {"name": "Bob"})
        await bob.push("1", None)
        for client in (ada, bob):
            await client.seen(3)
            assert client.records == {"2": {"name": "Bob"}}


async def test_what_an_old_record_client_wrote_offline_is_sent_when_it_connects(app: App) -> None:
    client = OldRecords(app.url, "users")
    await client.push("1", {"name": "Ada"})
    await client.push("2", {"name": "Bob"})
    async with client.open():
        await client.seen(2)
        while client.pending:
            await client.receive()
    assert client.records == {"1": {"name": "Ada"}, "2": {"name": "Bob"}}


async def test_an_old_record_client_that_was_away_reads_only_what_changed(app: App) -> None:
    away = OldRecords(app.url, "users")
    async with raw(app.url) as writer:
        await writer.push("users", "1", {"n": 1})
        await writer.push("users", "2", {"n": 2})
        async with away.open():
            assert away.records == {"1": {"n": 1}, "2": {"n": 2}}
        await writer.push("users", "1", None)
        await writer.push("users", "3", {"n": 3})
    answer = (await ask(app.url, f"/api/sync/users?since={away.version}")).json
    assert [change["entity_id"] for change in answer["changes"]] == ["1", "3"]
    async with away.open():
        assert away.records == {"2": {"n": 2}, "3": {"n": 3}}
        assert away.version == 4


async def test_long_messages_travel_as_gzip_both_ways(app: App) -> None:
    ada, bob = OldRecords(app.url, "users"), OldRecords(app.url, "users")
    text = "to be or not to be " * 200
    async with ada.open(), bob.open():
        await ada.push("1", {"text": text})
        await bob.seen(1)
        assert bob.records == {"1": {"text": text}}
        assert bob.binary == 1


async def test_a_sync_over_the_old_socket_is_answered_with_changes_alone(app: App) -> None:
    async with raw(app.url) as writer:
        for n in range(3):
            await writer.push("users", str(n), {"n": n})
    client = OldRecords(app.url, "users")
    async with client.open():
        await client.send({"type": "sync", "entity": "users", "since": 1})
        first = await client.until("change")
        second = await client.until("change")
        assert [m["change"]["version"] for m in (first, second)] == [2, 3]
        await client.alive()


# Fields.


async def test_two_old_field_clients_write_different_fields_of_one_record(app: App) -> None:
    ada, bob = OldFields(app.url, "users"), OldFields(app.url, "users")
    async with ada.open(), bob.open():
        await ada.push("1", EARLY, name="Ada", age=36)
        await bob.seen(1)
        await bob.push("1", LATE, age=37, mail="ada@example.com")
        await bob.push("1", LATE, name=None)
        for client in (ada, bob):
            await client.seen(3)
            assert client.fields == {"1": {"age": 37, "mail": "ada@example.com"}}
            assert await client.latest("1") == client.fields["1"]
    assert ada.pending == {}


async def test_an_old_field_client_is_acknowledged_with_counts(app: App) -> None:
    client = OldFields(app.url, "users")
    async with client.open():
        await client.push("1", EARLY, name="Ada", age=36)
        ack = await client.until("push_ack")
    assert ack == {
        "type": "push_ack",
        "entity": "users",
        "entity_id": "1",
        "applied": 2,
        "conflicts": 0,
    }


async def test_an_old_field_client_that_lost_is_told_so_in_its_words(app: App) -> None:
    client = OldFields(app.url, "users")
    async with client.open():
        await client.push("1", LATE, name="late")
        await client.until("push_ack")
        await client.push("1", EARLY, name="early")
        conflict = await client.until("conflict")
        ack = await client.until("push_ack")
    assert conflict == {
        "type": "conflict",
        "entity": "users",
        "entity_id": "1",
        "field": "name",
        "server_value": "late",
        "server_timestamp": "2026-01-02T00:00:00Z",
        "client_value": "early",
        "client_timestamp": "2026-01-01T00:00:00Z",
    }
    assert (ack["applied"], ack["conflicts"]) == (0, 1)
    assert set(client.pending) == {"1"}


async def test_an_old_field_client_that_was_away_reads_the_fields_that_changed(app: App) -> None:
    away, writer = OldFields(app.url, "users"), OldFields(app.url, "users")
    async with writer.open():
        await writer.push("1", EARLY, name="Ada", age=36)
        await writer.seen(1)
        async with away.open():
            assert away.fields == {"1": {"name": "Ada", "age": 36}}
        await writer.push("1", LATE, age=37)
        await writer.seen(2)
    answer = (await ask(app.url, "/api/field-sync/users?since=1")).json
    assert [(c["field"], c["value"], c["version"]) for c in answer["changes"]] == [("age", 37, 2)]
    async with away.open():
        assert away.fields == {"1": {"name": "Ada", "age": 37}}


async def test_a_record_that_is_not_there_has_no_latest_fields(app: App) -> None:
    assert await OldFields(app.url, "users").latest("1") == {}


# Old and new together.


async def test_old_and_new_clients_of_both_kinds_see_one_state(app: App) -> None:
    records, fields = OldRecords(app.url, "users"), OldFields(app.url, "users")
    async with records.open(), fields.open(), raw(app.url) as new:
        await new.push("users", "1", {"name": "Ada"})
        await fields.seen(1)
        await fields.push("1", "2099-01-01T00:00:00Z", age=36)
        await records.seen(2)
        await records.push("2", {"name": "Bob"})
        for client in (records, fields):
            await client.seen(3)
    expected = {"1": {"name": "Ada", "age": 36}, "2": {"name": "Bob"}}
    assert records.records == expected
    assert fields.fields == expected


# Their end, and bad input.


@pytest.mark.parametrize("path", PATHS)
async def test_the_handshake_announces_the_successor(app: App, path: str) -> None:
    async with connect(at(app, path)) as socket:
        assert socket.response is not None
        assert socket.response.headers["Deprecation"].startswith("@")
        assert socket.response.headers["Link"] == '</api/ws>; rel="successor-version"'
    async with connect(app.url) as socket:
        assert socket.response is not None
        assert "Deprecation" not in socket.response.headers


@pytest.mark.one_server
async def test_their_users_are_counted(app: App) -> None:
    for client in (OldRecords(app.url, "users"), OldFields(app.url, "users")):
        async with client.open():
            pass
    metrics = (await ask(app.url, "/metrics")).body
    for line in (
        b'{endpoint="sync"} 1.0',
        b'{endpoint="field_sync"} 1.0',
        b'{endpoint="http"} 2.0',
    ):
        assert b"rhtmx_legacy_users_total" + line in metrics


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_not_understood_is_answered_in_words_and_the_connection_survives(
    app: App, path: str
) -> None:
    bad: list[str | bytes] = [
        "not json",
        '{"type":"validate_field"}',
        '{"type":"sync","entity":"users","since":-1}',
        b"not gzip",
        gzip.compress(b'{"type":"ping"}')[:-3],
        gzip.compress(b'{"type":"ping"}') + b"!",
        gzip.compress(b" " * 10_000_000 + b'{"type":"ping"}'),
    ]
    async with raw(at(app, path)) as client:
        for frame in bad:
            await client.socket.send(frame)
            error = await client.receive()
            assert set(error) == {"type", "message"}
            assert error["type"] == "error"
        await client.ask({"type": "ping"}, "pong")


async def test_too_many_of_them_end_the_connection(app: App) -> None:
    async with raw(at(app, PATHS[0])) as client:
        for _ in range(app.config.bad_messages):
            await client.socket.send(b"no")
            await client.until("error")
        await client.socket.send(b"no")
        await client.until("error")
        with pytest.raises(ConnectionClosedError) as closed:
            await client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4500


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_of_another_origin_may_not_connect(app: App, path: str) -> None:
    origins = ("https://evil.example", "null")
    for origin in origins:
        with pytest.raises(InvalidStatus) as refused:
            await connect(at(app, path), origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


async def test_an_entity_that_was_not_declared_is_refused_in_words() -> None:
    app = App(store="memory://", config=Config(port=0))
    app.entity("users")
    async with app, raw(at(app, PATHS[0])) as client:
        await client.send({"type": "subscribe", "entities": ["posts"]})
        assert "posts" in (await client.until("error"))["message"]
        push = {"type": "push", "entity": "posts", "entity_id": "1", "action": "create"}
        await client.send(push)
        assert "posts" in (await client.until("error"))["message"]


async def test_an_old_client_may_offer_to_compress_as_browsers_do(app: App) -> None:
    async with connect(at(app, PATHS[0]), compression="deflate") as socket:
        await socket.send(json.dumps({"type": "ping", "padding": "x" * 2000}))
        assert json.loads(await socket.recv()) == {"type": "pong"}


async def test_the_field_that_old_clients_keep_records_under_is_never_told(app: App) -> None:
    reader = OldFields(app.url, "users")
    async with reader.open():
        await app.changes.push("users", "1", {"id": 1, "name": "Ada"})
        await app.changes.delete("users", "1")
        await reader.seen(2)
    answer = await ask(app.url, "/api/field-sync/users?since=0")
    told = [m["change"]["field"] for m in reader.log if m["type"] == "field_change"]
    told += [change["field"] for change in json.loads(answer.body)["changes"]]
    assert set(told) == {"name"}


async def test_of_several_edits_of_one_field_in_one_message_the_latest_counts(app: App) -> None:
    times = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z", "2026-01-01T00:00:02Z"]
    fields = [
        {"field": "t", "value": n, "action": "update", "timestamp": time}
        for n, time in enumerate(times)
    ]
    client = OldFields(app.url, "users")
    async with client.open():
        await client.send(
            {"type": "push_fields", "entity": "users", "entity_id": "1", "fields": fields}
        )
        ack = await client.until("push_ack")
    assert (ack["applied"], ack["conflicts"]) == (1, 0)
    record = await app.changes.get("users", "1")
    assert record is not None
    assert record.data == {"t": 1}
