"""Facts about `rhtmx_server.buses.memory`, and the bus of tests on which all goes wrong."""

from __future__ import annotations

import asyncio
from random import Random

from rhtmx_server.buses import MemoryBus, memory
from tests.support.buses import FaultyBus, joining


async def test_buses_of_two_names_do_not_hear_each_other() -> None:
    names = iter(["x", "y", "x"])
    async with joining(lambda: MemoryBus(next(names))) as join:
        a, b, c = await join("a"), await join("b"), await join("c")
        a.bus.announce(b"of x")
        await c.hears(b"of x")
        assert b.heard == []


async def test_nothing_is_heard_within_the_call_that_announces_it() -> None:
    async with joining(lambda: MemoryBus("x")) as join:
        a, b = await join("a"), await join("b")
        a.bus.announce(b"one")
        assert b.heard == []
        await asyncio.sleep(0)
        assert b.heard == [b"one"]


async def test_a_closed_bus_is_not_remembered() -> None:
    async with joining(lambda: MemoryBus("x")) as join:
        await join("a")
        assert len(memory._open) == 1
    assert len(memory._open) == 0


async def test_a_faulty_bus_loses_repeats_and_reorders_as_its_seed_says() -> None:
    async def heard(seed: int) -> list[bytes]:
        async with joining(lambda: FaultyBus("x", Random(seed))) as join:
            a, b = await join("a"), await join("b")
            for number in range(200):
                a.bus.announce(b"%d" % number)
            for _ in range(50):
                await asyncio.sleep(0)
            return b.heard

    first = await heard(1)
    assert first == await heard(1) != await heard(2)
    numbers = [int(each) for each in first]
    assert len(set(numbers)) < 200
    assert len(set(numbers)) < len(numbers)
    assert sorted(numbers) != numbers
