"""Files that are served as they are."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from rhtmx_server.transports.static_files import StaticFile, check_pages, scripts

HTML = StaticFile.of("text/html; charset=utf-8", b"<p>hello</p>")
SCRIPT = StaticFile.of("text/javascript", b"1")


def request(**headers: str) -> Request:
    return Request("/", Headers({"Host": "localhost:3000", **headers}))


def policy(host: str) -> str:
    return HTML.serve(Request("/", Headers(Host=host))).headers["Content-Security-Policy"]


def test_a_page_comes_with_its_type_and_a_tag_to_ask_again() -> None:
    response = SCRIPT.serve(request())
    assert response.status_code == 200
    assert response.body == b"1"
    assert response.headers["Content-Type"] == "text/javascript"
    assert response.headers["ETag"] == SCRIPT.tag
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_a_copy_that_is_still_good_is_not_sent_again(form: str) -> None:
    response = SCRIPT.serve(request(**{"If-None-Match": form.format(SCRIPT.tag)}))
    assert response.status_code == 304
    assert response.body == b""
    assert response.headers["ETag"] == SCRIPT.tag


def test_an_old_copy_is_replaced() -> None:
    response = SCRIPT.serve(request(**{"If-None-Match": HTML.tag}))
    assert response.status_code == 200


def test_a_page_may_run_no_inline_script_and_not_be_framed() -> None:
    rules = policy("localhost:3000")
    assert "default-src 'self'" in rules
    assert "frame-ancestors 'none'" in rules
    assert "unsafe" not in rules


def test_a_page_may_open_sockets_to_its_own_host_only() -> None:
    assert "connect-src 'self' ws://localhost:3000 wss://localhost:3000;" in policy(
        "localhost:3000"
    )


@pytest.mark.parametrize("host", ["", "a b", "*", "a; script-src *", "a, b", "user@a"])
def test_a_strange_host_adds_nothing_to_the_policy(host: str) -> None:
    assert "connect-src 'self';" in policy(host)


def test_only_pages_have_a_policy() -> None:
    assert "Content-Security-Policy" not in SCRIPT.serve(request()).headers


def test_the_scripts_for_pages_come_with_the_server() -> None:
    found = scripts()
    assert list(found) == ["/api/client.js", "/api/forms.js"]
    for script in found.values():
        assert script.content_type.startswith("text/javascript")
        assert b"WebSocket" in script.body


@pytest.mark.parametrize("path", ["about", "", "https://example.com/", 7])
def test_a_path_that_nobody_can_ask_for_is_refused_in_words(path: Any) -> None:
    with pytest.raises(ValueError, match=r"pages\[.*\]: a path from '/' on expected"):
        check_pages({path: ("text/html", b"")})


@pytest.mark.parametrize(
    ("page", "got"),
    [
        (b"<p>", "bytes"),
        (("text/html", "<p>"), "str, str"),
        ((b"<p>", "text/html"), "bytes, str"),
        (("text/html",), "str"),
        (("text/html", b"<p>", 3), "str, bytes, int"),
        (None, "NoneType"),
    ],
)
def test_a_page_that_cannot_be_sent_is_refused_in_words(page: Any, got: str) -> None:
    with pytest.raises(TypeError, match=rf"pages\['/'\]: content type and body .*, got {got}$"):
        check_pages({"/": page})


def test_pages_that_can_be_sent_are_taken() -> None:
    check_pages({"/": ("text/html", b""), "/a b/ü": ("text/plain", b"x")})
