"""Facts about `rhtmx.api.connect`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import rhtmx
from rhtmx.errors import RhtmxError
from rhtmx.messages import Hello
from tests.unit.rhtmx.peer import Peer

MICRO = timedelta(microseconds=1)


async def test_connect_makes_up_an_id_and_takes_a_token(peer: Peer) -> None:
    async with rhtmx.connect(peer.url, token="t1") as one, rhtmx.connect(peer.url) as two:
        assert len(one.client_id) == 32
        assert one.client_id != two.client_id
    hello = peer.heard[0]
    assert isinstance(hello, Hello)
    assert (hello.client_id, hello.token) == (one.client_id, "t1")


async def test_connect_takes_an_id_and_a_format(peer: Peer) -> None:
    async with rhtmx.connect(peer.url, client_id="mine", format="proto") as client:
        assert client.client_id == "mine"
        assert peer.socket is not None
        assert peer.socket.subprotocol == "rhtmx.v1.proto"


async def test_connect_takes_what_gives_the_right_to_an_id(peer: Peer) -> None:
    async with rhtmx.connect(peer.url, client_id="mine", client_secret="hush") as client:
        assert "hush" not in repr(client)
    hello = peer.heard[0]
    assert isinstance(hello, Hello)
    assert (hello.client_id, hello.secret) == ("mine", "hush")


async def test_a_secret_without_an_id_is_a_mistake() -> None:
    with pytest.raises(RhtmxError, match="give both, or neither"):
        rhtmx.connect("ws://localhost", client_secret="hush")


async def test_a_store_and_an_id_exclude_each_other() -> None:
    with pytest.raises(RhtmxError, match="a store has an id of its own"):
        rhtmx.connect("ws://localhost", store="x.db", client_id="mine")


def test_a_token_that_no_server_takes_is_refused_before_it_travels() -> None:
    rhtmx.connect("ws://x", token="t" * 4096)
    with pytest.raises(RhtmxError, match="at most 4096 bytes expected, got 4097"):
        rhtmx.connect("ws://x", token="t" * 4097)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"client_id": "\ud800"}, "connect.client_id: a string holds half of a surrogate pair"),
        ({"client_id": 5}, "connect.client_id: a text expected, got 5"),
        ({"client_id": "c", "client_secret": "a\0b"}, "connect.secret: a string holds a NUL"),
        ({"headers": {"Cookie": "a\nb"}}, "connect: headers['Cookie']: a line break"),
        ({"format": "xml"}, "connect: format: 'json' or 'proto' expected, got 'xml'"),
        ({"store": "sqlite:///a.db"}, "connect: store: the path of a file expected, such as"),
        ({"token": "\ud800"}, "token: a string holds half of a surrogate pair"),
    ],
)
def test_what_cannot_be_sent_or_used_is_refused_in_words(options: Any, words: str) -> None:
    with pytest.raises(RhtmxError) as caught:
        rhtmx.connect("ws://x", **options)
    assert caught.value.message.startswith(words)
