"""Messages and pages in the frames of a WebSocket peer."""

from __future__ import annotations

import pytest
from websockets.frames import Opcode

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Ping, Pong
from rhtmx.wire import Format
from rhtmx_server.encoding.render import field_changes, state_messages
from rhtmx_server.encoding.wire_dialect import wire_dialect
from rhtmx_server.model import DELETED, Clock
from rhtmx_server.record_page import FieldFrames, RecordPage
from tests.support.frames import parse_frame
from tests.unit.rhtmx_server.fakes import NOW, RECORDS, record

BITS = 12
LONG = Error(message="word " * 400)


@pytest.mark.parametrize(
    ("format_", "opcode"), [(Format.JSON, Opcode.TEXT), (Format.PROTO, Opcode.BINARY)]
)
def test_json_goes_out_as_text_and_protobuf_as_binary(format_: Format, opcode: Opcode) -> None:
    read = parse_frame(wire_dialect(format_, 0, 6, 1024).frame(Pong()))
    assert read.opcode is opcode
    assert wire.decode(bytes(read.data), format_) == Pong()


def test_without_compression_a_long_message_is_plain() -> None:
    read = parse_frame(wire_dialect(Format.JSON, 0, 6, 0).frame(LONG))
    assert read.data == wire.encode_json(LONG)


def test_with_compression_a_message_from_the_threshold_on_is_compressed() -> None:
    size = len(wire.encode_json(LONG))
    for threshold, compressed in ((size, True), (size + 1, False)):
        data = wire_dialect(Format.JSON, BITS, 6, threshold).frame(LONG)
        assert bool(data[0] & 0x40) is compressed
        assert parse_frame(data, bits=BITS).data == wire.encode_json(LONG)


def test_what_does_not_shrink_is_sent_plain() -> None:
    data = wire_dialect(Format.JSON, BITS, 6, 0).frame(Pong())
    assert parse_frame(data).data == b'{"type":"pong"}'


def test_a_frame_of_the_right_kind_is_decoded() -> None:
    assert wire_dialect(Format.JSON, 0, 6, 1024).decode(b'{"type":"ping"}', True) == Ping()
    binary = wire.encode_proto(Ping())
    assert wire_dialect(Format.PROTO, 0, 6, 1024).decode(binary, False) == Ping()


@pytest.mark.parametrize(
    ("format_", "text", "words"),
    [(Format.JSON, False, "text frames expected"), (Format.PROTO, True, "binary frames expected")],
)
def test_a_frame_of_the_wrong_kind_is_refused_with_what_to_do(
    format_: Format, text: bool, words: str
) -> None:
    with pytest.raises(RhtmxError, match=words) as refused:
        wire_dialect(format_, 0, 6, 1024).decode(b"", text)
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert "subprotocol rhtmx.v1." in refused.value.message


def test_connections_of_one_kind_share_one_dialect() -> None:
    assert wire_dialect(Format.JSON, 0, 6, 1) is wire_dialect(Format.JSON, 0, 6, 1)
    assert wire_dialect(Format.JSON, 0, 6, 1) is not wire_dialect(Format.JSON, BITS, 6, 1)


@pytest.mark.parametrize("bits", [0, BITS])
@pytest.mark.parametrize("format_", list(Format))
def test_records_are_framed_as_their_messages_are(format_: Format, bits: int) -> None:
    records = [record("1", 1), record("2", 2, None), record("3", 3, b'"' + b"word " * 99 + b'"')]
    dialect = wire_dialect(format_, bits, 6, 200)
    frames = [dialect.frame(m) for one in records for m in state_messages(one, RECORDS, 0)]
    assert dialect.changes(records) == b"".join(frames)
    assert dialect.changes([]) == b""


def test_a_page_is_encoded_once_for_each_dialect() -> None:
    page = RecordPage([record("1", 1), record("2", 2)])
    json, proto = (wire_dialect(format_, 0, 6, 1024) for format_ in (Format.JSON, Format.PROTO))
    assert json.changes(page) is json.changes(page)
    assert json.changes(page) == json.changes(list(page))
    assert proto.changes(page) == proto.changes(list(page)) != json.changes(page)


GONE = {name: Clock(4, NOW, None, True) for name in (DELETED, "a", "b")}
BY_FIELD = [
    record("1", 2, b'{"b": null, "a":"%s"}' % (b"word " * 99), clocks={"a": Clock(1, NOW, "ada")}),
    record("2", 3, b"[1]"),
    record("3", 4, None, clocks=GONE),
]


@pytest.mark.parametrize("base", [0, 1, 3])
@pytest.mark.parametrize("bits", [0, BITS])
@pytest.mark.parametrize("format_", list(Format))
def test_fields_are_framed_as_their_messages_are_and_the_last_is_left(
    format_: Format, bits: int, base: int
) -> None:
    dialect = wire_dialect(format_, bits, 6, 200)
    *changes, last = [m for one in BY_FIELD for m in field_changes(one, base)]
    frames = [dialect.frame(change) for change in changes]
    assert dialect.field_changes(BY_FIELD, base) == (b"".join(frames), len(frames), last)


def test_records_without_a_field_written_after_the_base_are_no_frames() -> None:
    assert wire_dialect(Format.JSON, 0, 6, 200).field_changes(BY_FIELD, 4) == FieldFrames()


def test_the_fields_of_a_page_are_encoded_once_for_those_who_began_at_the_same_version() -> None:
    page = RecordPage(BY_FIELD)
    json, proto = (wire_dialect(format_, 0, 6, 1024) for format_ in (Format.JSON, Format.PROTO))
    assert json.field_changes(page, 0) is json.field_changes(page, 0)
    for dialect in (json, proto):
        for base in (0, 1, 3, 4, 0):
            assert dialect.field_changes(page, base) == dialect.field_changes(BY_FIELD, base)
