"""Of an author's own writes the later one wins, whichever door they come through."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core.session import Session
from rhtmx.messages.tables import MERGE_STRATEGY_SPELLINGS
from rhtmx.runtime.handshake import WebSocketEndpoint
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.wire import Format
from rhtmx_server import App, Config

STRATEGIES = list(MERGE_STRATEGY_SPELLINGS.values())
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TIMES = [NOON, NOON.replace(year=1926), NOON.replace(year=9000)]
"""The same moment, a clock that was set back by a century, one that is brought back."""


class Door:
    """One author, as each door lets it in."""

    def __init__(self, client: Any, *, in_process: bool = False) -> None:
        self._client = client
        self._in_process = in_process

    async def patch(self, entity: str, fields: dict[str, Any], **more: Any) -> int:
        if not self._in_process:
            return len((await self._client.push_fields(entity, "1", fields, **more)).conflicts)
        ack = await self._client.fields.push(entity, "1", fields, client_id="me", **more)
        return len(ack.conflicts)

    async def set(self, entity: str, data: Any) -> None:
        if not self._in_process:
            await self._client.push(entity, "1", data)
        else:
            await self._client.changes.push(entity, "1", data, client_id="me")

    async def delete(self, entity: str) -> None:
        if not self._in_process:
            await self._client.delete(entity, "1")
        else:
            await self._client.changes.delete(entity, "1", client_id="me")


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    app = App(store=store, config=Config(port=0, grpc_port=0))
    for strategy in STRATEGIES:
        app.entity(strategy, merge=strategy)
    async with app:
        yield app


@asynccontextmanager
async def door_of(kind: str, app: App) -> AsyncIterator[Door]:
    if kind == "in process":
        yield Door(app, in_process=True)
    elif kind == "gRPC":
        async with rhtmx.backend(app.grpc_address, client_id="me") as backend:
            yield Door(backend)
    else:
        async with rhtmx.connect(app.url, client_id="me") as client:
            yield Door(client)


@pytest.fixture(params=["WebSocket", "gRPC", "in process"])
async def door(request: pytest.FixtureRequest, app: App) -> AsyncIterator[Door]:
    async with door_of(request.param, app) as door:
        yield door


async def held(app: App, entity: str) -> Any:
    log = await app.changes.get(entity, "1")
    return log and log.data


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("second", TIMES, ids=["equal", "set back", "ahead"])
@pytest.mark.parametrize("base", [None, 0], ids=["without a base", "with an old base"])
async def test_the_second_of_two_own_field_writes_stands_without_a_conflict(
    app: App, door: Door, strategy: str, second: datetime, base: int | None
) -> None:
    for first, last in [(9, 10), (True, False), ("b", "a"), (10, 9)]:
        assert not await door.patch(strategy, {"f": first}, timestamp=NOON, base_version=base)
        assert not await door.patch(strategy, {"f": last}, timestamp=second, base_version=base)
        assert await held(app, strategy) == {"f": last}
        await app.changes.delete(strategy, "1", client_id="me")


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_fields_and_whole_records_of_one_author_are_in_one_order(
    app: App, door: Door, strategy: str
) -> None:
    slow = TIMES[1]
    await door.set(strategy, {"f": 1, "g": 1})
    assert not await door.patch(strategy, {"f": 2}, timestamp=slow)
    assert await held(app, strategy) == {"f": 2, "g": 1}
    assert not await door.patch(strategy, {}, delete=["g"], timestamp=slow)
    assert await held(app, strategy) == {"f": 2}
    await door.set(strategy, {"f": 3, "g": 3})
    await door.delete(strategy)
    # The delete was the last write of each field, and of those that never were.
    assert not await door.patch(strategy, {"g": 4, "h": 4}, timestamp=slow)
    assert await held(app, strategy) == {"g": 4, "h": 4}
    await door.delete(strategy)
    await door.set(strategy, {"f": 5})
    assert await held(app, strategy) == {"f": 5}


async def test_two_authors_without_an_id_are_not_one(app: App) -> None:
    await app.fields.push("last_write_wins", "1", {"f": "b"}, timestamp=NOON)
    ack = await app.fields.push("last_write_wins", "1", {"f": "a"}, timestamp=NOON)
    assert len(ack.conflicts) == 1
    assert await held(app, "last_write_wins") == {"f": "b"}


async def test_a_push_with_a_base_names_one_version_its_own_author_s_included(app: App) -> None:
    await app.changes.push("keep_both", "1", 1, client_id="me", base_version=0)
    with pytest.raises(rhtmx.RhtmxError) as refused:
        await app.changes.push("keep_both", "1", 2, client_id="me", base_version=0)
    assert refused.value.code is rhtmx.ErrorCode.CONFLICT


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("granularity", ["records", "fields"])
async def test_a_client_shows_of_its_own_writes_what_the_server_decides(
    app: App, tmp_path: Path, strategy: str, granularity: Literal["records", "fields"]
) -> None:
    clock = iter([NOON, NOON, *TIMES, *TIMES[::-1], NOON])
    for last in (False, True):  # over a restart, too
        store = SqliteStore(tmp_path / "client.db")
        session = Session("", random.random)
        endpoint = WebSocketEndpoint(app.url, Format.JSON, {}, None, 10.0)
        async with Client(session, endpoint, clock=lambda: next(clock), store=store) as client:
            shown = client.collection(strategy, granularity=granularity)
            await shown.synced()
            client.offline()
            for value in (True, not last, last):
                shown.patch("1", {"f": value})
            await client.saved()
            assert shown.all()[0].data == {"f": last}
            client.online()
            assert not (await shown.patch("1", {"f": last})).conflicts
            assert shown.all()[0].data == {"f": last} == await held(app, strategy)
