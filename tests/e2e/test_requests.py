"""What an app is told of a peer, at each door."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from rhtmx_server import App, Config
from tests.support.asked import Asked
from tests.support.plain_http import ask
from tests.support.sockets import raw


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def app(asked: Asked) -> App:
    config = Config(port=0, grpc_port=0)
    return App(store="memory://", config=config, undeclared=True, authenticate=asked)


def origin(app: App) -> str:
    return f"http://{urlsplit(app.url).netloc}"


async def test_of_a_socket_it_is_told_the_handshake_and_the_token_of_hello(
    app: App, asked: Asked
) -> None:
    async with app:
        headers = {"X-Team": "red", "Cookie": "session=abc; theme=dark"}
        url = f"{app.url}?client_id=c&team=blue"
        async with raw(url, additional_headers=headers, origin=origin(app)) as client:
            await client.ask({"type": "hello", "client_id": "c", "token": "ada"}, "welcome")
    request = asked.last
    assert (request.token, request.transport, request.path) == ("ada", "websocket", "/api/ws")
    assert request.query == {"client_id": "c", "team": "blue"}
    assert request.headers["x-team"] == "red"
    assert request.cookies == {"session": "abc", "theme": "dark"}
    assert request.address == "127.0.0.1"
    assert request.certificate is None


async def test_a_cookie_alone_signs_a_page_in(app: App, asked: Asked) -> None:
    async with app:
        cookie = {"Cookie": "session=ada"}
        async with raw(app.url, additional_headers=cookie, origin=origin(app)) as client:
            await client.ask({"type": "hello"}, "welcome")
            await client.push("tasks", "1", {})
    assert asked.last.token == ""


@pytest.mark.parametrize("page", ["https://evil.example", "null", None])
async def test_a_cookie_of_a_page_that_is_not_allowed_is_not_even_asked_about(
    app: App, asked: Asked, page: str | None
) -> None:
    async with app:
        with pytest.raises(InvalidStatus) as caught:
            async with raw(app.url, additional_headers={"Cookie": "session=ada"}, origin=page):
                raise AssertionError("it was let in")
    assert caught.value.response.status_code == 403
    assert asked.requests == []


async def test_of_a_plain_read_it_is_told_the_same(app: App, asked: Asked) -> None:
    async with app:
        answer = await ask(app.url, "/api/sync/tasks?since=0", Authorization="Bearer ada")
    assert answer.status == 200
    request = asked.last
    assert (request.token, request.transport, request.path) == ("ada", "http", "/api/sync/tasks")
    assert request.query == {"since": "0"}
    assert request.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
    ],
)
async def test_a_cookie_reads_for_a_page_of_this_origin_only(
    app: App, asked: Asked, headers: dict[str, str], status: int
) -> None:
    async with app:
        answer = await ask(app.url, "/api/sync/tasks", Cookie="session=ada", **headers)
    assert answer.status == status
    assert len(asked.requests) == (status == 200)


async def test_a_read_without_anything_is_refused_without_asking(app: App, asked: Asked) -> None:
    async with app:
        assert (await ask(app.url, "/api/sync/tasks")).status == 401
    assert asked.requests == []
