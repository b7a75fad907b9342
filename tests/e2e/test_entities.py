"""Entities by the thousand: there is room for so many, and asking for one makes none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config
from rhtmx_server.server import RunningServer
from tests.support.sockets import Raw, raw
from tests.support.waiting import eventually


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A server with room for three entities, and one that is declared."""
    app = App(store=store, config=Config(port=0, entities=3), undeclared=True)
    app.entity("declared")
    async with app:
        yield app


def push(entity: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "push", "entity": entity, "entity_id": "1", "action": "update", "data": {"n": 1},
        **more,
    }  # fmt: skip


def push_fields(entity: str) -> dict[str, Any]:
    update = {"field": "n", "value": 1, "action": "update", "timestamp": "2026-01-01T00:00:00Z"}
    return {"type": "push_fields", "entity": entity, "entity_id": "1", "fields": [update]}


async def fill(client: Raw) -> None:
    for entity in ("a", "b", "c"):
        await client.push(entity, "1", 1)


async def test_the_first_write_to_one_entity_too_many_is_refused_in_words(app: App) -> None:
    async with raw(app.url) as client:
        await fill(client)
        for message in (push("d"), push_fields("d")):
            error = await client.ask(message, "error")
            assert error["code"] == "unknown_entity"
            assert "--entities" in error["message"]
            assert not error.get("retryable")
        for entity in ("a", "declared"):
            assert (await client.ask(push(entity), "push_ack"))["version"] >= 1


async def test_a_numbered_write_that_finds_no_room_uses_up_its_number(app: App) -> None:
    async with raw(app.url) as client:
        await fill(client)
    async with raw(app.url) as client:
        await client.ask({"type": "hello", "client_id": "c"}, "welcome")
        first = await client.ask(push("d", seq=1), "error")
        assert await client.ask(push("d", seq=1), "error") == first
        assert (await client.ask(push("a", seq=2), "push_ack"))["seq"] == 2


async def test_the_embedding_program_is_refused_as_well(app: App) -> None:
    for entity in ("a", "b", "c"):
        await app.changes.push(entity, "1", 1)
    with pytest.raises(RhtmxError) as refused:
        await app.fields.push("d", "1", {"n": 1})
    assert refused.value.code is ErrorCode.UNKNOWN_ENTITY
    await app.changes.push("declared", "1", 1)


async def test_there_is_no_more_room_after_a_restart(store: str) -> None:
    if store == "memory://":
        return
    config = Config(port=0, entities=3)
    async with App(store=store, config=config) as app, raw(app.url) as client:
        await fill(client)
    async with App(store=store, config=config) as app, raw(app.url) as client:
        assert (await client.ask(push("d"), "error"))["code"] == "unknown_entity"
        await client.push("a", "1", 1)


async def test_subscribing_to_what_was_never_written_leaves_nothing_behind(app: App) -> None:
    server = app._life.server
    assert isinstance(server, RunningServer)
    hub = server.services.hub
    async with raw(app.url) as client:
        for start in range(0, 2_000, 100):
            names = [f"nobody's {number}" for number in range(start, start + 100)]
            await client.send({"type": "subscribe", "entities": names})
            await client.send({"type": "subscribe_fields", "entities": names[:50]})
            await client.send(*({"type": "sync", "entity": name, "since": 0} for name in names[:9]))
            await client.send({"type": "unsubscribe_fields", "entities": names})
            await client.send({"type": "unsubscribe", "entities": names[:99]})
        await client.ask({"type": "ping"}, "pong")
        assert len(hub._groups) == 20
    await eventually(lambda: not server.connections())
    assert (hub.entities, len(hub._groups), len(hub._dirty)) == (0, 0, 0)


@pytest.mark.parametrize("name", ["__proto__", "constructor", "prototype"])
async def test_a_name_that_no_position_can_hold_is_no_entity_at_any_door(
    app: App, name: str
) -> None:
    with pytest.raises(ValueError, match=f"entity '{name}': no client could read it"):
        App(store="memory://").entity(name)
    with pytest.raises(RhtmxError, match=rf"push\.entity: '{name}' may not be a key"):
        await app.changes.push(name, "1", {})
    async with raw(app.url) as client:
        for message in (
            push(name),
            push_fields(name),
            {"type": "subscribe", "entities": ["a", name]},
            {"type": "sync_fields", "entity": name, "since": 0},
        ):
            assert (await client.ask(message, "error"))["code"] == "bad_message"
