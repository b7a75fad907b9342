"""Nodes on a bus, for tests: what each has heard, and a bus on which everything goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import TypeAlias

from rhtmx_server.buses import MemoryBus
from rhtmx_server.sharing import Bus
from tests.support.waiting import eventually

__all__ = ["FaultyBus", "Join", "Node", "joining"]


class Node:
    """A node of a cluster, and all that it was told.

    Attributes:
        bus: its end of the bus.
        heard: the messages of the others, in order.
        missed: how often it was told that something may be lost.
    """

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: list[bytes] = []
        self.missed = 0

    async def open(self, name: str, cluster: str = "one") -> None:
        """Open its bus."""
        await self.bus.open(cluster, name, self.heard.append, self._miss)

    async def hears(self, *messages: bytes) -> None:
        """Wait until it has heard these, whatever else."""
        await eventually(lambda: set(messages) <= set(self.heard))

    def _miss(self) -> None:
        self.missed += 1


Join: TypeAlias = Callable[..., Awaitable[Node]]
"""Makes a node that is open: of its name and, if it is another one, its cluster."""


@contextlib.asynccontextmanager
async def joining(make: Callable[[], Bus]) -> AsyncIterator[Join]:
    """Nodes, each with a bus of its own; all are closed at the end.

    Args:
        make: makes a bus.
    """
    nodes: list[Node] = []

    async def join(name: str, cluster: str = "one") -> Node:
        node = Node(make())
        nodes.append(node)
        await node.open(name, cluster)
        return node

    try:
        yield join
    finally:
        for each in nodes:
            await each.bus.close()


class FaultyBus(MemoryBus):
    """A bus between nodes of one process that does all that a bus may do.

    What it loses, delays, repeats and reorders is decided by a seed. It says that something may
    be lost now and then, and never when it is.

    Args:
        name: which bus.
        random: decides; one for each node.
        lose: how probable it is that a message is lost.
        repeat: that it comes twice.
        delay: that it comes after those that are sent in the next turns of the loop.
    """

    def __init__(
        self,
        name: str,
        random: Random,
        *,
        lose: float = 0.1,
        repeat: float = 0.1,
        delay: float = 0.2,
    ) -> None:
        super().__init__(name)
        self._random = random
        self._lose, self._repeat, self._delay = lose, repeat, delay

    def receive(self, message: bytes) -> None:
        """Hear a message, or not, or later, or twice."""
        if self._random.random() < self._lose:
            return
        for _ in range(1 + (self._random.random() < self._repeat)):
            turns = self._random.randint(1, 20) if self._random.random() < self._delay else 0
            self._after(turns, message)

    def _after(self, turns: int, message: bytes) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._after, turns - 1, message)
        else:
            super().receive(message)
