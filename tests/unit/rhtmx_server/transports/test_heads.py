"""Heads that are read at one go: as the library reads them, line by line."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from rhtmx_server.transports.heads import end_of_head, read_head
from tests.unit.rhtmx_server.transports.heads import heads, of_the_library
from tests.unit.rhtmx_server.transports.sockets import REQUEST

ENDS = {
    b"GET / HTTP/1.1\r\nA: b\r\n\r\n": 24,
    b"GET / HTTP/1.1\nA: b\n\n": 21,
    b"GET / HTTP/1.1\n\r\n": 17,
    b"GET / HTTP/1.1\r\nA: b\r\n": 0,
    b"\r\n": 2,
    b"\n": 1,
    b"\n\r\n": 3,
    b"\n\n": 2,
    b"": 0,
}


@pytest.mark.parametrize(("head", "end"), ENDS.items())
def test_a_head_ends_with_its_empty_line(head: bytes, end: int) -> None:
    assert end_of_head(head) == end
    assert end_of_head(head + b"more") == end


def test_the_first_of_two_heads_ends_first() -> None:
    assert end_of_head(REQUEST + REQUEST) == len(REQUEST)
    assert end_of_head(b"A\n\nA\n\n") == 3


@pytest.mark.parametrize("head", [head for head, end in ENDS.items() if end > 3])
def test_the_end_of_a_head_is_found_though_it_comes_byte_by_byte(head: bytes) -> None:
    ends = [end_of_head(head[: known + 1], known) for known in range(len(head))]
    assert ends == [0] * (len(head) - 1) + [len(head)]


def test_what_is_known_to_have_no_end_is_not_searched_again() -> None:
    assert end_of_head(b"a\n\r\nmore", 4) == 0
    assert end_of_head(b"a\n\nmore", 4) == 0


@given(heads, st.integers(0, 500))
@example(REQUEST, 3)
@example(b"GET / HTTP/1.1\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nA:\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nA: b:c\r\nB: X\xe9X\r\nC: \xa0d\x85 \t\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length:0\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 0)
@example(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 0)
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
