"""Validators that take long are the loss of whoever asks for them, through every door."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import pytest

import rhtmx
from rhtmx_server import App, Config

PATIENCE = 10.0

Ask: TypeAlias = Callable[[str, str], Coroutine[Any, Any, rhtmx.Validation]]
"""Asks about the value of a field, as of a form instance of its own."""


class World:
    """A server with a validator that blocks and one that does not, and peers.

    Attributes:
        gate: lets those that block go on.
        begun: has one entry for each that has begun.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.app = App(store="memory://", config=Config(port=0, grpc_port=0))
        self.stack = AsyncExitStack()
        form, loop = self.app.form("signup"), asyncio.get_running_loop()

        @form.field("slow")
        def slow(value: str) -> None:
            loop.call_soon_threadsafe(self.begun.put_nowait, None)
            assert self.gate.wait(PATIENCE)

        form.field("quick")(lambda value: None)

    async def peer(self, door: str) -> Ask:
        """One more connection."""
        if door == "grpc":
            trackers = await self.stack.enter_async_context(rhtmx.backend(self.app.grpc_address))
            return lambda field, one: trackers.validate_field("signup", field, one)
        client = await self.stack.enter_async_context(rhtmx.connect(self.app.url))
        return lambda field, one: client.validate_field("signup", field, one, form_instance=one)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    async with world.app, world.stack:
        yield world
        world.gate.set()


@pytest.mark.parametrize("other", ["socket", "grpc"])
@pytest.mark.parametrize("door", ["socket", "grpc"])
async def test_sixty_slow_questions_of_one_peer_make_nobody_else_wait(
    world: World, door: str, other: str
) -> None:
    hostile, good = await world.peer(door), await world.peer(other)
    slow = [asyncio.create_task(hostile("slow", f"{n}")) for n in range(60)]
    async with asyncio.timeout(PATIENCE):
        for _ in range(4):
            await world.begun.get()
        for n in range(20):
            assert await good("quick", f"{n}")
    assert world.begun.empty(), "half of the eight threads, and no more"
    assert not any(task.done() for task in slow)
    world.gate.set()
    assert all(await asyncio.gather(*slow))
