"""Facts about `rhtmx_server.transports.grpc.framing`."""

from __future__ import annotations

import pytest

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Change, Pong, Push
from rhtmx_server.record_page import RecordPage
from rhtmx_server.trackers.views import change_log
from rhtmx_server.transports.grpc.framing import DIALECT, GLUE, prefixed
from rhtmx_server.transports.grpc.standard import HEALTH, message_class
from tests.unit.rhtmx_server.fakes import push, record


def test_the_prefix_says_not_compressed_and_how_long() -> None:
    assert prefixed(bytes(300))[:5] == b"\x00\x00\x00\x01\x2c"


def test_a_frame_of_the_dialect_is_a_prefixed_envelope() -> None:
    frame = DIALECT.frame(Pong())
    assert frame == prefixed(wire.encode_proto(Pong()))
    assert DIALECT.decode(frame[5:], False) == Pong()


def test_records_become_the_changes_that_frame_would_make_once_for_a_page() -> None:
    records = [record("1", 1), record("2", 2, None)]
    frames = [DIALECT.frame(Change(change=change_log(each))) for each in records]
    assert DIALECT.changes(records) == b"".join(frames)
    page = RecordPage(records)
    assert DIALECT.changes(page) is DIALECT.changes(page)
    assert DIALECT.changes(page) == b"".join(frames)


def test_messages_of_the_schema_go_through_the_strict_codec() -> None:
    assert GLUE.decode(GLUE.encode(push(), Push), Push) == push()
    with pytest.raises(RhtmxError) as caught:
        GLUE.decode(wire.encode_message(push(data=b"1"))[:-1], Push)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_messages_of_grpcs_own_services_go_through_the_engine() -> None:
    kind = message_class(f"{HEALTH}.HealthCheckRequest")
    assert GLUE.decode(GLUE.encode(kind(service="x"), kind), kind).service == "x"
    with pytest.raises(RhtmxError, match="HealthCheckRequest: not valid protobuf"):
        GLUE.decode(b"\xff", kind)
