"""What servers make of a mounted app is what the guide says."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import rhtmx
from tests.docs.markdown import page, rows
from tests.support.plain_http import ask
from tests.support.process import OURS, running
from tests.support.sockets import PATIENCE, raw

PROGRAM = """
from starlette.applications import Starlette
from starlette.routing import Mount
from rhtmx_server import App
site = Starlette(routes=[Mount("/live", App(store="memory://").asgi())])
"""

ARGUMENTS = {
    "uvicorn": ("site_app:site", "--port"),
    "hypercorn": ("site_app:site", "--graceful-timeout", "0", "--bind"),
    "granian": ("site_app:site", "--interface", "asgi", "--port"),
    "daphne": ("site_app:site", "--port"),
}

TABLE = {
    each["server"].split()[0]: each
    for each in rows(page("docs/guides/asgi.md"), "server", "a refused handshake")
}


@contextlib.asynccontextmanager
async def serving(server: str, folder: Path) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of a mounted app under a server; setting the event has that stop."""
    if importlib.util.find_spec(server) is None:
        pytest.skip(f"no {server}")
    (folder / "site_app.py").write_text(PROGRAM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = f"127.0.0.1:{port}" if server == "hypercorn" else port
    path = ":".join([str(folder), OURS, *filter(None, sys.path)])
    command = (sys.executable, "-m", server, *ARGUMENTS[server], where)
    stops = asyncio.Event()
    async with running(*command, folder=folder, environ={"PYTHONPATH": path}) as process:
        await listening(int(port))

        async def stop() -> None:
            await stops.wait()
            process.terminate()

        stopping = asyncio.create_task(stop())
        yield f"ws://127.0.0.1:{port}/live/api/ws", stops
        stopping.cancel()


async def listening(port: int) -> None:
    """Wait until somebody listens."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0)


async def refused(url: str) -> str:
    """What a page of another site gets."""
    try:
        async with connect(url, origin="http://evil.example") as client:  # type: ignore[arg-type]
            await client.wait_closed()
            return f"accepted, then closed with {client.close_code}"
    except InvalidStatus as answer:
        words = (
            "with the reason" if b"may not connect" in answer.response.body else "without a word"
        )
        return f"{answer.response.status_code}, {words}"


@pytest.mark.parametrize("server", TABLE)
async def test_the_guide_says_what_a_server_does(server: str, tmp_path: Path) -> None:
    async with serving(server, tmp_path) as (url, stops):
        async with rhtmx.connect(url) as client:
            await client.collection("a/b").set("1", {"done": False})
        assert (await ask(url, "/live/api/sync/a%2Fb", Connection="close")).json["version"] == 1
        assert await refused(url) == TABLE[server]["a refused handshake"]
        async with connect(url.replace("/api/ws", "/api/sync/ws")) as old:
            assert old.response is not None
            arrive = "arrive" if "Deprecation" in old.response.headers else "are lost"
        assert arrive == TABLE[server]["deprecation headers"]
        async with connect(url) as client_of_much:
            await client_of_much.send("x" * 70_000)
            await client_of_much.wait_closed()
            assert client_of_much.close_code == 4502
            arrives = "arrives" if client_of_much.close_reason else "is lost"
        assert arrives == TABLE[server]["the reason of a close"]
        async with raw(url) as last:
            await last.settle()
            stops.set()
            await last.socket.wait_closed()
            assert str(last.socket.close_code) == TABLE[server]["a stop with open sockets"]
