"""Goes on until there was enough, or nobody reads any more.

Knows tasks, and who reads standard output. Must not know what is printed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from rhtmx.cli.output import Output

__all__ = ["until_enough"]


async def until_enough(
    output: Output, enough: asyncio.Event, *going: Coroutine[Any, Any, None]
) -> None:
    """Run all of these, until one ends or fails.

    Args:
        output: where they print; when whoever reads it goes away, that is enough.
        enough: ends them, too.
        going: what goes on.
    """
    tasks = [asyncio.create_task(each) for each in going]
    tasks.append(asyncio.create_task(_wait(enough)))
    with output.watched(enough.set):
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
