"""Waiting for what no message announces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.support.sockets import PATIENCE


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)
