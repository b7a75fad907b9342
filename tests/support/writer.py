"""A program that writes through a client with a store, and says what is safe. It gets killed.

Called with a URL, the store's file, and the number to begin with; with no
number it only waits until the queue is empty.
"""

from __future__ import annotations

import asyncio
import sys

import rhtmx


def say(word: str, number: int) -> None:
    """Tell the test, before anything else can happen."""
    sys.stdout.write(f"{word} {number}\n")
    sys.stdout.flush()


async def main(url: str, store: str, first: int | None) -> None:
    """Write one record after the other, several in flight."""
    async with rhtmx.connect(url, store=store) as client:
        async for queue in client.queues():
            if first is not None or not queue:
                break
        if first is None:
            return
        tasks = client.collection("tasks")
        calls = set()
        for number in range(first, first + 10_000):
            say("begins", number)
            call = asyncio.create_task(tasks.set(str(number), {"n": number}))
            calls.add(call)
            call.add_done_callback(calls.discard)
            await asyncio.sleep(0)
            if number % 3 == 0:
                await client.saved()
                say("queued", number)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else None))
