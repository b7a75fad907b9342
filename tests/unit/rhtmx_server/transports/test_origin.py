"""Which pages may open a WebSocket."""

from __future__ import annotations

import json

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from rhtmx_server.metrics import Metrics
from rhtmx_server.transports.origin import Origins, normalise, refusal

ALLOWED = frozenset({"https://example.com", "http://localhost:8080"})


def handshake(origin: str | None, host: str = "localhost:3000", **more: str) -> Headers:
    headers = Headers({"Host": host}, **more)
    if origin is not None:
        headers["Origin"] = origin
    return headers


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "localhost:3000"),
        ("https://app.example.org", "app.example.org"),
        ("https://app.example.org", "app.example.org:443"),
        ("http://app.example.org:80", "app.example.org"),
        ("HTTP://LocalHost:3000", "localhost:3000"),
        ("http://localhost:3000", "LOCALHOST:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://127.0.0.1:3000", "127.0.0.1:3000"),
    ],
)
def test_a_page_of_the_servers_own_origin_may_connect(origin: str, host: str) -> None:
    assert refusal(handshake(origin, host), frozenset()) is None


@pytest.mark.parametrize(
    "origin", ["https://example.com", "https://EXAMPLE.com:443", "http://localhost:8080"]
)
def test_an_origin_that_was_named_may_connect(origin: str) -> None:
    assert refusal(handshake(origin), ALLOWED) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://example.com.evil.org",
        "https://evilexample.com",
        "https://sub.example.com",
        "https://example.com.",
        "http://example.com",
        "https://example.com:8443",
        "http://localhost",
        "http://localhost:3001",
        "http://localhost:30000",
        "http://127.0.0.1:3000",
        "ftp://localhost:3000",
        "chrome-extension://localhost:3000",
    ],
)
def test_any_other_origin_is_refused_and_told_how_to_be_allowed(origin: str) -> None:
    words = refusal(handshake(origin), ALLOWED)
    assert words is not None
    assert f"--origin {origin}" in words


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "localhost:3000",
        "//localhost:3000",
        "http://",
        "http://localhost:3000/",
        "http://localhost:3000/path",
        "http://localhost:3000?x",
        "http://user@localhost:3000",
        "http://evil.org#@localhost:3000",
        "http://evil.org\\@localhost:3000",
        "http://localhost:3000 ",
        "http://localhost:3000, http://localhost:3000",
        "http://localhost:port",
        "http://localhost:",
        "http://*.example.com",
        "http://bücher.example",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    words = refusal(handshake(origin), ALLOWED)
    assert words is not None
    assert "is not an origin" in words


def test_the_words_for_a_long_origin_stay_short() -> None:
    words = refusal(handshake("x" * 8000), ALLOWED)
    assert words is not None
    assert len(words) < 200


def test_null_is_refused_even_if_the_host_says_null() -> None:
    words = refusal(handshake("null", "null"), ALLOWED)
    assert words is not None
    assert "has no origin" in words


def test_two_origins_are_refused_even_if_both_are_allowed() -> None:
    headers = handshake("https://example.com")
    headers["Origin"] = "https://example.com"
    assert refusal(headers, ALLOWED) == "more than one Origin header"


def test_two_hosts_make_no_origin_the_servers_own() -> None:
    headers = handshake("http://localhost:3000")
    headers["Host"] = "localhost:3000"
    assert refusal(headers, ALLOWED) is not None


@pytest.mark.parametrize("host", ["", "local host", "user@localhost:3000", "localhost:3000/x"])
def test_a_malformed_host_makes_no_origin_the_servers_own(host: str) -> None:
    assert refusal(handshake("http://localhost:3000", host), frozenset()) is not None


def test_without_an_origin_it_is_no_browser_and_may_connect() -> None:
    assert refusal(handshake(None), frozenset()) is None


def test_a_cookie_without_an_origin_is_refused() -> None:
    words = refusal(handshake(None, Cookie="session=1"), ALLOWED)
    assert words is not None
    assert "cookie" in words


def test_a_cookie_of_an_own_page_does_no_harm() -> None:
    assert refusal(handshake("http://localhost:3000", Cookie="session=1"), ALLOWED) is None


def test_normalising_drops_the_default_port_of_its_scheme_only() -> None:
    assert normalise("http://a:80") == "http://a"
    assert normalise("https://a:443") == "https://a"
    assert normalise("http://a:443") == "http://a:443"
    assert normalise("http://a:08080") == "http://a:8080"


def request(origin: str | None, **more: str) -> Request:
    return Request("/api/ws", handshake(origin, **more))


def test_a_refused_handshake_is_answered_with_403_in_words_and_counted() -> None:
    metrics = Metrics()
    response = Origins([], metrics).refuse(request("https://evil.example"))
    assert response is not None
    assert response.status_code == 403
    assert json.loads(response.body)["code"] == "forbidden"
    assert "https://evil.example" in json.loads(response.body)["message"]
    assert b'handshakes_refused_total{reason="origin"} 1.0' in metrics.render()


def test_allowed_origins_may_be_written_in_any_case_and_with_their_port() -> None:
    origins = Origins(["HTTPS://Example.com:443"], Metrics())
    assert origins.refuse(request("https://example.com")) is None


def test_what_is_no_origin_cannot_be_allowed() -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        Origins(["example.com"], Metrics())


def test_only_pages_that_were_named_may_read_from_elsewhere() -> None:
    origins = Origins(["https://example.com"], Metrics())
    assert origins.may_read(request("https://example.com")) == "https://example.com"
    for other in (None, "null", "https://evil.example", "http://localhost:3000"):
        assert origins.may_read(request(other)) is None


def test_on_a_local_server_only_local_names_are_its_own() -> None:
    origins = Origins(["https://example.com"], Metrics(), local=True)
    assert origins.refuse(request("http://localhost:3000", host="localhost:3000")) is None
    assert origins.refuse(request("https://example.com", host="example.com")) is None
    assert origins.refuse(request("http://evil.example:3000", host="evil.example:3000")) is not None
