"""A server behind nginx and behind Caddy, with the files of docs/deploy as they stand there.

TLS ends at the proxy, the server is below /live/, and what is buffered and how long a connection
may be idle is left to the proxy's own defaults.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from websockets.exceptions import InvalidStatus

import rhtmx
from rhtmx_server import App, Config, Grant, Request
from tests.support import caddy, nginx
from tests.support.certificates import Pair, authority, signed
from tests.support.plain_http import Answer, take_apart
from tests.support.sockets import PATIENCE, raw
from tests.support.tls import client_side

NAME = "app.example.com"
NGINX_READ_TIMEOUT = 60
"""Seconds: the default of `proxy_read_timeout`. Caddy has no such limit."""


class Files(NamedTuple):
    ca: Pair
    site: Pair


class Proxied(NamedTuple):
    """What runs.

    Attributes:
        address: host and port of the proxy.
        trust: for a client of it.
        app: the server behind it.
    """

    address: str
    trust: ssl.SSLContext
    app: App

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"wss://localhost:{self.port}/live/api/ws"

    @property
    def page(self) -> dict[str, Any]:
        """Options of a bare client that comes by the public name."""
        return {"ssl": self.trust, "host": "127.0.0.1", "port": self.port}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    ca = authority(folder, "ca")
    return Files(ca, signed(folder, "site", ca, names=f"DNS:{NAME},DNS:localhost"))


@pytest.fixture(params=[nginx.running_site, caddy.running], ids=["nginx", "caddy"])
async def proxied(request: pytest.FixtureRequest, files: Files) -> AsyncIterator[Proxied]:
    async with served(request.param, files) as proxied:
        yield proxied


@contextlib.asynccontextmanager
async def served(
    proxy: Callable[..., AbstractContextManager[str]],
    files: Files,
    heartbeat: float = 20,
    authenticate: Callable[[Request], Grant] | None = None,
    **more: str,
) -> AsyncIterator[Proxied]:
    """A server on this machine only, with one public name, and a proxy before it."""
    config = Config(port=0, grpc_port=0, heartbeat=heartbeat, origins=(f"https://{NAME}",))
    own: dict[str, Any] = {} if authenticate is None else {"authenticate": authenticate}
    async with App(store="memory://", undeclared=True, config=config, **own) as app:
        ports = {"server": app.url, "grpc": f"//{app.grpc_address}/"}
        behind = {name: int(url.split("/")[2].rpartition(":")[2]) for name, url in ports.items()}
        with proxy(files.site, **behind, **more) as address:
            yield Proxied(address, client_side(files.ca), app)


async def get(proxied: Proxied, path: str) -> Answer:
    """Ask for a path over TLS."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", proxied.port, ssl=proxied.trust, server_hostname="localhost"
    )
    host = f"localhost:{proxied.port}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        answer = take_apart(await reader.read())
    writer.close()
    return answer


@pytest.mark.parametrize("written", ["json", "proto"])
async def test_what_one_client_pushes_another_reads(
    proxied: Proxied, written: Literal["json", "proto"]
) -> None:
    connected = [rhtmx.connect(proxied.url, ssl=proxied.trust, format=written) for _ in range(2)]
    async with connected[0] as ada, connected[1] as bob:
        changes = bob.changes("notes", since=0)
        # More than a proxy buffers by default.
        long = "x" * 60_000
        for number in range(20):
            await ada.push("notes", str(number), {"text": long})
        async with asyncio.timeout(PATIENCE):
            for number in range(20):
                change = await anext(changes)
                assert (change.entity_id, change.data) == (str(number), {"text": long})


async def test_below_the_prefix_is_all_that_the_server_has_but_its_metrics(
    proxied: Proxied,
) -> None:
    script = await get(proxied, "/live/api/client.js")
    assert (script.status, script.headers["Content-Type"].split(";")[0]) == (200, "text/javascript")
    assert (await get(proxied, "/live/readyz")).status == 200
    assert (await get(proxied, "/live/metrics")).status == 404
    # There is no application here beside it.
    assert (await get(proxied, "/readyz")).status == 502


async def test_a_page_of_the_public_name_may_connect_and_no_other(proxied: Proxied) -> None:
    url = f"wss://{NAME}/live/api/ws"
    async with raw(url, origin=f"https://{NAME}", **proxied.page) as page:
        await page.ask({"type": "hello", "client_id": "ada"}, "welcome")
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        async with raw(url, origin="https://elsewhere.example", **proxied.page):
            pass


@pytest.mark.parametrize("proxy", [nginx.running_site, caddy.running], ids=["nginx", "caddy"])
async def test_authenticate_is_told_the_address_of_the_client_and_not_what_it_claims(
    proxy: Callable[..., AbstractContextManager[str]], files: Files
) -> None:
    told: list[str] = []

    def note(request: Request) -> Grant:
        told.append(request.headers["x-forwarded-for"])
        return Grant("ada")

    async with served(proxy, files, authenticate=note) as proxied:
        claimed = {"X-Forwarded-For": "192.0.2.7"}
        async with raw(proxied.url, ssl=proxied.trust, additional_headers=claimed) as client:
            await client.ask({"type": "hello", "client_id": "ada"}, "welcome")
    assert set(told) == {"127.0.0.1"}


async def test_a_backend_pushes_and_watches_through_grpc(proxied: Proxied, files: Files) -> None:
    address = f"localhost:{proxied.port}"
    async with rhtmx.backend(address, tls=rhtmx.Tls(ca=files.ca.cert)) as backend:
        watch = backend.watch("prices", since=0)
        result = await backend.push("prices", "EURUSD", {"bid": 1.0853})
        assert result.version == 1
        async with asyncio.timeout(PATIENCE):
            async for change in watch:
                assert change.data == {"bid": 1.0853}
                break
        # One request of more than nginx takes of a body by default.
        writes = [rhtmx.Write("prices", str(n), {"text": "x" * 60_000}) for n in range(40)]
        assert [each.version async for each in backend.push_many(writes)] == [*range(2, 42)]


def test_a_heartbeat_comes_before_nginx_takes_a_connection_for_dead() -> None:
    text = nginx.SITE.read_text(encoding="utf-8")
    assert "proxy_read_timeout 60" not in text, "it is the default"
    assert f"proxy_read_timeout is {NGINX_READ_TIMEOUT} s" in text
    assert f"a heartbeat every {Config().heartbeat:.0f} s" in text
    assert 2 * Config().heartbeat < NGINX_READ_TIMEOUT
    assert f"limit_conn rhtmx {Config().connections_per_address};" in text


async def test_an_idle_connection_outlives_the_read_timeout_of_nginx(files: Files) -> None:
    # All thirty times as fast: the timeout, and the heartbeat.
    timeout = NGINX_READ_TIMEOUT // 30
    quick = f"    proxy_read_timeout {timeout}s;\n"
    heartbeat = Config().heartbeat / 30
    async with (
        served(nginx.running_site, files, heartbeat, settings=quick) as proxied,
        raw(proxied.url, ssl=proxied.trust) as client,
    ):
        await client.ask({"type": "hello", "client_id": "ada"}, "welcome")
        pings = 0
        while pings * heartbeat < 2 * timeout:
            async with asyncio.timeout(PATIENCE):
                assert json.loads(await client.socket.recv()) == {"type": "ping"}
            await client.send({"type": "pong"})
            pings += 1
        await client.push("notes", "1", {"text": "still here"})


async def test_clients_go_on_when_the_server_behind_the_proxy_is_back(
    tmp_path: Path, files: Files
) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    port = nginx.free_port()

    def app() -> App:
        return App(store=store, undeclared=True, config=Config(port=port))

    with nginx.running_site(files.site, server=port, grpc=nginx.free_port()) as address:
        url = f"wss://localhost:{address.rpartition(':')[2]}/live/api/ws"
        async with contextlib.AsyncExitStack() as stack:
            async with app():
                client = rhtmx.connect(url, ssl=client_side(files.ca))
                await stack.enter_async_context(client)
                await client.push("notes", "1", {"n": 1})
            # nginx says 502 now.
            waiting = asyncio.create_task(client.push("notes", "2", {"n": 2}))
            async for state in client.states():
                if state.value == "waiting":
                    break
            async with app():
                async with asyncio.timeout(PATIENCE):
                    assert (await waiting).version == 2
