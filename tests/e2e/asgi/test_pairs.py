"""What the product does, under each ASGI server and within each framework."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server import Config
from tests.support.asgi_sites import Site, serving
from tests.support.history import Stream
from tests.support.plain_http import ask
from tests.support.slow import slow_reader
from tests.support.sockets import PATIENCE, Raw, raw

HELLO = {"type": "hello", "token": "bob"}

AT_ONCE = Config().heartbeat
"""Seconds in which one is gone that has left: who seems to be lost is there for twice as long."""

PAIRS = (
    ("uvicorn", "bare"),
    ("uvicorn", "starlette"),
    ("uvicorn", "fastapi"),
    ("uvicorn", "litestar"),
    ("uvicorn", "django"),
    ("uvicorn --ws", "fastapi"),
    ("hypercorn", "starlette"),
    ("granian", "fastapi"),
    ("daphne", "django"),
)
"""Each framework under one server, and each server with one framework."""


async def records(site: Site) -> None:
    """Both formats: what one writes, the other is told of."""
    async with (
        rhtmx.connect(site.url, token="ada") as ada,
        rhtmx.connect(site.url, token="bob", format="proto") as bob,
    ):
        await ada.collection("tasks").set("1", {"title": "Write it down"})
        async for change in bob.collection("tasks").changes(since=0):
            assert change.data == {"title": "Write it down"}
            break


async def fields(site: Site) -> None:
    """Two fields of one record are merged."""
    async with rhtmx.connect(site.url, token="ada") as ada:
        await asyncio.gather(
            ada.push_fields("tasks", "2", {"title": "Tell everyone"}),
            ada.push_fields("tasks", "2", {"done": True}),
        )
        found = {change.entity_id: change.data for change in await ada.sync("tasks")}
        assert found["2"] == {"title": "Tell everyone", "done": True}


async def forms(site: Site) -> None:
    """A form is judged by the server."""
    async with rhtmx.connect(site.url, token="ada") as ada:
        verdict = await ada.validate_form("signup", {"age": "17"})
        assert [each.error for each in verdict.errors] == ["must be 18 or more"]


async def rooms(site: Site) -> None:
    """Who closes has left at once, whatever the server tells of how a socket ended."""
    async with rhtmx.connect(site.url, token="bob") as bob:
        await bob.collection("tasks").set("5", {})
        async with aclosing(bob.room("tasks/5").subscribe()) as seen:
            async with rhtmx.connect(site.url, token="ada", format="proto") as ada:
                await ada.room("tasks/5").join("ada")
                await anext(each async for each in seen if each)
            async with asyncio.timeout(AT_ONCE):
                await anext(each async for each in seen if not each)


async def resume(site: Site) -> None:
    """Who comes again is sent what came meanwhile, and nothing else."""
    async with raw(site.url) as reader:
        await reader.ask(HELLO, "welcome")
        await reader.push("tasks", "3", {"n": 1})
        begin = await reader.ask({"type": "sync", "entity": "tasks", "since": 0}, "sync_complete")
    async with raw(site.url) as writer:
        await writer.ask(HELLO, "welcome")
        await writer.push("tasks", "3", {"n": 2})
    async with raw(site.url) as reader:
        welcome = await reader.ask(HELLO, "welcome")
        since = {"tasks": {"epoch": welcome["epoch"], "version": begin["version"]}}
        await reader.send({"type": "subscribe", "entities": ["tasks"], "since": since})
        assert (await reader.until("change"))["change"]["data"] == {"n": 2}


async def limits(site: Site) -> None:
    """What is too large is refused in words; silence and vanishing harm nobody."""
    async with connect(site.url) as client:
        await client.send("x" * 70_000)
        await client.wait_closed()
        assert client.close_code == ERRORS[ErrorCode.TOO_LARGE].close_code
    async with raw(site.url) as vanishing:
        await vanishing.ask(HELLO, "welcome")
        vanishing.socket.transport.abort()
    assert (await ask(site.url, f"{site.prefix}/healthz", Connection="close")).status == 200


async def access(site: Site) -> None:
    """The session of the host says who connects, until the host signs them out."""
    sync = f"{site.prefix}/api/sync/tasks"
    assert (await ask(site.url, sync, Connection="close")).status == 401
    cookie = "name=ada"
    if site.prefix:
        signed_in = await ask(site.url, "/sign-in", Connection="close")
        (cookie,) = (each.partition(";")[0] for each in signed_in.headers.get_all("Set-Cookie"))
    assert (await ask(site.url, sync, Connection="close", Cookie=cookie)).status == 200
    headers = {"Cookie": cookie, "Origin": site.origin}
    async with raw(site.url, additional_headers=headers) as client:
        await client.ask({"type": "hello"}, "welcome")
        if site.prefix:
            await ask(site.url, "/sign-out", Connection="close", Cookie=cookie)
            async with asyncio.timeout(PATIENCE):
                await client.socket.wait_closed()
            code = ERRORS[ErrorCode.UNAUTHENTICATED].close_code
            assert client.socket.close_code == code


async def slow(site: Site) -> None:
    """A reader that does not read falls back to the store, and gets the latest later."""
    async with slow_reader(site.url) as reader, raw(site.url) as writer:
        reader.send(HELLO)
        reader.send({"type": "subscribe", "entities": ["pieces"]})
        await writer.ask(HELLO, "welcome")
        pushes = 0
        while await figure(site, "lagging_cursors") == 0:
            await fill(writer, pushes, pushes + 50)
            pushes += 50
        await fill(writer, pushes, pushes + 300)
        pushes += 300
        stream, received = Stream("pieces"), 0
        while stream.position < pushes:
            for message in await reader.read():
                stream.saw(message)
                received += message["type"] == "change"
        assert received < pushes
        assert {each["n"] for each in stream.records.values()} == set(range(pushes - 10, pushes))


async def fill(writer: Raw, begin: int, end: int) -> None:
    for n in range(begin, end):
        await writer.push("pieces", str(n % 10), {"n": n, "piece": "x" * 30_000})


async def figure(site: Site, name: str) -> float:
    metrics = (await ask(site.url, f"{site.prefix}/metrics", Connection="close")).body.decode()
    found = re.search(rf"^rhtmx_{name} (.+)$", metrics, re.MULTILINE)
    assert found is not None
    return float(found[1])


SCENARIOS: tuple[Callable[[Site], Awaitable[Any]], ...] = (
    records, fields, forms, rooms, resume, limits, access, slow,
)  # fmt: skip


@pytest.mark.parametrize(("server", "host"), PAIRS)
async def test_the_product_works(server: str, host: str, tmp_path: Path) -> None:
    async with serving(server, host, tmp_path) as site:
        for scenario in SCENARIOS:
            if (server, scenario) != ("daphne", slow):  # it keeps in memory what nobody reads
                await scenario(site)
