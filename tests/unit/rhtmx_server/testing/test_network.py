"""The line in memory: what each side hears."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosedError

from rhtmx.runtime.handshake import DialError
from rhtmx.wire import Format
from rhtmx_server.testing.network import MemoryEndpoint, MemoryLine, Network
from rhtmx_server.transports.asgi.events import AsgiEvent, AsgiScope, Receive, Send
from tests.support.waiting import eventually


class Server:
    """An ASGI application that echoes, and remembers."""

    def __init__(self) -> None:
        self.scope: AsgiScope = {}
        self.heard: list[AsgiEvent] = []
        self.failed: list[OSError] = []

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        self.scope = scope
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            self.heard.append(event)
            if event.get("text") == "bye":
                await send({"type": "websocket.close", "code": 4001, "reason": "as you wish"})
                return
            try:
                await send({**event, "type": "websocket.send"})
            except OSError as failure:
                self.failed.append(failure)
        self.heard.append(event)


async def dialled(network: Network) -> MemoryLine:
    return await MemoryEndpoint(network, Format.JSON, {"X-Test": "1"}).dial()


async def test_text_and_bytes_go_both_ways() -> None:
    server = Server()
    line = await dialled(Network(lambda: server))
    await line.send(b"text", text=True)
    await line.send(b"\xff", text=False)
    assert [await line.recv(), await line.recv()] == [b"text", b"\xff"]
    assert [event.get("text", event.get("bytes")) for event in server.heard] == ["text", b"\xff"]
    assert (b"x-test", b"1") in server.scope["headers"]
    assert server.scope["subprotocols"] == ["rhtmx.v1.json"]
    await line.close()
    assert server.heard[-1]["code"] == 1000


async def test_the_server_closes_with_a_code_after_what_it_said() -> None:
    server = Server()
    line = await dialled(Network(lambda: server))
    await line.send(b"last", text=True)
    await line.send(b"bye", text=True)
    assert await line.recv() == b"last"
    with pytest.raises(ConnectionClosedError) as closed:
        await line.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "as you wish")
    with pytest.raises(ConnectionClosedError):
        await line.send(b"more", text=True)


async def test_a_cut_is_heard_by_nobody_and_loses_what_is_on_its_way() -> None:
    server = Server()
    network = Network(lambda: server)
    line = await dialled(network)
    await line.send(b"lost", text=True)
    await eventually(lambda: bool(server.heard))
    network.drop()
    with pytest.raises(ConnectionClosedError) as closed:
        await line.recv()
    assert closed.value.rcvd is None
    await line.close()
    assert server.heard[-1]["code"] == 1006


async def test_the_next_answer_is_what_is_lost() -> None:
    server = Server()
    network = Network(lambda: server)
    line = await dialled(network)
    network.drop_at_answer()
    await line.send(b"asked", text=True)
    with pytest.raises(ConnectionClosedError):
        await line.recv()
    await line.close()
    assert [event.get("text") for event in server.heard] == ["asked", None]
    assert len(server.failed) == 1
    again = await dialled(network)
    await again.send(b"asked", text=True)
    assert await again.recv() == b"asked"
    await again.close()


async def test_nobody_connects_while_it_is_down_or_no_server_runs() -> None:
    server, told = Server(), list[str]()
    network = Network(lambda: server)
    network.came_up = lambda: told.append("up")
    network.down()
    with pytest.raises(DialError, match="the network is down"):
        await dialled(network)
    network.up(at_once=False)
    assert told == []
    network.up()
    assert told == ["up"]
    await (await dialled(network)).close()
    with pytest.raises(DialError, match="the server is not running"):
        await dialled(Network(lambda: None))
