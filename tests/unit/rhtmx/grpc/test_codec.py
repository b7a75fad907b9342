"""Facts about `rhtmx.grpc.codec`."""

from __future__ import annotations

from unittest import mock

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.codec import Codec
from rhtmx.messages import Push, PushAck
from rhtmx.verdict import ConnectionClosed
from rhtmx.wire import encode_message

ACK = PushAck("tasks", "1", 7)


def test_it_writes_and_reads_as_the_wire_does() -> None:
    codec = Codec()
    assert codec.encode(ACK, PushAck) == encode_message(ACK)
    assert codec.decode(encode_message(ACK), PushAck) == ACK
    assert codec.__content_subtype__ == "proto"


def test_the_generated_classes_never_parse() -> None:
    with mock.patch.object(PushAck, "parse", side_effect=AssertionError):
        assert Codec().decode(encode_message(ACK), PushAck) == ACK


def test_what_the_server_garbles_is_its_fault() -> None:
    with pytest.raises(ConnectionClosed, match="this client does not understand") as caught:
        Codec().decode(b"\xff", PushAck)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_what_the_user_garbles_is_a_bad_message() -> None:
    with pytest.raises(RhtmxError) as caught:
        Codec().encode(Push(entity=7), Push)  # type: ignore[arg-type]
    assert not isinstance(caught.value, ConnectionClosed)
