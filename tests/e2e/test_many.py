"""More than the server takes at a time: collections, questions and reads of one client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

import rhtmx
from rhtmx.core.events import State
from rhtmx_server import App, Config, Invalid
from tests.support.sockets import PATIENCE

MOST = 128
"""Entities that the server lets one connection subscribe to."""


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    form = app.form("signup")

    @form.field("name")
    async def slow(value: str) -> None:
        await asyncio.sleep(0)
        if value.endswith("7"):
            raise Invalid("ends with 7")

    async with app:
        yield app


async def outcome(collection: rhtmx.Collection) -> str:
    """`synced`, or why not."""
    try:
        await collection.synced()
    except rhtmx.RhtmxError as error:
        return f"{error.code.name}: {error.message}"
    return "synced"


async def ask(client: rhtmx.Client, value: str) -> rhtmx.Validation:
    """Each as of a form of its own: a newer question of the same one takes the place of it."""
    return await client.validate_field("signup", "name", value, form_instance=value)


async def test_the_collection_that_is_one_too_many_is_named_and_there_is_room_after_a_close(
    app: App,
) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        rooms = [client.collection(f"room{number}") for number in range(MOST + 2)]
        told = await asyncio.gather(*map(outcome, rooms))
        assert Counter(each == "synced" for each in told) == {True: MOST, False: 2}
        for room, each in zip(rooms, told, strict=True):
            words = f"TOO_MANY_SUBSCRIPTIONS: '{room.entity}': at most 128 entities at a time"
            assert each == "synced" or each.startswith(words)
        refused = [room for room, each in zip(rooms, told, strict=True) if each != "synced"]
        # Each that is closed makes room for one that was refused, and then for a new one.
        for number, room in enumerate(refused):
            rooms[number].close()
            await room.synced()
        rooms[2].close()
        async with client.collection("one more") as more:
            await more.synced()
            await client.push("one more", "1", 1)
            async for rows in more.subscribe():
                if rows:
                    break


async def test_a_program_that_opens_one_room_after_the_other_goes_on_for_ever(app: App) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        for number in range(2 * MOST):
            async with client.collection(f"room{number}") as room:
                await room.synced()
        assert len(client._runtime.session.streams._families) <= 4


async def test_a_stream_of_changes_that_is_one_too_many_is_named(app: App) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        rooms = [client.collection(f"room{number}") for number in range(MOST)]
        await asyncio.gather(*(room.synced() for room in rooms))
        with pytest.raises(rhtmx.RhtmxError, match=r"^'one more': at most 128 entities"):
            async for _ in client.changes("one more"):
                pass
        with pytest.raises(rhtmx.RhtmxError, match=r"^'one more': at most 128 entities"):
            await client.sync("one more")


async def test_a_thousand_questions_at_once_are_all_answered(app: App) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        verdicts = await asyncio.gather(*(ask(client, str(number)) for number in range(1000)))
    assert [bool(each) for each in verdicts] == [number % 10 != 7 for number in range(1000)]
    sample = app.metrics.registry.get_sample_value
    assert sample("rhtmx_rejected_total", {"code": "too_many_requests"}) is None


async def test_questions_that_were_asked_offline_are_answered_on_the_next_connection(
    app: App,
) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        client.offline()
        asking = [asyncio.create_task(ask(client, str(number))) for number in range(300)]
        await asyncio.sleep(0)
        for given_up in asking[::3]:
            given_up.cancel()
        client.online()
        verdicts = await asyncio.gather(*asking, return_exceptions=True)
        assert client.state is State.OPEN
    for number, verdict in enumerate(verdicts):
        if number % 3 == 0:
            assert isinstance(verdict, asyncio.CancelledError)
        else:
            assert isinstance(verdict, rhtmx.Validation)
            assert verdict.valid is (number % 10 != 7)


async def test_reads_of_more_entities_than_the_server_takes_wait_for_one_another(app: App) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        live = [client.collection(f"live{number}") for number in range(MOST - 8)]
        await asyncio.gather(*(each.synced() for each in live))
        await asyncio.gather(*(client.push(f"e{number}", "1", number) for number in range(200)))
        read = await asyncio.gather(*(client.sync(f"e{number}") for number in range(200)))
    assert [each.changes[0].data for each in read] == list(range(200))
