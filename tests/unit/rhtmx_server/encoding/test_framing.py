"""Messages as ready-made WebSocket frames."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from rhtmx_server.encoding.framing import BINARY, TEXT, deflate, frame
from tests.support.frames import parse_frame

BITS = 12


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_frame_is_the_librarys_to_the_byte_at_every_length_form(size: int) -> None:
    payload = b"x" * size
    assert frame(TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert frame(BINARY, payload) == Frame(Opcode.BINARY, payload).serialize(mask=False)


@pytest.mark.parametrize("payload", [b"", b"a", b"word " * 1000])
def test_a_compressed_frame_is_inflated_by_the_library(payload: bytes) -> None:
    data = frame(TEXT, deflate(payload, bits=BITS, level=6), compressed=True)
    assert parse_frame(data, bits=BITS).data == payload


def test_compressing_twice_gives_the_same_bytes() -> None:
    assert deflate(b"word " * 99, bits=BITS, level=6) == deflate(b"word " * 99, bits=BITS, level=6)
