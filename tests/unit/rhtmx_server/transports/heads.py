"""Heads of requests, good and bad, and what the `websockets` library makes of them."""

from __future__ import annotations

from hypothesis import strategies as st
from websockets.http11 import Request
from websockets.server import ServerProtocol

from rhtmx_server.transports.heads import end_of_head

_NAMES = (b"Host", b"Origin", b"Cookie", b"X-One", b"x-one", b"!#$%&'*+-.^_`|~", b"content-length")
_BAD_NAMES = (
    b"",
    b"Ho st",
    b"Host ",
    b" Host",
    b"H\xf6st",
    b"Host\t",
    b"\x00",
    b"Transfer-Encoding",
)
_VALUES = (b"", b"0", b"localhost", b" \t a b\t ", b"a:b: c", b"\xe9\xff", b"0 ", b"a, b")
_BAD_VALUES = (b"\x00", b"a\rb", b"\x7f", b"1", b"a\nb", b"a\r\n b")
_ENDS = (b"\r\n", b"\n", b"\r\r\n", b"")

_fields = st.builds(
    lambda name, value, end: name + b":" + value + end,
    st.sampled_from(_NAMES * 8 + _BAD_NAMES),
    st.sampled_from(_VALUES * 8 + _BAD_VALUES),
    st.sampled_from((b"\r\n",) * 40 + _ENDS),
)
_first_lines = st.builds(
    lambda method, target, protocol, end: b"%b %b %b%b" % (method, target, protocol, end),
    st.sampled_from((b"GET",) * 8 + (b"HEAD", b"", b"G\rT", b"G\xc9T", b"GET ")),
    st.sampled_from(
        (b"/api/ws", b"/api/ws?client_id=a%20b", b"*", b"", b"/\r", b"/\xe9", b"/\x00")
    ),
    st.sampled_from((b"HTTP/1.1",) * 8 + (b"HTTP/1.0", b"HTTP/2", b"", b"http/1.1", b"HTTP/1.1 ")),
    st.sampled_from((b"\r\n",) * 20 + _ENDS),
)


def _altered(head: bytes, at: int, byte: int) -> bytes:
    at %= len(head) + 1
    return head[:at] + bytes((byte,)) + head[at + 1 :]


_built = st.builds(
    lambda first, fields, end: first + b"".join(fields) + end,
    _first_lines,
    st.lists(_fields, max_size=6),
    st.sampled_from((b"\r\n",) * 8 + (b"\n", b"\r\n\r\n")),
)
heads = st.one_of(
    _built,
    st.builds(_altered, _built, st.integers(0, 400), st.integers(0, 255)),
    st.binary(max_size=60).map(lambda noise: noise + b"\r\n\r\n"),
).map(lambda said: said[: end_of_head(said)])
"""Most are nearly right; some are, and some are noise. All have an empty line at their end."""


def of_the_library(head: bytes, cut: int = 0) -> Request | None:
    """What the library reads, in two pieces; `None` where it refuses."""
    protocol = ServerProtocol()
    for piece in (head[:cut], head[cut:]):
        protocol.receive_data(piece)
    requests = protocol.events_received()
    if not requests:
        return None
    (request,) = requests
    assert isinstance(request, Request)
    return request
