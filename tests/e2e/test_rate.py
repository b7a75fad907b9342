"""Who sends faster than the server takes it waits, and loses nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Literal

import pytest

import rhtmx
from rhtmx_server import App, Config
from tests.support.programs import TYPESCRIPT, node
from tests.support.sockets import raw

Format = Literal["json", "proto"]
FORMATS = pytest.mark.parametrize("form", ["json", "proto"])
PROGRAM = TYPESCRIPT / "tests" / "support" / "too-fast.mjs"


def slow(store: str, rate: int = 30) -> App:
    """A server that takes so many messages a second, and twice as many at once."""
    app = App(store=store, config=Config(port=0, messages_per_second=rate))
    app.form("signup").field("email", required=True)
    return app


def refused(app: App) -> float:
    value = app.metrics.registry.get_sample_value("rhtmx_rejected_total", {"code": "rate_limited"})
    return value or 0.0


@FORMATS
async def test_a_python_client_writes_all_in_order_and_asks_all(store: str, form: Format) -> None:
    async with slow(store) as app, rhtmx.connect(app.url, format=form) as client:
        writes = [client.push("notes", str(n), {"n": n}) for n in range(60)]
        asked = [client.validate_field("signup", "email", str(n)) for n in range(20)]
        acks = await asyncio.gather(*writes)
        verdicts = await asyncio.gather(*asked)
        assert [ack.version for ack in acks] == list(range(1, 61))
        assert all(verdict.valid for verdict in verdicts)
        assert not client.rejected
        assert refused(app) > 0


@FORMATS
async def test_a_page_writes_all_in_order_and_asks_all(form: Format) -> None:
    async with slow("memory://") as app:
        process = await asyncio.create_subprocess_exec(
            *(node("ws"), str(PROGRAM), app.url, form),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        assert process.returncode == 0, (output + errors).decode()
        told = json.loads(output)
        assert told == {"versions": list(range(1, 61)), "verdicts": [True] * 20, "rejected": 0}
        assert refused(app) > 0


async def test_a_client_without_a_library_is_told_when_to_come_again(store: str) -> None:
    async with slow(store, rate=2) as app, raw(app.url) as client:
        for number in range(4):
            await client.push("notes", str(number), number)
        push = {"type": "push", "entity": "notes", "entity_id": "4", "action": "create", "data": 4}
        error = await client.ask({**push, "request_id": "r"}, "error")
        assert (error["code"], error["request_id"]) == ("rate_limited", "r")
        assert error["retryable"] is True
        assert 0 < error["retry_after"] <= 1000
        assert "send it again" in error["message"]


async def test_subscriptions_that_come_too_fast_are_live_in_the_end(store: str) -> None:
    async with slow(store, rate=8) as app, rhtmx.connect(app.url) as client:
        collections = [client.collection(f"e{number}") for number in range(12)]
        for number in range(len(collections)):
            await app.changes.push(f"e{number}", "1", {"n": number})
        for number, collection in enumerate(collections):
            async for change in collection.changes(since=0):
                assert change.data == {"n": number}
                break
        assert refused(app) > 0
