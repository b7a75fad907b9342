"""Frames and responses as events of ASGI."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server.encoding.framing import BINARY, TEXT, frame
from rhtmx_server.transports.answers import answer
from rhtmx_server.transports.asgi import events
from rhtmx_server.transports.asgi.events import (
    FRAMES,
    Splitter,
    close_code,
    close_event,
    frames_event,
    pieces_of,
    response_events,
    whole,
)


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_of_any_size_becomes_its_message(size: int) -> None:
    data = b"x" * size
    made = frame(BINARY, data)
    assert pieces_of(made) == [(data, len(made))]


def test_joined_frames_become_messages_in_order_each_of_its_kind() -> None:
    frames = frame(TEXT, "é".encode()), frame(BINARY, b"\xff"), frame(TEXT, b"{}")
    pieces = pieces_of(b"".join(frames))
    assert [message for message, _ in pieces] == ["é", b"\xff", "{}"]
    assert [size for _, size in pieces] == [len(each) for each in frames]


def test_frames_stay_joined_where_the_server_takes_them() -> None:
    joined = frame(TEXT, b"{}") + frame(TEXT, b"[]")
    ((piece, size),) = whole(joined)
    assert (frames_event(piece), size) == ({"type": FRAMES, "frames": joined}, len(joined))


def test_what_several_are_sent_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []

    def note(frames: bytes) -> list[events.Piece]:
        calls.append(frames)
        return []

    monkeypatch.setattr(events, "pieces_of", note)
    splitter, frames = Splitter(), frame(TEXT, b"{}")
    for each in (frames, frames, bytes(bytearray(frames))):
        splitter.pieces(each)
    assert len(calls) == 2, "the same object once, an equal one anew"


def test_a_long_reason_is_cut_between_two_characters() -> None:
    reason = close_event(4000, "é" * 100)["reason"]
    assert reason == "é" * 60


def test_every_error_has_a_close_code_that_all_servers_send() -> None:
    assert all(4000 <= close_code(code) < 5000 for code in ERRORS)


def test_whoever_may_come_again_is_not_told_to_stay_away() -> None:
    assert close_code(ErrorCode.TOO_MANY_REQUESTS) < 4500 <= close_code(ErrorCode.NOT_SUPPORTED)


def test_the_headers_of_the_hosts_server_are_left_to_it() -> None:
    response = answer(HTTPStatus.OK, b"ok\n", headers=[("Upgrade", "websocket")])
    names = {name for name, _ in response_events(response, "http.response")[0]["headers"]}
    assert names.isdisjoint({b"connection", b"date", b"server"})
    assert {b"upgrade", b"content-length", b"x-content-type-options"} <= names
    start, _ = response_events(response, "http.response", "2")
    assert b"upgrade" not in dict(start["headers"])
