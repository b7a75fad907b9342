"""What a request says of its peer, and what a host application knows of it or has forgotten."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import MisuseError
from rhtmx_server.transports.heads import read_head
from rhtmx_server.transports.requests import (
    FOREIGN_SCOPE,
    HostScope,
    Remote,
    request_of_head,
    request_of_http,
)
from tests.unit.rhtmx_server.transports.heads import heads, of_the_library
from tests.unit.rhtmx_server.transports.test_openings import handshakes


@given(st.one_of(heads, handshakes))
@example(
    b"GET /api/ws?a=1&a=2&b=%e9%20+&c HTTP/1.1\r\nCookie: a=1; b=\xe9\r\nX-One:1\r\n"
    b'Host:a\r\ncookie:a=2; c="3"\r\nx-ONE: \t2 \t\r\nAuthorization: Bearer x\r\n\r\n'
)
def test_whoever_is_asked_is_told_the_same_of_a_head_however_it_was_read(head: bytes) -> None:
    library, ours = of_the_library(head), read_head(head)
    if library is None or ours is None:
        return
    by_library = request_of_http(library, Remote("192.0.2.1"), "websocket")
    by_us = request_of_head(ours, "192.0.2.1")
    for field in fields(by_us):
        one, other = getattr(by_us, field.name), getattr(by_library, field.name)
        assert one == other
        if isinstance(one, dict):
            assert list(one) == list(other)


def test_what_the_host_did_not_put_there_is_a_key_error_that_says_what_to_do() -> None:
    scope = HostScope(session={"name": "ada"})
    assert scope["session"] == {"name": "ada"}
    assert scope.get("user") is None
    with pytest.raises(MisuseError, match="no 'user' into the scope: its middleware") as missing:
        scope["user"]
    assert isinstance(missing.value, KeyError)


def test_who_asks_for_a_page_of_another_site_is_nobody() -> None:
    assert FOREIGN_SCOPE.get("session") is None
    with pytest.raises(RhtmxError, match="of another site do not count") as refused:
        FOREIGN_SCOPE["session"]
    assert refused.value.code is ErrorCode.UNAUTHENTICATED
    assert isinstance(refused.value, KeyError)
