"""Facts about `rhtmx_server.transports.grpc.frames`."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from rhtmx_server.transports.grpc.frames import FRAMES, LARGEST, Frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS, PING, CONTINUATION, UNKNOWN = 0x1, 0x4, 0x6, 0x9, 0xBE


def frame(kind: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, 0, 0, 0, 0, 1]) + content


def opened(headers: int = 1000) -> Frames:
    """After the preface."""
    frames = Frames(headers)
    frames.add(PREFACE)
    assert frames.take() == PREFACE
    return frames


def pieces(frames: Frames) -> list[bytes]:
    got = []
    while piece := frames.take():
        got.append(piece)
    return got


def test_the_preface_passes_as_it_comes_so_that_what_is_none_is_seen_at_once() -> None:
    frames = Frames(1000)
    frames.add(PREFACE[:5])
    assert frames.take() == PREFACE[:5]
    frames.add(PREFACE[5:] + frame(PING))
    assert pieces(frames) == [PREFACE[5:], frame(PING)]


@pytest.mark.parametrize("kind", [0x0, 0x2, 0x3, PING, 0x7, 0x8, UNKNOWN])
def test_many_frames_are_taken_a_few_at_a_time_and_in_order(kind: int) -> None:
    frames = opened()
    every = [frame(kind, bytes([n % 100])) for n in range(5 * FRAMES)]
    frames.add(b"".join(every))
    got = pieces(frames)
    assert b"".join(got) == b"".join(every)
    assert max(len(piece) for piece in got) == FRAMES * len(every[0])
    assert len(frames) == 0


def test_however_they_arrive_they_are_the_same() -> None:
    every = frame(PING, b"12345678") + frame(UNKNOWN) + frame(HEADERS, b"abc") + frame(0x0, b"x")
    for size in range(1, len(every)):
        frames, got = opened(), []
        for start in range(0, len(every), size):
            frames.add(every[start : start + size])
            got += pieces(frames)
        assert b"".join(got) == every


def test_what_is_not_whole_waits() -> None:
    frames, whole = opened(), frame(UNKNOWN, b"abc")
    for end in range(len(whole)):
        frames.add(whole[end : end + 1])
        assert frames.take() == (whole if end == len(whole) - 1 else b"")


@pytest.mark.parametrize(("kind", "most"), [(SETTINGS, 1), (HEADERS, 16), (CONTINUATION, 16)])
def test_of_what_costs_most_a_piece_has_few(kind: int, most: int) -> None:
    frames = opened()
    frames.add(frame(PING) + frame(kind) * 40 + frame(PING) * 3)
    got = pieces(frames)
    assert b"".join(got) == frame(PING) + frame(kind) * 40 + frame(PING) * 3
    assert max(piece.count(frame(kind)) for piece in got) == most
    assert max(len(piece) for piece in got) <= FRAMES * len(frame(PING))


def test_a_frame_that_is_too_large_is_seen_in_its_head_after_what_is_before_it() -> None:
    frames = opened()
    frames.add(frame(PING) + (LARGEST + 1).to_bytes(3, "big") + bytes(6))
    assert frames.take() == frame(PING)
    with pytest.raises(ProtocolError) as caught:
        frames.take()
    assert caught.value.error_code is ErrorCodes.FRAME_SIZE_ERROR
    frames = opened()
    frames.add(frame(UNKNOWN, bytes(LARGEST)))
    assert frames.take() == frame(UNKNOWN, bytes(LARGEST))


def test_a_header_block_is_limited_over_all_of_its_frames() -> None:
    frames = opened(headers=10)
    frames.add(frame(HEADERS, bytes(6)) + frame(CONTINUATION, bytes(4)) + frame(HEADERS, bytes(10)))
    assert len(b"".join(pieces(frames))) == 47
    for parts in ((11,), (6, 5), (4, 4, 3)):
        frames = opened(headers=10)
        kinds = (HEADERS, CONTINUATION, CONTINUATION)
        frames.add(b"".join(frame(k, bytes(n)) for k, n in zip(kinds, parts, strict=False)))
        if parts[1:]:
            assert len(frames.take()) == sum(parts[:-1]) + 9 * len(parts[:-1])
        with pytest.raises(ProtocolError) as caught:
            frames.take()
        assert caught.value.error_code is ErrorCodes.ENHANCE_YOUR_CALM


def test_what_is_forgotten_is_gone() -> None:
    frames = opened()
    frames.add(frame(PING))
    frames.clear()
    assert (len(frames), frames.take()) == (0, b"")
