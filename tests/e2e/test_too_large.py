"""A message that is too large is refused by itself, and never cuts a client off for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest

import rhtmx
from rhtmx_server import App, Config
from tests.support.narrow import Narrow
from tests.support.programs import TYPESCRIPT, node

Format = Literal["json", "proto"]
FORMATS = pytest.mark.parametrize("form", ["json", "proto"])
PROGRAM = TYPESCRIPT / "tests" / "support" / "too-large.mjs"


def narrow(store: str, most: int = 1024, port: int = 0) -> App:
    app = App(store=store, config=Config(port=port, max_size=most))
    app.form("signup").field("email", required=True)
    return app


async def at_once(client: rhtmx.Client) -> None:
    """Do not wait before each attempt to connect."""
    async for state in client.states():
        if state is rhtmx.State.WAITING:
            client.online()


async def refused(call: Awaitable[object]) -> str:
    """The words of a refusal as too large."""
    with pytest.raises(rhtmx.RhtmxError) as error:
        await call
    assert error.value.code is rhtmx.ErrorCode.TOO_LARGE
    return error.value.message


async def is_taken(call: Callable[[], Awaitable[object]]) -> bool:
    """Whether it is answered; else it is refused as too large."""
    try:
        await call()
    except rhtmx.RhtmxError as error:
        if error.code is not rhtmx.ErrorCode.TOO_LARGE:
            raise
        return False
    return True


@FORMATS
async def test_what_waits_and_is_too_large_is_refused_with_its_size_and_the_limit(
    store: str, tmp_path: Path, form: Format
) -> None:
    path = tmp_path / "client.db"
    async with narrow(store) as app:
        async with rhtmx.connect(app.url, format=form, store=path) as client:
            client.offline()
            for name, data in (("a", "x"), ("big", "ä" * 2_000), ("c", "x")):
                client.push("notes", name, data)
            await client.saved()
        # The next run learns the limit only after the writes were made.
        async with rhtmx.connect(app.url, format=form, store=path) as client:
            assert await client.validate_field("signup", "email", "x")
            await client.push("notes", "d", "x")
            [rejected] = client.rejected
            assert (rejected.entity_id, rejected.data) == ("big", "ä" * 2_000)
            assert "at most 1024 bytes" in rejected.error.message
            assert "this has 4" in rejected.error.message
            assert client.state is rhtmx.State.OPEN
            written = await client.sync("notes")
        assert sorted(each.entity_id for each in written) == ["a", "c", "d"]


@FORMATS
async def test_questions_and_writes_of_every_size_around_the_limit_leave_the_client_connected(
    store: str, form: Format
) -> None:
    async with narrow(store) as app, rhtmx.connect(app.url, format=form) as client:
        taken: dict[str, list[bool]] = {"push": [], "fields": [], "question": []}
        for size in range(780, 1_030):
            text = "x" * size
            for name, call in (
                ("push", partial(client.push, "notes", "1", text)),
                ("fields", partial(client.push_fields, "notes", "2", {"a": text})),
                ("question", partial(client.validate_field, "signup", "email", text)),
            ):
                taken[name].append(await is_taken(call))
        assert client.state is rhtmx.State.OPEN
    for each in taken.values():
        assert each == sorted(each, reverse=True)
        assert {True, False} == set(each)


async def test_a_server_that_comes_back_with_a_smaller_limit_refuses_what_it_had_not_taken(
    tmp_path: Path,
) -> None:
    database = f"sqlite:///{tmp_path / 'server.db'}"
    async with narrow(database, 65_536) as app:
        port = urlsplit(app.url).port or 0
        client = rhtmx.connect(app.url, store=tmp_path / "client.db")
        await client.__aenter__()
        await client.push("notes", "1", "x")
    try:
        big, small = client.push("notes", "big", "x" * 2_000), client.push("notes", "2", "x")
        await client.saved()
        async with narrow(database, 1_024, port):
            client.online()
            assert "at most 1024 bytes" in await refused(big)
            assert (await small).version == 2
    finally:
        await client.close()


@pytest.mark.parametrize("code", [1009, 4502])
@FORMATS
async def test_a_proxy_with_a_limit_of_its_own_costs_the_one_write_that_is_too_large_for_it(
    form: Format, code: int
) -> None:
    async with narrow("memory://", 65_536) as app, Narrow(app.url, 500, code).running() as proxy:
        async with rhtmx.connect(proxy.url, format=form) as client:
            hurry = asyncio.create_task(at_once(client))
            names = ["a", "big", "c", "d"]
            calls = [client.push("notes", n, "x" * 900 if n == "big" else "x") for n in names]
            async with asyncio.timeout(60):
                assert "too large" in await refused(calls.pop(1))
                await asyncio.gather(*calls)
                await refused(client.validate_field("signup", "email", "x" * 900))
                await client.push("notes", "e", "x")
            hurry.cancel()
            assert [each.entity_id for each in client.rejected] == ["big"]
            written = await client.sync("notes")
        assert sorted(each.entity_id for each in written) == ["a", "c", "d", "e"]
        # All of them, then it alone; the same for the question.
        assert proxy.ended == 4


@FORMATS
async def test_a_page_does_the_same(form: Format) -> None:
    async with narrow("memory://") as app, Narrow(app.url, 500, 1009).running() as proxy:
        process = await asyncio.create_subprocess_exec(
            *(node("ws"), str(PROGRAM), app.url, proxy.url, form),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        assert process.returncode == 0, (output + errors).decode()
        told = json.loads(output)
        assert told["server"] == ["a", "too_large", "c", "too_large", "open"]
        assert told["proxy"] == ["a", "too_large", "c", "too_large", "open"]
        assert "1024" in told["words"]
