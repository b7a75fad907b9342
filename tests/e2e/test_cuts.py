"""A connection that is cut at any byte of a push or of its answer: nothing lost, nothing doubled.

Each byte has a client of its own, in each direction, so that every offset of
everything that is said from `hello` to the acknowledgement is one place where
the connection ends. The server's log tells whether each push took effect once:
its versions have no holes and no repeats. Those who write a transaction count in it, all of them
in one record: the number is how many they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

import rhtmx
from tests.support.cutting import Proxy
from tests.support.process import ServerProcess, ran, serving
from tests.support.programs import TYPESCRIPT, node
from tests.support.sockets import PATIENCE

AT_A_TIME = 150
"""Clients that run beside each other: each waits up to a second before it is back."""

PROGRAM = TYPESCRIPT / "tests" / "support" / "push-through.mjs"

Format = Literal["json", "proto"]
What = Literal["push", "transaction"]
ALL: list[tuple[Format, What]] = [("json", "push"), ("proto", "push"), ("proto", "transaction")]
Push = Callable[[list[str]], Awaitable[None]]


async def everything_once(server: ServerProcess, proxy: Proxy, push: Push, what: What) -> None:
    """Push through every cut, and look at the server's log."""
    await push([proxy.plan("none", "dry")])
    urls = [
        proxy.plan(way, offset)
        for way in ("up", "down")
        for offset in range(proxy.passed["none-dry", way] + 1)
    ]
    assert len(urls) > 300
    await push(urls)
    assert len(proxy.cut) == len(urls) + 1
    async with rhtmx.connect(server.url) as client:
        written = await client.sync("cuts")
        counted = await client.sync("counts")
    assert sorted(change.data["url"] for change in written) == sorted(
        [*urls, proxy.plan("none", "dry")]
    )
    assert written.position.version == len(urls) + 1, "each push is one version"
    together = len(urls) + 1 if what == "transaction" else 0
    assert counted.position.version == together
    assert [each.data for each in counted] == ([{"n": together}] if together else [])


@pytest.mark.parametrize(("form", "what"), ALL)
async def test_the_python_client_writes_once_wherever_it_is_cut(
    tmp_path: Path, form: Format, what: What
) -> None:
    several = asyncio.Semaphore(AT_A_TIME)

    async def one(number: int, url: str) -> None:
        store = tmp_path / f"{number}.db"
        async with several, rhtmx.connect(url, format=form, store=store) as client:
            plan = url.partition("=")[2]
            if what == "push":
                await client.push("cuts", plan, {"url": url})
            else:
                async with client.transaction() as both:
                    both.set("cuts", plan, {"url": url})
                    both.patch("counts", "all", {"n": rhtmx.Increment(1)})
            assert not client.queue
            assert not client.rejected

    async def push(urls: list[str]) -> None:
        await asyncio.gather(*(one(number, url) for number, url in enumerate(urls)))

    async with (
        serving(folder=tmp_path) as server,
        Proxy(server.url).running() as proxy,
        asyncio.timeout(2 * PATIENCE),
    ):
        await everything_once(server, proxy, push, what)


@pytest.mark.parametrize(("form", "what"), ALL)
async def test_the_typescript_client_writes_once_wherever_it_is_cut(
    tmp_path: Path, form: Format, what: What
) -> None:
    program = node("ws")

    async def push(urls: list[str]) -> None:
        await ran(program, PROGRAM, form, str(AT_A_TIME), what, given=json.dumps(urls).encode())

    async with (
        serving(folder=tmp_path) as server,
        Proxy(server.url).running() as proxy,
        asyncio.timeout(2 * PATIENCE),
    ):
        await everything_once(server, proxy, push, what)
