"""Heads that are read at one go: as the library reads them, line by line."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from rhtmx_server.transports.heads import read_head
from tests.unit.rhtmx_server.transports.heads import heads, of_the_library
from tests.unit.rhtmx_server.transports.sockets import REQUEST


@given(heads, st.integers(0, 500))
@example(REQUEST, 3)
@example(b"GET / HTTP/1.1\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length:0\r\n\r\n", 0)
def test_any_head_is_read_as_by_the_library_wherever_it_is_cut(head: bytes, cut: int) -> None:
    request, found = of_the_library(head, cut), read_head(head)
    if request is None:
        assert found is None
        return
    assert found is not None
    assert (found.method, found.path, found.protocol) == (
        request.method,
        request.path,
        request.protocol,
    )
    assert found.fields == {name: request.headers.get_all(name) for name in request.headers}
    assert list(found.fields) == list(request.headers)


@pytest.mark.parametrize("count", [MAX_NUM_HEADERS, MAX_NUM_HEADERS + 1])
def test_so_many_headers_are_read_as_the_library_reads(count: int) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * count + b"\r\n"
    found = read_head(head)
    assert (found is None) is (of_the_library(head) is None) is (count > MAX_NUM_HEADERS)
    assert found is None or found.get_all("A") == count * ["b"]


def test_a_head_that_may_have_too_long_a_line_is_left_to_the_library() -> None:
    head = b"GET / HTTP/1.1\r\nA: \r\n\r\n"
    longest = head.replace(b": ", b": " + b"a" * (MAX_LINE_LENGTH - len(head)))
    assert read_head(longest) is not None
    assert read_head(longest.replace(b": ", b": a")) is None


def test_headers_are_found_by_their_names_in_any_case() -> None:
    head = read_head(b"GET / HTTP/1.1\r\nOrigin: a\r\nB: c\r\nORIGIN:d\r\n\r\n")
    assert head is not None
    assert "origin" in head
    assert "oRIGIN" in head
    assert "Host" not in head
    assert head.get_all("Origin") == ["a", "d"]
    assert head.get_all("Host") == []
    assert head.pairs() == [("origin", "a"), ("origin", "d"), ("b", "c")]
