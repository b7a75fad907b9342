"""A reader that does not read costs no memory, and holds nobody up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from rhtmx_server import App, Config
from tests.support.history import Stream
from tests.support.slow import SlowReader, slow_reader
from tests.support.sockets import PATIENCE, raw

PIECE = "x" * 30_000


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so that no message announces."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def stalled(app: App) -> AsyncIterator[SlowReader]:
    before = figure(app, "subscriptions")
    async with slow_reader(app.url) as client:
        client.send({"type": "subscribe", "entities": ["e"]})
        await eventually(lambda: figure(app, "subscriptions") == before + 1)
        yield client


def figure(app: App, name: str) -> float:
    return app.metrics.registry.get_sample_value(f"rhtmx_{name}") or 0.0


async def fill(app: App, pushes: int) -> None:
    for n in range(pushes):
        await app.changes.push("e", str(n % 10), {"n": n, "piece": PIECE})


async def test_a_slow_reader_falls_back_to_the_store_and_then_gets_the_latest(store: str) -> None:
    app = App(store=store, config=Config(port=0, stall_timeout=60))
    async with app, raw(app.url, max_size=None) as live:
        await live.send({"type": "subscribe", "entities": ["e"]})
        await live.settle()
        async with stalled(app) as slow:
            await fill(app, 600)
            for n in range(600):
                assert (await live.until("change"))["change"]["data"]["n"] == n
            assert figure(app, "lagging_cursors") == 1
            assert figure(app, "outbox_bytes") < 2 * app.config.outbox
            stream, received = Stream("e"), 0
            while stream.position < 600:
                for message in await slow.read():
                    stream.saw(message)
                    received += 1
            assert received < 600
            assert {r["n"] for r in stream.records.values()} == set(range(590, 600))
            await eventually(lambda: figure(app, "lagging_cursors") == 0)
            await fill(app, 1)
            while stream.position < 601:
                for message in await slow.read():
                    stream.saw(message)


async def test_a_reader_without_progress_is_cut_off(store: str) -> None:
    app = App(store=store, config=Config(port=0, stall_timeout=0.05))
    async with app, stalled(app):
        await fill(app, 400)
        await eventually(lambda: figure(app, "stalled_total") == 1)
        await eventually(lambda: figure(app, "subscriptions") == 0)


async def test_a_client_that_pushes_and_does_not_read_is_not_read_either(store: str) -> None:
    app = App(store=store, config=Config(port=0, stall_timeout=60, outbox=4096))
    async with app, slow_reader(app.url) as client:
        entities = [f"e{number}" for number in range(60)]
        for entity in entities:
            for number in range(3):
                await app.changes.push(entity, str(number), {"piece": PIECE})
        for entity in entities:
            client.send({"type": "sync", "entity": entity, "since": 0})
        await eventually(lambda: figure(app, "outbox_bytes") > 4096)
        assert figure(app, "outbox_bytes") < 2_000_000
