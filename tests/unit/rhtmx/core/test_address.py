"""Facts about `rhtmx.core.address`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.core.address import checked_headers, shown, websocket_url, without_secrets
from rhtmx.errors import ErrorCode, RhtmxError
from tests.vectors.url_cases import TEXTS, URLS


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("ws://h/api/ws", "ws://h/api/ws"),
        ("http://h:1/api/ws?token=t", "ws://h:1/api/ws?token=t"),
        ("https://h", "wss://h"),
        ("HTTPS://Example.com/A", "wss://Example.com/A"),
        ("WSS://[::1]:3000/api/ws", "wss://[::1]:3000/api/ws"),
        ("wss://ada:pw@h/", "wss://ada:pw@h/"),
        ("ws://bücher.example/ä", "ws://bücher.example/ä"),
    ],
)
def test_urls_of_pages_are_taken_as_well(given: str, used: str) -> None:
    assert websocket_url(given) == used


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "does not begin with ws://"),
        ("localhost:3000", "does not begin with ws://"),
        ("/api/ws", "does not begin with ws://"),
        ("ftp://h/", "does not begin with ws://"),
        ("ws://", "names no host"),
        ("ws:///api/ws", "names no host"),
        ("wss:h", "names no host"),
        ("ws://:3000/", "names no host"),
        ("ws://h:0/", "no port 0"),
        ("ws://h:99999/", "its port is no number from 1 to 65535"),
        ("ws://h:http/", "its port is no number from 1 to 65535"),
        ("ws://x..y/", "its host is no name"),
        (f"wss://{'a' * 64}.example/", "its host is no name"),
        ("ws://ada:p/w@h/", "in a password '/' is written %2F"),
        ("ws://[h/", "its host is no name, nor an IPv6 address in brackets"),
        ("ws://[h]/", "its host is no name, nor an IPv6 address in brackets"),
        ("ws://h/#top", "leave out what begins with '#'"),
        ("ws://h/#", "leave out what begins with '#'"),
        ("ws://ada@h/", "needs a password"),
        ("ws://h/a b", "a space or a control character"),
        ("ws://h/a\r\nX-Evil: 1", "a space or a control character"),
        (" ws://h/", "a space or a control character"),
    ],
)
def test_what_reaches_no_server_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(RhtmxError, match=words) as caught:
        websocket_url(url, "the URL")
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert caught.value.message.startswith("the URL: ws://host:port/api/ws or wss://… expected")


@pytest.mark.parametrize("url", [None, b"ws://h/", 5])
def test_a_url_is_a_text(url: Any) -> None:
    with pytest.raises(RhtmxError, match=r"url: a text expected, got (NoneType|bytes|int)"):
        websocket_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *(each.given for each in URLS if "s3cr3t" in each.given),
        # What Python's parser has to say of these repeats the password.
        *(
            "://ada:s3cr3t\u2100@h/",
            "://ada:[s3cr3t]@h/",
            "://ada:s3cr3t[@h/",
            "://ada:s3cr3t/@h:x/",
        ),
    ],
)
def test_a_refusal_repeats_no_secret(url: str) -> None:
    with pytest.raises(RhtmxError, match="got ") as caught:
        websocket_url(f"x{url}")
    assert "s3cr3t" not in caught.value.message


@pytest.mark.parametrize(("url", "words"), URLS)
def test_what_is_shown_of_a_url_holds_no_secret(url: str, words: str) -> None:
    assert shown(url) == words
    assert "s3cr3t" not in words


@pytest.mark.parametrize(("text", "words"), TEXTS)
def test_what_a_library_says_is_repeated_without_secrets(text: str, words: str) -> None:
    assert without_secrets(text) == words
    assert "s3cr3t" not in words


def test_headers_that_can_be_sent_are_passed() -> None:
    headers = {"Cookie": "a=b; c=d", "X-Name": "Größe\t1", "Origin": ""}
    assert checked_headers(headers) is headers


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Cookie": "s3cr3t\nX-Evil: 1"}, "headers['Cookie']: a line break, or another character"),
        ({"Cookie": "s3cr3t\ud800"}, "headers['Cookie']: a line break, or another character"),
        ({"Cookie": "s3cr3t €"}, "headers['Cookie']: a line break, or another character"),
        ({"Cookie": None}, "headers['Cookie']: a text expected, got NoneType"),
        ({"A: 1\r\nB": "s3cr3t"}, "headers['A: 1\\r\\nB']: the name of a header expected"),
        ({"": "s3cr3t"}, "headers['']: the name of a header expected"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(
    headers: Any, words: str
) -> None:
    with pytest.raises(RhtmxError) as caught:
        checked_headers(headers)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert caught.value.message.startswith(words)
    assert "s3cr3t" not in caught.value.message
