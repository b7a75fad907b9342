"""A scope as a request, whoever wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server.transports.asgi.scopes import (
    from_elsewhere,
    peer_of,
    remote_of_scope,
    request_of_scope,
)
from rhtmx_server.transports.requests import request_of_http


def scope(path: str, root: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "http", "path": path, "root_path": root, "headers": [], **more}


@pytest.mark.parametrize(
    "made",
    [
        scope("/api/ws"),
        scope("/live/api/ws", "/live"),
        scope("/live/api/ws", "/live/"),
        scope("/live/api/ws", "/live", raw_path=b"/live/api/ws"),
        scope("/api/ws", "/live"),  # the prefix taken away, as some frameworks do
        scope("/api/ws", "/live", raw_path=b"/live/api/ws"),
        scope("/a b/api/ws", "/a b", raw_path=b"/a%20b/api/ws"),
        scope("/api/ws", "", raw_path=b""),
        scope("/api/ws", "", raw_path=None),
        scope("/api/ws", None),  # type: ignore[arg-type]
        scope("/api/ws/", raw_path=b"/live/api/ws"),  # Litestar
        scope("/api/ws/", "/site", raw_path=b"/site/live/api/ws"),
        scope("/live/api/ws", path_remaining="api/ws", raw_path=b"/live/api/ws"),  # Channels
        scope("/live/api/ws", path_remaining="/api/ws"),
        scope("/site/live/api/ws", "/site", path_remaining="api/ws"),
        scope("/live/api/ws", "/live", raw_path=b"/de/live/api/ws"),  # a rewritten path
        scope("/site/live/api/ws", "/site/live", raw_path=b"/live/api/ws"),  # a proxy's prefix
    ],
)
def test_the_path_is_that_without_the_prefix(made: dict[str, Any]) -> None:
    assert request_of_scope(made).path == "/api/ws"


@pytest.mark.parametrize(
    ("made", "prefix"),
    [
        (scope("/api/ws"), ""),
        (scope("/live/api/ws", "/live/"), "/live"),
        (scope("/api/ws/", raw_path=b"/live/api/ws"), "/live"),
        (scope("/live/api/ws", path_remaining="api/ws"), "/live"),
        (scope("/site/live/api/ws", "/site/live", raw_path=b"/live/api/ws"), "/site/live"),
        (scope("/a b/api/ws", "/a b", raw_path=b"/a%20b/api/ws"), "/a b"),
    ],
)
def test_the_prefix_is_told_apart(made: dict[str, Any], prefix: str) -> None:
    assert remote_of_scope(made).prefix == prefix


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (scope("/live", "/live"), "/"),
        (scope("/", raw_path=b"/live"), "/"),
        (scope("/live/api/ws/", "/live", raw_path=b"/live/api/ws/"), "/api/ws/"),
        (scope("//api//ws", raw_path=b"//api//ws"), "//api//ws"),
        (scope("/" * 60_000, raw_path=b"/" * 60_000), "/" * 60_000),
    ],
)
def test_nothing_else_of_a_path_is_changed(made: dict[str, Any], path: str) -> None:
    assert request_of_scope(made).path == path


def test_a_prefix_ends_at_a_slash() -> None:
    assert request_of_scope(scope("/lively/api/ws", "/live")).path == "/lively/api/ws"


def test_what_is_percent_encoded_stays_so() -> None:
    raw = b"/live/api/sync/a%2Fb"
    for made in (
        scope("/live/api/sync/a/b", "/live", raw_path=raw),
        scope("/api/sync/a/b/", raw_path=raw),
        scope("/live/api/sync/a/b", path_remaining="api/sync/a/b", raw_path=raw),
    ):
        assert request_of_scope(made).path == "/api/sync/a%2Fb"


def test_a_path_that_middleware_has_rewritten_counts() -> None:
    made = scope("/api/sync/ü?", raw_path=b"/old", query_string=b"since=4")
    assert request_of_scope(made).path == "/api/sync/%C3%BC%3F?since=4"


def test_several_headers_of_one_name_are_kept() -> None:
    made = scope("/", headers=[(b"origin", b"http://a"), (b"origin", b"http://b")], method="HEAD")
    request = request_of_scope(made)
    assert request.headers.get_all("Origin") == ["http://a", "http://b"]
    assert request.method == "HEAD"


def test_the_program_is_told_the_path_that_was_asked_for_and_what_the_host_knows() -> None:
    made = scope("/live/api/ws", "/live", session={"name": "ada"}, client=["192.0.2.1", "80"])
    asked = request_of_http(request_of_scope(made), remote_of_scope(made), "websocket")
    assert (asked.path, asked.address) == ("/live/api/ws", "192.0.2.1")
    assert asked.scope["session"] == {"name": "ada"}
    assert "ada" not in repr(asked), "what may be a secret is in no log"


@pytest.mark.parametrize(
    ("client", "address", "elsewhere"),
    [
        (None, "", False),
        (("127.0.0.1", 80), "127.0.0.1", False),
        (["::1", "80"], "::1", False),
        (("::ffff:127.0.0.1", 80), "::ffff:127.0.0.1", False),
        (("/run/app.sock", None), "", False),
        (("testclient", 50000), "", False),
        (("192.0.2.1", 80), "192.0.2.1", True),
        (("::ffff:192.0.2.1", 80), "::ffff:192.0.2.1", True),
        (("fe80::1%eth0", 80), "fe80::1%eth0", True),
    ],
)
def test_a_peer_is_on_another_machine_only_by_an_address(
    client: Any, address: str, elsewhere: bool
) -> None:
    assert peer_of(scope("/", client=client)) == address
    assert from_elsewhere(address) is elsewhere
