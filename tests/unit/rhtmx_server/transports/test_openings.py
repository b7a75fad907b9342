"""Handshakes that are accepted at one go: as the library accepts them, and no others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any, TypeAlias

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

from rhtmx_server.config import Config
from rhtmx_server.transports.answers import SERVER
from rhtmx_server.transports.endpoints import ENDPOINTS
from rhtmx_server.transports.handshakes import Handshakes, path_of
from rhtmx_server.transports.openings import Judge, Openings
from rhtmx_server.transports.origin import Origins
from tests.unit.rhtmx_server.transports.conftest import Server
from tests.unit.rhtmx_server.transports.heads import heads, of_the_library
from tests.unit.rhtmx_server.transports.sockets import REQUEST

NOW = 1_800_000_000
EXTENSIONS = [
    ServerPerMessageDeflateFactory(
        server_no_context_takeover=True,
        client_no_context_takeover=True,
        server_max_window_bits=12,
        compress_settings={"memLevel": 3},
    )
]
KEYS = ["dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA=="]
OFFERS: dict[str, list[str]] = {
    "Upgrade": ["websocket", "WebSocket", "h2c, websocket", "h2c", ", websocket,", ""],
    "Connection": ["Upgrade", "keep-alive, Upgrade", "upgrade", "close", "", "Upgrade;"],
    "Sec-WebSocket-Key": [
        *(KEYS * 6),
        "AAAAAAAAAAAAAAAAAAAAAB==",
        "AAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAA===",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAA_==",
        "AAAA",
        "",
    ],
    "Sec-WebSocket-Version": ["13"] * 6 + ["8", "13, 8", ""],
    "Sec-WebSocket-Protocol": [
        "rhtmx.v1.json",
        "rhtmx.v1.proto",
        "a, rhtmx.v1.proto",
        "a",
        ",",
        "é",
    ],
    "Sec-WebSocket-Extensions": [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10, a; b=c",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=99, permessage-deflate",
        "permessage-deflate; unknown",
        "x-webkit-deflate-frame",
        ";",
        "",
    ],
    "Origin": ["http://localhost", "https://good.example", "https://evil.example", "null", "x"],
    "Cookie": ["a=b"],
    "Host": ["localhost"] * 6 + ["good.example", "localhost:1", ""],
}
CHROMIUM = REQUEST.replace(b"GET /api/ws ", b"GET /api/ws?client_id=a ").replace(
    b"\r\n\r\n",
    b"\r\nOrigin: https://good.example\r\nSec-WebSocket-Protocol: a, rhtmx.v1.proto\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
)
"""The handshake of a browser's client."""

USUAL = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host")


def offers(name: str) -> st.SearchStrategy[list[str]]:
    """The values of one header: mostly the first ones, mostly once, mostly where it must be."""
    value = st.one_of(st.sampled_from(OFFERS[name][:2]), st.sampled_from(OFFERS[name]))
    many = st.lists(value, max_size=2)
    once = value.map(lambda each: [each])
    return st.one_of(once, once, many) if name in USUAL else st.one_of(st.just([]), many)


def handshake(target: str, protocol: str, method: str, values: dict[str, list[str]]) -> bytes:
    lines = [f"{name}: {each}\r\n" for name, several in values.items() for each in several]
    return f"{method} {target} {protocol}\r\n{''.join(lines)}\r\n".encode("iso-8859-1")


handshakes = st.builds(
    handshake,
    st.sampled_from(["/api/ws"] * 4 + ["/api/ws?client_id=a", "/api/sync/ws", "/api/ws/", "/"]),
    st.sampled_from(["HTTP/1.1"] * 6 + ["HTTP/1.0"]),
    st.sampled_from(["GET"] * 6 + ["POST", "HEAD"]),
    st.fixed_dictionaries({name: offers(name) for name in OFFERS}),
)


Accepted: TypeAlias = tuple[bytes, list[object], str | None]
"""What is answered to a handshake, and what is agreed on: the extensions, and the subprotocol."""


def told(extensions: Sequence[Extension]) -> list[object]:
    """What extensions agree in if they do the same."""
    used = [each for each in extensions if isinstance(each, PerMessageDeflate)]
    assert len(used) == len(extensions)
    return [(repr(each), each.compress_settings) for each in used]


class Door:
    """The short way and the long one, of the same server."""

    def __init__(self) -> None:
        services = Server(Config()).services
        origins = Origins(["https://good.example"], services.metrics, local=True)
        self.metrics = services.metrics
        self.handshakes = Handshakes(services, ENDPOINTS, origins)
        judge = Judge(self.handshakes, EXTENSIONS)
        self.openings = Openings(self.handshakes, judge, lambda: NOW * 1_000_000 + 999_999)

    def long_way(self, head: bytes) -> Accepted | None:
        """What the library answers, and what it agrees on, where it accepts."""
        request = of_the_library(head)
        if request is None or self.handshakes.refuse(request) is not None:
            return None
        judge = Judge(self.handshakes, EXTENSIONS)
        response = judge.accept(request)
        if response.status_code != 101:
            return None
        response.headers["Server"] = SERVER
        for name, value in self.handshakes.headers(path_of(request)):
            response.headers[name] = value
        answer = response.serialize()
        date = response.headers["Date"].encode()
        answer = answer.replace(date, formatdate(NOW, usegmt=True).encode())
        return answer, told(judge.extensions), judge.subprotocol

    def short_way(self, head: bytes) -> Accepted | None:
        """The same of the short way."""
        opening = self.openings.accept(head)
        if opening is None:
            return None
        return opening.answer, told(opening.extensions), opening.subprotocol


@given(handshakes)
@example(REQUEST)
@example(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"))
@example(REQUEST.replace(b"/api/ws", b"/api/sync/ws"))
@example(CHROMIUM)
def test_what_is_accepted_and_how_is_the_same_by_both_ways(head: bytes) -> None:
    door = Door()
    assert door.short_way(head) == door.long_way(head)


def test_what_a_client_offers_is_agreed_on_in_one_answer() -> None:
    opening = Door().openings.accept(CHROMIUM)
    assert opening is not None
    assert opening.head.path == "/api/ws?client_id=a"
    assert opening.subprotocol == "rhtmx.v1.proto"
    assert opening.answer.decode().split("\r\n") == [
        "HTTP/1.1 101 Switching Protocols",
        f"Date: {formatdate(NOW, usegmt=True)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover; server_max_window_bits=12",
        "Sec-WebSocket-Protocol: rhtmx.v1.proto",
        f"Server: {SERVER}",
        "",
        "",
    ]


def test_a_judge_has_the_settings_of_the_library() -> None:
    log = logging.getLogger("rhtmx_server.tests")
    settings: dict[str, Any] = {"logger": log}
    assert Judge(Door().handshakes, EXTENSIONS, **settings).logger is log


@given(heads)
def test_what_is_no_handshake_is_not_accepted(head: bytes) -> None:
    assert Door().short_way(head) is None


def test_a_handshake_that_is_refused_is_counted_by_none_but_the_long_way() -> None:
    door = Door()
    evil = REQUEST.replace(b"\r\n\r\n", b"\r\nOrigin: https://evil.example\r\n\r\n")
    assert door.short_way(evil) is None
    assert b"handshakes_refused_total{" not in door.metrics.render()
    assert door.long_way(evil) is None
    assert b'handshakes_refused_total{reason="origin"} 1.0' in door.metrics.render()


def test_each_socket_has_its_own_compression() -> None:
    offer = b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    head = REQUEST.replace(b"\r\n\r\n", offer)
    openings = Door().openings
    one, other = openings.accept(head), openings.accept(head)
    assert one is not None
    assert other is not None
    assert isinstance(one.extensions[0], PerMessageDeflate)
    assert one.extensions[0] is not other.extensions[0]


def test_few_offers_are_remembered_whatever_peers_make_up() -> None:
    door = Door()
    for number in range(1000):
        offer = b"\r\nSec-WebSocket-Protocol: p%d\r\n\r\n" % number
        assert door.openings.accept(REQUEST.replace(b"\r\n\r\n", offer)) is not None
    assert door.openings._agreed.cache_info().currsize == 64
