"""A program that writes transactions through a client with a store, and says what is safe.

It gets killed. Called with a URL, the store's file, its name, and the number to begin with; with
no number it only waits until the queue is empty.
"""

from __future__ import annotations

import asyncio
import sys

import rhtmx
from rhtmx import Increment


def say(word: str, number: int) -> None:
    """Tell the test, before anything else can happen."""
    sys.stdout.write(f"{word} {number}\n")
    sys.stdout.flush()


def write(client: rhtmx.Client, name: str, number: int) -> None:
    """Something goes from one account to another, a pair gets another value, and it counts."""
    amount, mark = number % 7 + 1, f"{name}-{number}"
    with client.transaction() as all_of_it:
        all_of_it.patch("orders", "a", {"balance": Increment(-amount)})
        all_of_it.set("orders", "p", {"mark": mark})
        all_of_it.set("lines", "p", {"mark": mark})
        all_of_it.patch("lines", "b", {"balance": Increment(amount)})
        all_of_it.patch("lines", "c", {"votes": Increment(1)})
        all_of_it.set("marks", mark, {"n": number})


async def main(url: str, store: str, name: str, first: int | None) -> None:
    """Write one transaction after the other, several in flight."""
    async with rhtmx.connect(url, store=store) as client:
        async for queue in client.queues():
            if first is not None or not queue:
                break
        if first is None:
            return
        for number in range(first, first + 10_000):
            say("begins", number)
            write(client, name, number)
            await asyncio.sleep(0.003)
            if number % 3 == 0:
                await client.saved()
                say("queued", number)


if __name__ == "__main__":
    url, store, name, *first = sys.argv[1:]
    asyncio.run(main(url, store, name, int(first[0]) if first else None))
