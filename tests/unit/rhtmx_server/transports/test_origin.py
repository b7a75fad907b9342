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
        "nullx",
        "xnull",
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
    assert words.startswith(f"'{'x' * 80}' is not an origin")


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
    for other in (
        None, "null", "", "https://evil.example", "http://localhost:3000", "http://example.com",
        "https://example.com.evil.example", "https://example.com:8443", "https://example.co",
        "https://sub.example.com", "https://evilexample.com", "https://example.com.",
    ):  # fmt: skip
        assert origins.may_read(request(other)) is None
    twice = request("https://example.com")
    twice.headers["Origin"] = "https://example.com"
    assert origins.may_read(twice) is None


# DNS rebinding: a page whose name was made to point at this machine.

LOCAL = [
    "localhost", "localhost:3000", "LocalHost", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:3000",
]  # fmt: skip

FOREIGN = [
    # after, before and inside of a local name
    "evil-localhost", "xlocalhost", "evil.localhost", "localhost.evil.example", "localhostx",
    "localhost-evil.example", "local", "host", "ocalhos", "localhost.localdomain", "localhost.",
    ".localhost", "local.host",  "evil.example",
    # addresses that look like it
    "127.0.0.1.evil.example", "evil127.0.0.1", "1127.0.0.1", "127.0.0.11", "127.0.0.2", "127.0.0",
    "127.1", "0.0.0.0", "2130706433", "127.0.0.1.", "127-0-0-1",
    "[::]", "[::11]", "[1::1]", "[0::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
]  # fmt: skip
"""Hosts that are none of this machine's, however much they look like it."""

MALFORMED = [
    "", ":3000", "localhost:3000.evil.example", "::1", "::1:3000", "[::1", "::1]",
    "[::1]evil.example", "[::1].evil.example",
    "localhost:", "localhost:port", "localhost:3000:3000", "localhost:123456", "user@localhost",
    "localhost@evil.example", "evil.example@localhost", "localhost/evil.example",
    "evil.example/localhost", "localhost#evil.example", "localhost?evil.example",
    "localhost,evil.example", "localhost evil.example", " localhost", "localhost ", "localhost\\",
    "localhost%00.evil.example", "loc\xe4lhost", "[localhost]", "*", "*.localhost",
]  # fmt: skip


def local(*allowed: str) -> Origins:
    return Origins(allowed, Metrics(), local=True)


@pytest.mark.parametrize("host", LOCAL)
def test_a_local_server_takes_pages_and_reads_of_its_own_names(host: str) -> None:
    own = f"http://{host}"
    assert local().refuse(request(own, host=host)) is None
    assert local().foreign_host(Headers(Host=host)) is None


@pytest.mark.parametrize("host", [*FOREIGN, *(f"{host}:3000" for host in FOREIGN)])
def test_a_local_server_takes_no_page_of_another_name_though_it_asks_for_itself(host: str) -> None:
    for scheme in ("http", "https"):
        origin = f"{scheme}://{host}"
        response = local("https://example.com").refuse(request(origin, host=host))
        assert response is not None
        assert response.status_code == 403
        message = json.loads(response.body)["message"]
        assert message == f"{origin} is no name of this machine: --origin {origin} allows the page"


@pytest.mark.parametrize("host", [*FOREIGN, *(f"{host}:3000" for host in FOREIGN), *MALFORMED])
def test_a_local_server_answers_no_read_for_another_name(host: str) -> None:
    words = local("https://example.com").foreign_host(Headers(Host=host))
    assert words == f"Host {host!r} is no name of this machine: --origin https://{host} allows it"


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com.evil.example", "https://example.com:8443", "https://example.co",
        "https://sub.example.com", "https://evilexample.com", "http://example.com",
        "https://example.com.",
    ],
)  # fmt: skip
def test_a_page_whose_name_looks_like_an_allowed_one_is_no_exception(origin: str) -> None:
    response = local("https://example.com").refuse(request(origin, host=origin.partition("://")[2]))
    assert response is not None
    assert "is no name of this machine" in json.loads(response.body)["message"]


@pytest.mark.parametrize("host", MALFORMED)
def test_what_is_no_host_makes_no_page_an_own_one(host: str) -> None:
    for origin in (f"http://{host}", "http://localhost:3000"):
        assert local().refuse(request(origin, host=host)) is not None


def test_a_read_names_its_host_once() -> None:
    assert local().foreign_host(Headers()) is not None
    twice = Headers(Host="localhost")
    twice["Host"] = "localhost"
    words = local().foreign_host(twice)
    assert words is not None
    assert words.startswith("Host 'localhost' is no name")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("https://example.com", "example.com"),
        ("https://example.com", "EXAMPLE.com"),
        ("https://example.com", "example.com:443"),
        ("http://example.com", "example.com:80"),
        ("http://example.com:8080", "example.com:8080"),
        ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
    ],
)
def test_a_local_server_answers_reads_for_a_name_that_was_allowed(allowed: str, host: str) -> None:
    assert local("https://other.example", allowed).foreign_host(Headers(Host=host)) is None
    scheme = allowed.partition(":")[0]
    assert local(allowed).refuse(request(f"{scheme}://{host}", host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "example.com:80", "example.com:8443", "sub.example.com", "evilexample.com", "example.com.",
        "example.com.evil.example", "example.co", "xample.com", "com", "example.com:44", "desktop",
    ],
)  # fmt: skip
def test_an_allowed_name_allows_no_read_for_one_that_looks_like_it(host: str) -> None:
    origins = local("https://example.com", "app://desktop")
    assert origins.foreign_host(Headers(Host=host)) is not None


@pytest.mark.parametrize("host", [*LOCAL, *FOREIGN, *MALFORMED])
def test_a_server_for_other_machines_answers_reads_for_any_name(host: str) -> None:
    assert Origins([], Metrics()).foreign_host(Headers(Host=host)) is None


def test_a_server_for_other_machines_takes_pages_of_whatever_name_it_has() -> None:
    origins = Origins([], Metrics())
    assert origins.refuse(request("https://evil.example", host="evil.example")) is None
    assert origins.refuse(request("https://evil.example", host="example.com")) is not None


def test_a_program_without_an_origin_is_no_page_and_may_connect_to_a_local_server() -> None:
    assert local().refuse(request(None, host="evil.example")) is None


def test_the_words_for_a_long_host_stay_short() -> None:
    words = local().foreign_host(Headers(Host="x" * 8000))
    host = "x" * 80
    assert words == f"Host '{host}' is no name of this machine: --origin https://{host} allows it"


def test_each_refused_origin_and_host_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    origins = local()
    for _ in range(2):
        for name in ("a.example", "b.example"):
            origins.refuse(request(f"https://{name}", host="localhost"))
            origins.refuse(request(f"https://{name}", host="localhost", Cookie="s=1"))
            origins.foreign_host(Headers(Host=name))
    said = [record.message for record in caplog.records]
    assert len(said) == 4
    for name in ("a.example", "b.example"):
        option = f"--origin https://{name} allows it"
        page = f"pages from https://{name} may not connect: {option}"
        read = f"Host '{name}' is no name of this machine: {option}"
        assert f"a handshake was refused: {page}" in said
        assert f"a read was refused: {read}" in said


def test_there_is_an_end_to_the_origins_that_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    origins = Origins([], Metrics())
    for number in range(200):
        origins.refuse(request(f"https://{number}.example"))
    assert len(caplog.records) == 101
    assert caplog.records[-1].message.startswith("100 different origins were refused")


def test_what_is_taken_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    origins = local("https://example.com")
    origins.refuse(request("http://localhost:3000"))
    origins.refuse(request("https://example.com"))
    origins.foreign_host(Headers(Host="localhost"))
    assert caplog.records == []


def explained(
    headers: dict[str, str] | list[tuple[str, str]],
    origins: tuple[str, ...] = (),
    *,
    local: bool = False,
) -> str | None:
    metrics = Metrics()
    response = Origins(origins, metrics, local=local).explain(Headers(headers))
    assert b'handshakes_refused_total{reason="origin"}' not in metrics.render()
    if response is None:
        return None
    assert response.status_code == 403
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    message: str = json.loads(response.body)["message"]
    return message


@pytest.mark.parametrize("name", ["Origin", "Referer"])
def test_a_page_that_asks_plainly_is_told_why_it_is_refused_and_not_counted(name: str) -> None:
    evil = "https://evil.example"
    words = explained({"Host": "localhost:3000", name: evil})
    assert words == f"pages from {evil} may not connect: --origin {evil} allows it"
    assert explained({"Host": "x", name: evil}, (evil,)) is None
    assert explained({"Host": "evil.example", name: evil}) is None


def test_the_origin_counts_and_not_where_the_page_was_referred_from() -> None:
    headers = {"Host": "a.example", "Origin": "https://a.example", "Referer": "https://b.example/x"}
    assert explained(headers) is None


@pytest.mark.parametrize(
    ("referer", "refused"),
    [("https://b.example/path?to=x", True), ("", False), ("about:blank", False), ("/path", False)],
)
def test_of_the_referrer_only_the_origin_counts(referer: str, refused: bool) -> None:
    assert (explained({"Host": "a.example", "Referer": referer}) is not None) is refused


def test_of_several_referrers_none_counts() -> None:
    referers = [("Referer", "https://evil.example/"), ("Referer", "https://a.example/")]
    assert explained([("Host", "a.example"), *referers]) is None
    assert explained([("Host", "a.example"), ("Origin", "https://evil.example"), *referers])


@pytest.mark.parametrize(
    ("sites", "count"),
    [
        ([], True),
        (["none"], True),
        (["same-origin", "same-origin"], True),
        (["same-origin", "cross-site"], False),
        (["cross-site", "same-origin"], False),
        (["same-origin, cross-site"], False),
        ([""], False),
    ],
)
def test_cookies_count_where_nothing_says_that_the_page_is_of_another_site(
    sites: list[str], count: bool
) -> None:
    headers = Headers([("Host", "a.example"), *(("Sec-Fetch-Site", site) for site in sites)])
    assert Origins([], Metrics()).cookies_count(headers) is count


def test_a_page_whose_name_was_made_to_point_here_is_told_so() -> None:
    own = "http://box.test:3000"
    words = explained({"Host": "box.test:3000", "Referer": f"{own}/"}, local=True)
    assert words == f"{own} is no name of this machine: --origin {own} allows the page"


def test_who_asks_with_a_cookie_and_no_origin_is_not_told_of_cookies() -> None:
    assert explained({"Host": "a.example", "Cookie": "session=1"}) is None
