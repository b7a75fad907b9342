"""Waiting for what no message announces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.sockets import PATIENCE


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)


async def eventually_found(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so that has to be looked up."""
    async with asyncio.timeout(PATIENCE):
        while not await look():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)
