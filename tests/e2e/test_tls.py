"""TLS with the Python client, the terminal tool and the TypeScript client in Node."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

import rhtmx
from rhtmx.core.events import State
from rhtmx_server import App, Config
from tests.docs.node import RUN, require_node
from tests.support.certificates import Pair, authority, signed
from tests.support.process import ran
from tests.support.sockets import PATIENCE
from tests.support.terminal import Terminal
from tests.support.tls import client_side, handshakes, server_side, tls_before
from tests.support.waiting import eventually

PROGRAM = Path(__file__).parent / "tls.ts"


class Files(NamedTuple):
    ca: Pair
    other: Pair
    server: Pair
    elsewhere: Pair
    expired: Pair
    client: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = authority(folder, "ca"), authority(folder, "other")
    return Files(
        ca,
        other,
        signed(folder, "server", ca),
        signed(folder, "elsewhere", ca, names="DNS:example.com"),
        signed(folder, "expired", ca, days=-1),
        signed(folder, "client", ca),
        signed(folder, "stranger", other),
    )


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with App(store="memory://", config=Config(port=0), undeclared=True) as app:
        yield app


@pytest.fixture
async def wss(app: App, files: Files) -> AsyncIterator[str]:
    """The server behind TLS."""
    async with tls_before(app.url, server_side(files.server)) as url:
        yield url


async def refusal(url: str, **options: object) -> str:
    """Why there is no connection."""
    with pytest.raises(rhtmx.ConnectionClosed) as caught:
        async with rhtmx.connect(url, **options):  # type: ignore[arg-type]
            pass
    assert caught.value.message.startswith(f"cannot connect to '{url}': ")
    return caught.value.message.partition("': ")[2]


# What works.


@pytest.mark.parametrize("form", ["json", "proto"])
@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_a_python_program_reads_and_writes_over_tls(
    wss: str, files: Files, form: Literal["json", "proto"], scheme: str
) -> None:
    url = wss.replace("wss:", f"{scheme}:")
    async with rhtmx.connect(url, format=form, ssl=client_side(files.ca)) as client:
        tasks = client.collection("tasks")
        assert (await tasks.set("1", {"title": "over TLS"})).version == 1
        await tasks.synced()
        assert [row.data for row in tasks.all()] == [{"title": "over TLS"}]


async def test_an_authority_of_the_systems_settings_is_trusted(
    wss: str, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca.cert))  # OpenSSL's own variable
    async with rhtmx.connect(wss) as client:
        assert client.state is State.OPEN


async def test_the_tool_reads_and_writes_over_tls(wss: str, files: Files) -> None:
    terminal = Terminal(wss)
    ended = await terminal.run("push", "tasks", "7", "n:=1", "--ca", str(files.ca.cert))
    assert (ended.status, ended.err) == (0, "")
    named = Terminal(wss.replace("wss:", "https:"), RHTMX_CA=str(files.ca.cert))
    assert "tasks/7" in (await named.run("sync", "tasks")).out


async def test_a_program_in_node_reads_and_writes_over_tls(
    wss: str, files: Files, tmp_path: Path
) -> None:
    said = await in_node(wss, files.ca, tmp_path)
    assert said == ["open", "version 1"]


async def test_a_lost_connection_over_tls_is_made_again(app: App, files: Files) -> None:
    context = server_side(files.server)
    async with tls_before(app.url, context) as url:
        port = int(url.split(":")[2].split("/")[0])
        client = rhtmx.connect(url, ssl=client_side(files.ca))
        await client.__aenter__()
    async with tls_before(app.url, context, port), asyncio.timeout(PATIENCE):
        assert (await client.push("tasks", "1", 1)).version == 1
    await client.close()


# Who may not be believed.


async def test_a_certificate_that_nobody_here_trusts_is_refused(wss: str, files: Files) -> None:
    words = "its certificate is signed by an authority that nobody here trusts: name the authority"
    assert (await refusal(wss)).startswith(words)
    assert (await refusal(wss, ssl=client_side(files.other))).startswith(words)


async def test_a_certificate_for_another_name_is_refused(app: App, files: Files) -> None:
    async with tls_before(app.url, server_side(files.elsewhere)) as url:
        said = await refusal(url, ssl=client_side(files.ca))
        assert said.startswith("its certificate is for another host name")
        said = await refusal(url.replace("localhost", "127.0.0.1"), ssl=client_side(files.ca))
        assert said.startswith("its certificate is for another address")


async def test_a_certificate_that_has_expired_is_refused(app: App, files: Files) -> None:
    async with tls_before(app.url, server_side(files.expired)) as url:
        said = await refusal(url, ssl=client_side(files.ca))
    assert said.startswith("its certificate has expired: who runs the server has to renew it")


async def test_a_server_without_tls_is_told_from_one_that_is_not_there(app: App) -> None:
    said = await refusal(app.url.replace("ws:", "wss:"), open_timeout=1.0)
    assert said == "no TLS within 1 s: is it a port without TLS, for ws:// instead of wss://?"


async def test_a_server_with_tls_is_told_from_none(wss: str) -> None:
    said = await refusal(wss.replace("wss:", "ws:"))
    assert said.endswith("if it speaks TLS, connect to wss:// instead")


async def test_the_tool_says_it_in_a_line(app: App, wss: str, files: Files) -> None:
    async with tls_before(app.url, server_side(files.expired)) as expired:
        for url, options, words in (
            (wss, (), "signed by an authority that nobody here trusts: name the authority that"),
            (
                wss,
                ("--ca", str(files.other.cert)),
                "signed by an authority that nobody here trusts",
            ),
            (expired, ("--ca", str(files.ca.cert)), "its certificate has expired"),
        ):
            ended = await Terminal(url).run("sync", "tasks", *options)
            assert ended.status == 3
            assert ended.err.startswith(f"error: cannot connect to '{url}': ")
            assert words in ended.err
            assert ended.err.count("\n") == 1


async def test_a_program_in_node_does_not_talk_to_whom_it_does_not_trust(
    app: App, wss: str, files: Files, tmp_path: Path
) -> None:
    said = await in_node(wss, files.other, tmp_path)
    assert said == ["waiting"]
    assert await app.changes.get("tasks", "typescript") is None


# Who the client is.


async def test_a_client_shows_its_certificate_where_it_is_asked(app: App, files: Files) -> None:
    async with tls_before(app.url, server_side(files.server, files.ca)) as url:
        async with rhtmx.connect(url, ssl=client_side(files.ca, files.client)) as client:
            assert (await client.push("tasks", "1", 1)).version == 1
        ca, own = str(files.ca.cert), files.client
        options = ("--ca", ca, "--cert", str(own.cert), "--key", str(own.key))
        assert (await Terminal(url).run("sync", "tasks", *options)).status == 0
        said = await refusal(url, ssl=client_side(files.ca))
        assert "a certificate of this client" in said
        ended = await Terminal(url).run("sync", "tasks", "--ca", ca)
        assert ended.status == 3
        assert "--cert" in ended.err


@pytest.fixture
def asking(files: Files) -> Iterator[str]:
    """A server that asks for a certificate, and says what is wrong with it."""
    with handshakes(server_side(files.server, files.ca)) as url:
        yield url


@pytest.mark.parametrize("who", ["nobody", "stranger"])
async def test_what_the_server_says_of_a_clients_certificate_is_final(
    asking: str, files: Files, who: str, tmp_path: Path
) -> None:
    own = files.stranger if who == "stranger" else None
    said = await refusal(asking, ssl=client_side(files.ca, own))
    alert = "unknown ca" if own else "certificate required"
    assert said.startswith("the server does not take this client's certificate, or asks for one")
    assert alert in said
    store = tmp_path / "replica.db"
    async with rhtmx.connect(asking, ssl=client_side(files.ca, own), store=store) as client:
        states = [state async for state in client.states()]
        assert states[-1] is State.CLOSED
        with pytest.raises(rhtmx.ConnectionClosed, match=alert):
            await client.push("tasks", "1", 1)


# What is tried again, and said.


async def test_a_certificate_that_is_renewed_is_waited_for_and_told(
    app: App, files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trusted = client_side(files.ca)
    async with tls_before(app.url, server_side(files.expired)) as url:
        port = int(url.split(":")[2].split("/")[0])
        client = rhtmx.connect(url, ssl=trusted, store=tmp_path / "replica.db")
        await client.__aenter__()
        written = client.push("tasks", "1", 1)
        await eventually(lambda: client.state is State.WAITING)
        assert client.problem is not None
        assert "has expired" in client.problem.message
        client.online()
        await eventually(lambda: client.state is State.WAITING)
    (warning,) = [each for each in caplog.records if "has expired" in each.getMessage()]
    assert warning.levelname == "WARNING"
    async with tls_before(app.url, server_side(files.server), port):
        client.online()
        async with asyncio.timeout(PATIENCE):
            assert (await written).version == 1
        assert client.problem is None
    await client.close()


async def in_node(url: str, ca: Pair, folder: Path) -> list[str]:
    """What the program says; its source is bundled beside a copy of it."""
    require_node()
    shutil.copy(PROGRAM, folder)
    environ = {"URL": url, "NODE_EXTRA_CA_CERTS": str(ca.cert)}
    return (await ran("node", RUN, folder / PROGRAM.name, environ=environ)).output.split("\n")[:-1]
