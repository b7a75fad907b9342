"""Plain HTTP on the port of the sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rhtmx_server import App, Config
from tests.support.plain_http import ask, exchange
from tests.support.sockets import raw

PAGES = {"/": ("text/html; charset=utf-8", b"<!doctype html><p>demo")}


@pytest.mark.one_server
async def test_operators_can_ask_how_it_is(app: App) -> None:
    assert (await ask(app.url, "/healthz")).status == 200
    assert (await ask(app.url, "/readyz")).status == 200
    async with raw(app.url) as client:
        await client.ask({"type": "ping"}, "pong")
        metrics = (await ask(app.url, "/metrics")).body
    assert b'rhtmx_connections{endpoint="unified"} 1.0' in metrics
    assert b'rhtmx_messages_received_total{type="ping"} 1.0' in metrics


async def test_the_browser_client_and_pages_are_served() -> None:
    async with App(store="memory://", config=Config(port=0), pages=PAGES) as app:
        script = await ask(app.url, "/api/client.js")
        assert script.status == 200
        assert script.headers["X-Content-Type-Options"] == "nosniff"
        assert len(script.body) == int(script.headers["Content-Length"])
        again = await ask(app.url, "/api/client.js", **{"If-None-Match": script.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        page = await ask(app.url, "/")
        assert page.body == PAGES["/"][1]
        policy = page.headers["Content-Security-Policy"]
        assert app.url.removesuffix("/api/ws") in policy
        assert "unsafe-inline" not in policy


async def test_every_response_ends_the_connection_and_says_so(app: App) -> None:
    for path in ("/healthz", "/nothing", "/api/sync/users?since=x"):
        answer = await ask(app.url, path)
        assert answer.headers.get_all("Connection") == ["close"]
        assert answer.headers.get_all("Content-Length") == [str(len(answer.body))]


async def test_head_sends_no_body(app: App) -> None:
    answer = await ask(app.url, "/healthz", "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "3")


async def test_other_methods_are_refused(app: App) -> None:
    answer = await ask(app.url, "/healthz", "DELETE")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/api/ws", "/api/sync/ws", "/api/field-sync/ws"])
async def test_a_socket_path_without_an_upgrade_says_what_is_missing(app: App, path: str) -> None:
    answer = await ask(app.url, path)
    assert answer.status == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert b"WebSocket" in answer.body
    assert (b"rhtmx.v1.json" in answer.body) is (path == "/api/ws")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.one_server
async def test_a_page_that_is_refused_may_ask_why_and_it_does_not_count(app: App) -> None:
    evil = {"Origin": "https://evil.example"}
    answer = await ask(app.url, "/api/ws", **evil)
    assert answer.status == 403
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    with pytest.raises(InvalidStatus) as refused:
        await connect(app.url, origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.body == answer.body
    assert "Access-Control-Allow-Origin" not in refused.value.response.headers
    metrics = (await ask(app.url, "/metrics")).body
    assert b'rhtmx_handshakes_refused_total{reason="origin"} 1.0' in metrics


async def test_a_page_that_was_named_may_read_that_there_is_nothing_at_its_path() -> None:
    config = Config(port=0, origins=("https://example.com",))
    async with App(store="memory://", config=config) as app:
        named = await ask(app.url, "/api/wss", Origin="https://example.com")
        assert named.status == 404
        assert named.headers["Access-Control-Allow-Origin"] == "https://example.com"
        other = await ask(app.url, "/api/wss", Origin="https://evil.example")
        assert other.status == 403
        assert other.headers["Access-Control-Allow-Origin"] == "*"
        assert b"--origin https://evil.example allows it" in other.body
        for path in ("/healthz", "/metrics", "/"):
            page = await ask(app.url, path, Origin="https://evil.example")
            assert "Access-Control-Allow-Origin" not in page.headers or page.status == 403
        assert (await ask(app.url, "/nothing", Referer="https://evil.example/")).status == 404


async def test_only_pages_of_this_origin_or_of_named_ones_may_connect() -> None:
    config = Config(port=0, origins=("https://example.com",))
    async with App(store="memory://", config=config) as app:
        own = app.url.replace("ws:", "http:").removesuffix("/api/ws")
        for origin in (own, "https://example.com", None):
            async with connect(app.url, origin=origin):  # type: ignore[arg-type]
                pass
        for origin in (
            "https://evil.example", "null", "https://example.com.evil.org",
            "https://evilexample.com", "http://example.com", f"{own}0",
        ):  # fmt: skip
            with pytest.raises(InvalidStatus) as refused:
                await connect(app.url, origin=origin)  # type: ignore[arg-type]
            assert refused.value.response.status_code == 403
            assert b"forbidden" in (refused.value.response.body or b"")
        with pytest.raises(InvalidStatus) as refused:
            await connect(app.url, additional_headers={"Cookie": "session=1"})
        assert refused.value.response.status_code == 403
        metrics = (await ask(app.url, "/metrics")).body
        assert b'rhtmx_handshakes_refused_total{reason="origin"} 7.0' in metrics


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[/api/ws HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_a_malformed_request_leaves_no_trace_in_the_log(
    app: App, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = await exchange(app.url, request_)
    assert response == b"" or response.startswith(b"HTTP/1.1 4")
    assert [record for record in caplog.records if record.exc_info] == []
    assert (await ask(app.url, "/healthz")).status == 200


REBOUND = [
    "evil.example",
    "evil-localhost",
    "xlocalhost",
    "localhost.evil.example",
    "evil.localhost",
]
"""Names that were made to point at this machine; browsers take them for the page's own."""

SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize("path", ["/api/ws", "/api/sync/ws", "/api/field-sync/ws"])
@pytest.mark.one_server
async def test_a_page_whose_name_was_made_to_point_here_opens_no_socket(
    app: App, path: str
) -> None:
    for name in REBOUND:
        for host in (name, f"{name}:3000"):
            answer = await ask(app.url, path, Host=host, Origin=f"http://{host}", **SOCKET)
            assert (answer.status, answer.json["code"]) == (403, "forbidden")
            assert f"--origin http://{host} allows the page" in answer.json["message"]
    port = app.url.split(":")[2].split("/")[0]
    url, own = app.url.replace("/api/ws", path), f"http://127.0.0.1:{port}"
    async with connect(url, origin=own):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(
    "path", ["/api/sync/users?since=0", "/api/field-sync/users", "/api/field-sync/users/1/latest"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_page_whose_name_was_made_to_point_here_reads_nothing(
    app: App, path: str, method: str
) -> None:
    for name in REBOUND:
        for host in (name, f"{name}:3000"):
            answer = await ask(app.url, path, method, Host=host)
            assert answer.status == 403
            if method == "GET":
                assert f"--origin https://{host} allows it" in answer.json["message"]
    for host in ("localhost:3000", "127.0.0.1"):
        assert (await ask(app.url, path, method, Host=host)).status == 200


async def test_only_the_loopback_address_makes_a_server_a_local_one() -> None:
    for host, status in (("127.0.0.1", 403), ("localhost", 403), ("0.0.0.0", 200)):
        async with App(store="memory://", config=Config(port=0, host=host, open=True)) as app:
            assert (await ask(app.url, "/api/sync/users", Host="evil.example")).status == status


async def status_of(url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **options)
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("path", ["/", "/ws", "/api/ws/", "/api/WS", "/healthz", "/api/client.js"])
async def test_a_socket_at_a_wrong_path_is_told_the_right_one_and_logged_once(
    app: App, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = app.url.removesuffix("/api/ws") + path
    for token in ("s3cr3t", "other"):
        status, error = await status_of(f"{url}?token={token}")
        assert (status, error["code"]) == (404, "not_supported")
        assert error["message"] == f"no WebSocket is taken at {path!r}: connect to /api/ws"
    (warning,) = warnings(caplog)
    assert warning == f"a handshake was refused: {error['message']}"
    name = "rhtmx_handshakes_refused_total"
    assert app.metrics.registry.get_sample_value(name, {"reason": "path"}) == 2


async def test_a_plain_request_is_no_socket_at_a_wrong_path(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for upgrade in ("h2c", "websockets", ""):
        assert (await ask(app.url, "/healthz", Upgrade=upgrade)).status == 200
    assert (await ask(app.url, "/healthz", Upgrade="h2c, WebSocket")).status == 404
    assert len(warnings(caplog)) == 1


@pytest.mark.one_server
async def test_a_subprotocol_that_is_not_known_is_logged_once_with_those_that_are(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    offers = (["graphql-ws"], ["graphql-ws"], ["graphql-ws", "mqtt"])
    for offered in offers:
        async with connect(app.url, subprotocols=offered) as socket:  # type: ignore[arg-type]
            assert socket.subprotocol is None
    first, second = warnings(caplog)
    assert "/api/ws speaks rhtmx.v1.json, rhtmx.v1.proto" in first
    assert "offered graphql-ws: it gets none" in first
    assert "Chromium" in first
    assert "offered graphql-ws, mqtt:" in second


async def test_a_known_subprotocol_and_none_are_no_reason_to_warn(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for offered in (["mqtt", "rhtmx.v1.json"], None):
        async with connect(app.url, subprotocols=offered) as socket:  # type: ignore[arg-type]
            assert socket.subprotocol == (offered and "rhtmx.v1.json")
    assert warnings(caplog) == []


async def test_the_old_endpoints_say_that_they_know_no_subprotocol(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    url = app.url.replace("/api/ws", "/api/sync/ws")
    async with connect(url, subprotocols=["rhtmx.v1.json"]):  # type: ignore[list-item]
        pass
    assert any("/api/sync/ws speaks no subprotocol" in words for words in warnings(caplog))


@pytest.mark.one_server
async def test_a_refused_origin_is_logged_once_with_the_option_that_allows_it(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for origin in ("https://evil.example", "https://other.example") * 2:
        status, error = await status_of(app.url, origin=origin)
        assert status == 403
        assert f"--origin {origin} allows it" in error["message"]
    assert warnings(caplog) == [
        "a handshake was refused: pages from https://evil.example may not connect: "
        "--origin https://evil.example allows it",
        "a handshake was refused: pages from https://other.example may not connect: "
        "--origin https://other.example allows it",
    ]


@pytest.mark.one_server
async def test_a_read_for_a_foreign_host_is_logged_once(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert (await ask(app.url, "/api/sync/users", Host="evil.example")).status == 403
    (warning,) = warnings(caplog)
    assert "--origin https://evil.example" in warning
