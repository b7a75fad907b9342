"""A program that is a member of a room until it is killed: `joiner.py URL`."""

from __future__ import annotations

import asyncio
import sys

import rhtmx


async def main() -> None:
    """Join, and stay."""
    async with rhtmx.connect(sys.argv[1]) as client, client.room("orders/7").joined("joiner"):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
