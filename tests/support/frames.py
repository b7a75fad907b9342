"""Reads server frames with the `websockets` library: another hand than ours."""

from __future__ import annotations

from collections.abc import Generator

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.streams import StreamReader


def parse_frame(data: bytes, *, bits: int = 0) -> Frame:
    """Read the one frame in `data`.

    Args:
        data: a whole frame, and nothing else.
        bits: the window that was negotiated for permessage-deflate, without
            context takeover; 0 if it was not.
    """
    reader = StreamReader()
    reader.feed_data(data)
    extensions = [PerMessageDeflate(True, True, bits, bits)] if bits else []
    parser = Frame.parse(reader.read_exact, mask=False, extensions=extensions)
    frame: list[Frame] = []

    def read() -> Generator[None, None, None]:
        frame.append((yield from parser))

    assert list(read()) == [], "the frame is cut off"
    assert not reader.buffer, "something follows the frame"
    return frame[0]
