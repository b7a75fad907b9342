"""The plain HTTP door."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request as Peer
from rhtmx_server.config import Config
from rhtmx_server.transports.bodies import BodyReaders, Streamed
from rhtmx_server.transports.http import Http
from rhtmx_server.transports.requests import Remote

from .conftest import NOW, Server

MakeServer = Callable[..., Server]
PAGES = {"/": ("text/html", b"<p>"), "/demo/app.js": ("text/javascript", b"1")}


class Door:
    """Asks `Http` as a browser would, without a socket."""

    def __init__(self, server: Server, pages: Mapping[str, tuple[str, bytes]] = PAGES) -> None:
        self.ready = True
        self.http = Http(server.services, pages, lambda: self.ready)

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        fields = Headers({"Host": "localhost:3000", **headers})
        return await self.http(Request(path, fields, method))

    async def error(self, path: str, **headers: str) -> tuple[int, str, str]:
        response = await self.ask(path, **headers)
        assert response.headers["Content-Type"] == "application/json"
        body = json.loads(response.body)
        assert body["type"] == "error"
        return response.status_code, body["code"], body["message"]


@pytest.fixture
def door(server: Server) -> Door:
    return Door(server)


async def test_the_process_is_healthy_while_it_runs(door: Door) -> None:
    door.ready = False
    assert (await door.ask("/healthz")).status_code == 200


async def test_it_is_ready_only_while_it_takes_connections(door: Door) -> None:
    assert (await door.ask("/readyz")).status_code == 200
    door.ready = False
    assert (await door.ask("/readyz")).status_code == 503


async def test_metrics_come_in_the_format_of_prometheus(door: Door) -> None:
    response = await door.ask("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE rhtmx_connections gauge" in response.body


@pytest.mark.parametrize("path", ["/api/client.js", "/api/forms.js"])
async def test_the_scripts_for_pages_are_served(door: Door, path: str) -> None:
    response = await door.ask(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    again = await door.ask(path, **{"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


async def test_pages_are_served_with_a_policy(door: Door) -> None:
    response = await door.ask("/?theme=dark")
    assert response.body == b"<p>"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert (await door.ask("/demo/app.js")).body == b"1"


REPEATED = [
    "Host",
    "Origin",
    "Referer",
    "Sec-Fetch-Site",
    "Cookie",
    "Authorization",
    "Accept",
    "Accept-Encoding",
    "If-None-Match",
    "Connection",
    "X-Any",
]


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("path", ["/", "/api/schema", "/api/asyncapi", "/api/sync/a", "/nothing"])
async def test_whatever_a_request_says_twice_it_is_answered(
    make_server: MakeServer, name: str, path: str
) -> None:
    async def nobody(peer: Peer) -> Grant:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "who are you?")

    door = Door(make_server(authenticate=nobody))
    headers = Headers({"Host": "localhost:3000", "Origin": "http://localhost:3000", "Cookie": "a"})
    if name == "Sec-Fetch-Site":  # it is asked for where there is no origin
        del headers["Origin"]
    headers[name] = headers[name] = "http://localhost:3000"
    assert (await door.http(Request(path, headers))).status_code < 500


async def test_an_unknown_path_is_not_found_in_words(door: Door) -> None:
    for path in ("/nothing", "/api", "/api/sync", "/api/sync/a/b", "/healthz/", "//healthz"):
        status, code, message = await door.error(path)
        assert (status, code) == (404, "not_supported")
        assert path in message


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "brew"])
async def test_other_methods_are_refused_with_those_that_work(door: Door, method: str) -> None:
    response = await door.ask("/api/sync/users", method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/client.js", "/api/sync/users", "/nothing"])
async def test_head_has_the_headers_of_get_and_no_body(door: Door, path: str) -> None:
    get, head = await door.ask(path), await door.ask(path, "HEAD")
    assert head.body == b""
    assert head.status_code == get.status_code
    assert head.headers["Content-Length"] == str(len(get.body))


async def test_old_clients_read_records_and_fields(server: Server, door: Door) -> None:
    await server.write("users", "1", b'{"a":1}', "a")
    answer = json.loads((await door.ask("/api/sync/users?since=0")).body)
    assert (answer["entity"], answer["version"]) == ("users", 1)
    assert answer["changes"][0]["data"] == {"a": 1}
    answer = json.loads((await door.ask("/api/field-sync/users?since=0")).body)
    assert answer["changes"][0]["field"] == "a"
    assert (await door.ask("/api/field-sync/users/1/latest")).body == b'{"a":1}'
    assert (await door.ask("/api/field-sync/users/2/latest")).body == b"{}"


async def test_without_since_everything_is_read(server: Server, door: Door) -> None:
    await server.write("users", "1", b"1")
    assert len(json.loads((await door.ask("/api/sync/users")).body)["changes"]) == 1


async def test_names_are_percent_decoded(server: Server, door: Door) -> None:
    await server.write("a/b ü", "x/y", b'{"n":1}')
    path = "/api/field-sync/a%2Fb%20%C3%BC/x%2Fy/latest"
    assert (await door.ask(path)).body == b'{"n":1}'


@pytest.mark.parametrize(
    "path", ["/api/sync/users", "/api/field-sync/users", "/api/field-sync/u/1/latest"]
)
async def test_old_reads_announce_their_end_and_are_counted(
    server: Server, door: Door, path: str
) -> None:
    headers = (await door.ask(path)).headers
    assert headers["Deprecation"].startswith("@")
    assert headers["Link"] == '</api/ws>; rel="successor-version"'
    assert headers["Cache-Control"] == "no-store"
    assert b'rhtmx_legacy_users_total{endpoint="http"} 1.0' in server.services.metrics.render()


@pytest.mark.parametrize(
    "since",
    ["-1", "x", "", "1.0", "1e3", "%2B1", "9007199254740992", "9" * 400, "%D9%A1", "1&since=2"],
)
async def test_a_since_that_is_no_version_is_refused(door: Door, since: str) -> None:
    for kind in ("sync", "field-sync"):
        status, code, message = await door.error(f"/api/{kind}/users?since={since}")
        assert (status, code) == (400, "bad_message")
        assert message.startswith("since: one version from 0")
        assert len(message) < 200


@pytest.mark.parametrize("name", ["", "x" * 256, "%C3%BC" * 128])
async def test_names_of_0_or_256_bytes_are_refused(door: Door, name: str) -> None:
    for path in (
        f"/api/sync/{name}",
        f"/api/field-sync/{name}",
        f"/api/field-sync/{name}/1/latest",
    ):
        status, code, message = await door.error(path)
        assert (status, code) == (400, "bad_message")
        assert message.startswith("entity: 1 to 255 bytes expected")
    status, _, message = await door.error(f"/api/field-sync/users/{name}/latest")
    assert status == 400
    assert message.startswith("entity_id: 1 to 255 bytes expected")


async def test_an_entity_that_was_not_declared_is_not_found(make_server: MakeServer) -> None:
    door = Door(make_server(entities=frozenset({"users"})))
    assert (await door.ask("/api/sync/users")).status_code == 200
    for path in ("/api/sync/posts", "/api/field-sync/posts", "/api/field-sync/posts/1/latest"):
        status, code, _ = await door.error(path)
        assert (status, code) == (404, "unknown_entity")


@pytest.mark.parametrize("path", ["/%", "/%ff", "/api/sync/%zz", "*", "x"])
async def test_a_malformed_target_is_refused_in_words(door: Door, path: str) -> None:
    status, code, _ = await door.error(path)
    assert (status, code) == (400, "bad_message")


async def test_a_page_that_was_allowed_by_name_may_read_from_elsewhere(
    make_server: MakeServer,
) -> None:
    door = Door(make_server(Config(origins=("https://example.com",))))
    allowed = await door.ask("/api/sync/users", Origin="https://example.com")
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert allowed.headers["Vary"] == "Origin"
    for origin in ("https://evil.example", "null"):
        other = await door.ask("/api/sync/users", Origin=origin)
        assert "Access-Control-Allow-Origin" not in other.headers


async def test_where_tokens_are_asked_for_old_reads_need_one(make_server: MakeServer) -> None:
    async def authenticate(request: Peer) -> Grant:
        if request.token != "good":
            raise RhtmxError(ErrorCode.UNAUTHENTICATED, "unknown token")
        return Grant("ada")

    door = Door(make_server(authenticate=authenticate))
    for path in ("/api/sync/users", "/api/field-sync/users", "/api/field-sync/users/1/latest"):
        assert (await door.error(path))[:2] == (401, "unauthenticated")
        for wrong in ("good", "Basic good", "Bearer ", "Bearer bad"):
            assert (await door.error(path, Authorization=wrong))[:2] == (401, "unauthenticated")
        assert (await door.ask(path, Authorization="bearer good")).status_code == 200


async def test_a_token_whose_time_is_over_reads_nothing(make_server: MakeServer) -> None:
    async def authenticate(request: Peer) -> Grant:
        return Grant("ada", NOW + int(request.token))

    door = Door(make_server(authenticate=authenticate))
    assert (await door.ask("/api/sync/users", Authorization="Bearer 1")).status_code == 200
    for late in ("0", "-1"):
        answer = await door.error("/api/sync/users", Authorization=f"Bearer {late}")
        assert answer[:2] == (401, "unauthenticated")


async def test_a_store_that_fails_is_answered_with_503(
    server: Server, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.write("users", "1", b"1")

    async def since(*args: Any, **more: Any) -> Any:
        raise RhtmxError(ErrorCode.STORAGE_FAILED, "the disk does not answer")

    monkeypatch.setattr(server.store, "since", since)
    assert await door.error("/api/sync/users") == (
        503, "storage_failed", "the disk does not answer"
    )  # fmt: skip


async def test_an_unforeseen_failure_is_logged_and_tells_only_an_id(
    server: Server,
    door: Door,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await server.write("users", "1", b"1")

    async def since(*args: Any, **more: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(server.store, "since", since)
    status, code, message = await door.error("/api/sync/users")
    assert (status, code) == (500, "internal")
    assert "secret" not in message
    assert message.split()[-1] in caplog.text


async def test_one_read_too_many_is_told_to_come_again(server: Server, door: Door) -> None:
    await server.write("users", "1", b"1")
    door.http.readers = BodyReaders(most=1)
    first = await door.ask("/api/sync/users")
    assert isinstance(first, Streamed)
    for path in ("/api/sync/users", "/api/field-sync/users", "/api/field-sync/users/1/latest"):
        refusal = await door.ask(path)
        assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "1")
        assert json.loads(refusal.body)["code"] == "too_many_requests"
    assert (await door.ask("/healthz")).status_code == 200
    first.close()
    assert (await door.ask("/api/sync/users")).status_code == 200


async def test_who_is_refused_or_asks_for_the_head_keeps_no_place(
    server: Server, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.write("users", "1", b"1")
    await door.ask("/api/sync/users", "HEAD")
    await door.ask("/api/sync/users?since=x")

    async def since(*args: Any, **more: Any) -> Any:
        raise RhtmxError(ErrorCode.STORAGE_FAILED, "the disk does not answer")

    monkeypatch.setattr(server.store, "since", since)
    assert (await door.ask("/api/sync/users")).status_code == 503
    assert door.http.readers.present == 0


async def test_a_time_out_of_the_apps_own_is_its_failure_and_not_the_servers(
    make_server: MakeServer,
) -> None:
    async def authenticate(request: Peer) -> Grant:
        raise TimeoutError

    door = Door(make_server(authenticate=authenticate))
    status, code, _ = await door.error("/api/sync/users", Authorization="Bearer x")
    assert (status, code) == (500, "internal")


@pytest.mark.parametrize(
    ("site", "known", "status"), [("same-origin", True, 200), ("cross-site", False, 401)]
)
async def test_what_a_host_knows_of_who_asks_counts_where_cookies_do(
    make_server: MakeServer, site: str, known: bool, status: int
) -> None:
    asked: list[Peer] = []

    async def who(peer: Peer) -> Grant:
        asked.append(peer)
        return Grant("ada")

    http = Http(make_server(authenticate=who).services, {}, lambda: True)
    headers = Headers({"Host": "localhost:3000", "Sec-Fetch-Site": site, "Cookie": "id=1"})
    remote = Remote(scope={"session": {"name": "ada"}})
    response = await http(Request("/api/sync/tasks", headers), remote)
    assert response.status_code == status
    assert bool(asked) is known
