"""Facts about `rhtmx.grpc.codec`."""

from __future__ import annotations

from unittest import mock

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.messages import Envelope, Ping, Push, PushAck
from rhtmx.wire import encode_message

ACK = PushAck("tasks", "1", 7)


def test_it_writes_and_reads_as_the_wire_does() -> None:
    codec = GrpcCodec()
    assert codec.encode(ACK, PushAck) == encode_message(ACK)
    assert codec.decode(encode_message(ACK), PushAck) == ACK
    assert codec.__content_subtype__ == "proto"


def test_the_generated_classes_never_parse() -> None:
    with mock.patch.object(PushAck, "parse", side_effect=AssertionError):
        assert GrpcCodec().decode(encode_message(ACK), PushAck) == ACK


def test_what_the_server_garbles_is_its_fault() -> None:
    with pytest.raises(ConnectionClosed, match="this client does not understand") as caught:
        GrpcCodec().decode(b"\xff", PushAck)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_what_the_user_garbles_is_a_bad_message() -> None:
    with pytest.raises(RhtmxError) as caught:
        GrpcCodec().encode(Push(entity=7), Push)  # type: ignore[arg-type]
    assert not isinstance(caught.value, ConnectionClosed)


@pytest.mark.parametrize("of_tomorrow", [b"\xe2\x12\x03abc", b"\xe8\x12\x07", b""])
def test_a_message_of_a_newer_schema_is_an_empty_envelope(of_tomorrow: bytes) -> None:
    codec, known = GrpcCodec(), Envelope(ping=Ping())
    assert codec.decode(of_tomorrow, Envelope) == Envelope()
    assert codec.decode(of_tomorrow + encode_message(known), Envelope) == known


def test_what_it_does_not_know_is_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    codec = GrpcCodec()
    for _ in range(2):
        codec.decode(b"\xe2\x12\x03abc", Envelope)
    said = "the server is newer than this client: message: message 300"
    assert [each.getMessage() for each in caplog.records] == [said]


@pytest.mark.parametrize("broken", [b"\xff", b"\xe2\x12\x09abc", b"\x72\x02\x0a\x00"])
def test_a_broken_envelope_is_no_message_of_a_newer_schema(broken: bytes) -> None:
    """Also one whose message is known, and wrong: a change without an action."""
    with pytest.raises(ConnectionClosed):
        GrpcCodec().decode(broken, Envelope)
