"""What an ASGI server brings, and what it gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.request import Request
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import Admission, Ticket
from rhtmx_server.transports.asgi.door import AsgiDoor
from rhtmx_server.transports.asgi.events import AsgiEvent
from rhtmx_server.transports.endpoints import ENDPOINTS
from tests.unit.rhtmx_server.transports.conftest import Server

FOREIGN = [(b"host", b"app.example"), (b"origin", b"https://evil.example")]
OWN = [(b"host", b"app.example"), (b"origin", b"https://app.example")]


async def nobody(request: Request) -> Grant:
    return GUEST


class Caller:
    """An ASGI server, for one request."""

    def __init__(self, door: AsgiDoor, **scope: Any) -> None:
        self.door = door
        self.scope: dict[str, Any] = {
            "path": "/live/api/ws",
            "root_path": "/live",
            "headers": [(b"host", b"app.example")],
            "client": ("127.0.0.1", 1234),
            **scope,
        }
        self.sent: list[AsgiEvent] = []
        self.events: asyncio.Queue[AsgiEvent] = asyncio.Queue()

    async def send(self, event: AsgiEvent) -> None:
        self.sent.append(event)

    async def open(self, *, denies: bool = True) -> list[AsgiEvent]:
        self.scope["type"] = "websocket"
        self.scope["extensions"] = {"websocket.http.response": {}} if denies else None
        self.events.put_nowait({"type": "websocket.connect"})
        await self.door.websocket(self.scope, self.events.get, self.send)
        return self.sent

    async def ask(self, path: str, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
        self.scope.update(type="http", path=f"/live{path}", method=method)
        await self.door.http(self.scope, self.events.get, self.send)
        start, *bodies = self.sent
        assert [each["more_body"] for each in bodies] == [True] * (len(bodies) - 1) + [False]
        return start["status"], dict(start["headers"]), b"".join(each["body"] for each in bodies)


@pytest.fixture
def make_door(make_server: Callable[..., Server]) -> Callable[..., AsgiDoor]:
    def make(config: Config | None = None, authenticate: Any = nobody) -> AsgiDoor:
        services = make_server(config, authenticate=authenticate).services
        return AsgiDoor(services, ENDPOINTS, {"/": ("text/html", b"<p>" * 50_000)}, lambda: True)

    return make


@pytest.fixture
def door(make_door: Callable[..., AsgiDoor]) -> AsgiDoor:
    return make_door()


async def test_a_page_of_another_site_is_refused_by_a_response(door: AsgiDoor) -> None:
    start, body = await Caller(door, headers=FOREIGN).open()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert json.loads(body["body"])["code"] == "forbidden"


async def test_where_no_response_can_be_sent_a_close_says_why(door: AsgiDoor) -> None:
    accept, close = await Caller(door, headers=FOREIGN).open(denies=False)
    assert accept["type"] == "websocket.accept"
    assert close["code"] == 4504
    assert close["reason"].startswith("pages from https://evil.example may not connect")


async def test_no_socket_is_taken_at_another_path(door: AsgiDoor) -> None:
    start, body = await Caller(door, path="/live/ws").open()
    assert start["status"] == 404
    assert b"'/live/ws': connect to /live/api/ws" in body["body"], "as it is in the host"
    assert b"'/live/ws'" in (await Caller(door).ask("/ws"))[2]


async def test_who_asks_nobody_serves_this_machine_only(
    make_door: Callable[..., AsgiDoor],
) -> None:
    door = make_door(authenticate=None)
    start, body = await Caller(door, client=("192.0.2.1", 1)).open()
    assert start["status"] == 403
    assert "serves its own machine only" in json.loads(body["body"])["message"]
    status, _, _ = await Caller(door, client=("192.0.2.1", 1)).ask("/healthz")
    assert status == 403
    assert (await Caller(door).ask("/healthz"))[0] == 200


async def test_who_asks_nobody_takes_no_name_but_those_of_this_machine(
    make_door: Callable[..., AsgiDoor],
) -> None:
    start, body = await Caller(make_door(authenticate=None), headers=OWN).open()
    assert start["status"] == 403
    words = 'is no name of this machine: Config(origins=["https://app.example"]) allows the page'
    assert words in json.loads(body["body"])["message"]


@pytest.mark.parametrize("open_", [False, True])
async def test_others_may_come_where_they_are_asked_or_all_are_let_in(
    make_door: Callable[..., AsgiDoor], open_: bool
) -> None:
    door = make_door(Config(open=open_), authenticate=None if open_ else nobody)
    assert (await Caller(door, client=("192.0.2.1", 1)).ask("/healthz"))[0] == 200


async def test_a_server_that_is_full_says_when_to_come_again(
    make_server: Callable[..., Server],
) -> None:
    services = make_server(authenticate=nobody).services
    services.admission = Admission(Config(connections=1))
    door, ticket = AsgiDoor(services, ENDPOINTS, {}, lambda: True), Ticket()
    services.admission.enter(ticket, None)
    start, _ = await Caller(door).open()
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"5"
    _, close = await Caller(door).open(denies=False)
    assert close["code"] == ERRORS[ErrorCode.SHUTTING_DOWN].close_code
    services.admission.leave(ticket)
    for _ in range(3):
        assert (await Caller(door).ask("/healthz"))[0] == 200, "each gives its place back"


async def test_what_is_large_is_sent_in_pieces(door: AsgiDoor) -> None:
    caller = Caller(door)
    status, headers, body = await caller.ask("/")
    assert (status, body) == (200, b"<p>" * 50_000)
    assert headers[b"content-length"] == b"150000"
    assert len(caller.sent) > 3


async def test_head_has_the_headers_of_get(door: AsgiDoor) -> None:
    status, headers, body = await Caller(door).ask("/", "HEAD")
    assert (status, headers[b"content-length"], body) == (200, b"150000", b"")


async def test_a_plain_request_to_an_endpoint_is_told_what_is_there(door: AsgiDoor) -> None:
    status, headers, _ = await Caller(door).ask("/api/ws")
    assert (status, headers[b"upgrade"]) == (426, b"websocket")


async def test_nothing_new_begins_while_the_server_stops(door: AsgiDoor) -> None:
    door.stop_accepting()
    start, _ = await Caller(door).open()
    assert start["status"] == 503
    assert (await Caller(door).ask("/healthz"))[0] == 503
