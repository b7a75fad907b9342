"""Clients of both languages that whisper to one another, on a server that knows that and `echo`.

    python -m tests.house.whispering SCRIPT

The argument is the script of the TypeScript client. Prints a line for each thing that came of it.
Runs in a copy of the tree, see `test_new_message.py`.

Knows the public face of both clients, and what that test adds to it.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Any, Literal

from websockets.asyncio.client import connect

import rhtmx
from rhtmx_server import App, Config

PATIENCE = 10.0
"""Seconds; nothing waits so long unless it is broken."""

FORMATS: tuple[Literal["json", "proto"], ...] = ("json", "proto")

PONG = '{"type":"pong"}'


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


def say(who: str, what: str) -> None:
    """A line for the test."""
    sys.stdout.write(f"{who}: {what}\n")


async def main(script: Path) -> None:
    """Run the server, and all of them on it."""
    app = App(store="memory://", config=Config(port=0))
    app.entity("tasks")
    app.entity("users")
    async with app:
        for mine, other in (FORMATS, FORMATS[::-1]):
            async with (
                rhtmx.connect(app.url, format=mine) as client,
                rhtmx.connect(app.url, format=other) as reader,
                reader.changes("tasks"),
            ):
                speaker: Any = client
                ear = Ear(reader)
                assert speaker.whisper("users", "not for those who read tasks")
                assert speaker.whisper("tasks", f"in {mine}")
                say("python", await ear.next())
                say("a page without our client", await overheard(app.url, speaker))
                assert await ear.next() == "tasks not for a page without our client"
                say("python asked", await speaker.echo(f"again in {mine}"))
                say("python was refused", await refused(speaker))
                await converse(script, app.url, mine, speaker, ear)


async def overheard(url: str, speaker: Any) -> str:
    """What one hears who says no `hello`."""
    async with connect(url) as page:
        await page.send('{"type":"subscribe","entities":["tasks"]}')
        await page.send('{"type":"ping"}')
        assert await page.recv() == PONG
        assert speaker.whisper("tasks", "not for a page without our client")
        await speaker.echo("and that was handled")
        await page.send('{"type":"ping"}')
        said = await page.recv()
    return "nothing" if said == PONG else str(said)


async def refused(speaker: Any) -> str:
    """What comes of a whisper that the server refuses: the subscription after it stands."""
    log = logging.getLogger("rhtmx")
    told = logging.handlers.BufferingHandler(10)
    log.addHandler(told)
    try:
        assert speaker.whisper("nowhere", "to nobody")
        async with speaker.changes("tasks"):
            (record,) = told.buffer
    finally:
        log.removeHandler(told)
    return record.getMessage().removeprefix("the server reports: ")


async def converse(script: Path, url: str, form: str, speaker: Any, ear: Ear) -> None:
    """A page's client says that it is there, and what it hears and is answered then."""
    node = await asyncio.create_subprocess_exec(
        "node", script, url, form, stdout=asyncio.subprocess.PIPE
    )
    try:
        say("python", await ear.next())
        assert speaker.whisper("tasks", f"in {form}")
        async with asyncio.timeout(PATIENCE):
            said, _ = await node.communicate()
        say("typescript", said.decode().strip())
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
