"""Clients of both languages that whisper to one another, on a server that knows `whisper`.

    python -m tests.house.whispering CLIENT.mjs

The argument is the bundled TypeScript client. Prints a line for each whisper that was heard:
format, of whom, entity and text. Runs in a copy of the tree, see `test_new_message.py`.

Knows the public face of both clients, and what that test adds to it.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any, Literal

import rhtmx
from rhtmx_server import App, Config

PATIENCE = 10.0
"""Seconds; nothing waits so long unless it is broken."""

FORMATS: tuple[Literal["json", "proto"], ...] = ("json", "proto")


class Ear:
    """What a client hears."""

    def __init__(self, client: rhtmx.Client) -> None:
        messages: Any = importlib.import_module("rhtmx.messages")
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self.stop = client.on(messages.Whisper, self._heard.put_nowait)

    async def next(self) -> str:
        """Entity and text of the next whisper."""
        async with asyncio.timeout(PATIENCE):
            told = await self._heard.get()
        return f"{told.entity} {told.text}"


def say(*words: str) -> None:
    """A line for the test."""
    sys.stdout.write(f"{' '.join(words)}\n")


async def main(client: Path) -> None:
    """Run the server, and all of them on it."""
    async with App(store="memory://", config=Config(port=0)) as app:
        for mine, other in (FORMATS, FORMATS[::-1]):
            async with (
                rhtmx.connect(app.url, format=mine) as speaker,
                rhtmx.connect(app.url, format=other) as reader,
                reader.changes("tasks"),
            ):
                whisperer: Any = speaker
                ear = Ear(reader)
                assert whisperer.whisper("users", "not for those who read tasks")
                assert whisperer.whisper("tasks", f"in {mine}")
                say(other, "python", await ear.next())
                await converse(client, app.url, mine, reader, ear)


async def converse(script: Path, url: str, form: str, reader: Any, ear: Ear) -> None:
    """A page's client says that it is there, and what it hears then."""
    node = await asyncio.create_subprocess_exec(
        "node", script, url, form, stdout=asyncio.subprocess.PIPE
    )
    try:
        say(form, "typescript", await ear.next())
        assert reader.whisper("tasks", f"to a page, in {form}")
        async with asyncio.timeout(PATIENCE):
            said, _ = await node.communicate()
        say(form, "typescript", said.decode().strip())
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
