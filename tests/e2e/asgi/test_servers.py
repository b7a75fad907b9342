"""What servers make of a mounted app is what the guide says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import rhtmx
from tests.docs.markdown import page, rows
from tests.support.asgi_sites import Host, Site, serving
from tests.support.plain_http import ask
from tests.support.sockets import PATIENCE, raw

MOUNTED = Host("""
from starlette.applications import Starlette
from starlette.routing import Mount
from rhtmx_server import App
site = Starlette(routes=[Mount("/live", App(store="memory://").asgi())])
""")

PROBE = Host(
    """
from json import dumps

told = []

async def site(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            await send({"type": (await receive())["type"] + ".complete"})
    elif scope["type"] == "http":
        body = dumps(told, default=repr).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    else:
        await receive()
        await send({"type": "websocket.accept"})
        told.clear()
        while (event := await receive())["type"] != "websocket.disconnect":
            told.append(event)
            if event.get("text") == "return":
                return
            if event.get("text") == "raise":
                raise ValueError
        told.append(event)
""",
    prefix="",
)
"""No application of ours: what is behind what we do about it."""

TABLE = {
    each["server"].split()[0]: each
    for each in rows(page("docs/guides/asgi.md"), "server", "a refused handshake")
}


PROBED = {
    each["server"]: each
    for each in rows(page("docs/guides/asgi.md"), "server", "the application returns")
}


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
    async with serving(server, MOUNTED, tmp_path) as site:
        url = site.url
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
            site.stops.set()
            await last.socket.wait_closed()
            assert str(last.socket.close_code) == TABLE[server]["a stop with open sockets"]


async def ending(site: Site, word: str) -> str:
    """What a client sees whose application has ended without a close."""
    async with connect(f"ws://127.0.0.1:{site.port}/") as client:
        await client.send(word)
        async with asyncio.timeout(PATIENCE):
            await client.wait_closed()
        return str(client.close_code)


async def stays(site: Site, word: str) -> str:
    """The same, where it sees nothing."""
    async with connect(f"ws://127.0.0.1:{site.port}/") as client:
        await client.send(word)
        await ending(site, "raise")  # by then the server has looked after its applications
        await (await client.ping())
        return "nothing"


async def told(site: Site, end: str) -> tuple[list[dict[str, Any]], Any]:
    """What the application is told at the end of a socket that has sent two empty messages."""
    async with connect(f"ws://127.0.0.1:{site.port}/") as client:
        await client.send("")
        await client.send(b"")
        if end == "vanishes":
            client.transport.abort()
        else:
            await client.close(4000)
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await events(site)
            if found and found[-1]["type"] == "websocket.disconnect":
                return found[:-1], found[-1].get("code", "no code")


async def events(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ask(site.url, "/", Connection="close")).json
    return found


@pytest.mark.parametrize("server", PROBED)
async def test_the_guide_says_what_an_application_meets(server: str, tmp_path: Path) -> None:
    expected = PROBED[server]
    async with serving(server, PROBE, tmp_path) as site:
        returned = stays if expected["the application returns"] == "nothing" else ending
        messages, code = await told(site, "closes")
        assert [each.get("text") or each.get("bytes") or "" for each in messages] == ["", "b''"]
        found = {
            "server": server,
            "the application returns": await returned(site, "return"),
            "it raises": await ending(site, "raise"),
            "the peer vanishes": str((await told(site, "vanishes"))[1]),
            "the peer closes with 4000": str(code),
        }
        assert found == expected
