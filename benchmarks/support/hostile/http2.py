"""Patterns of HTTP/2 frames, for the gRPC door."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO

from hpack import Encoder

from benchmarks.support.hostile.aim import CHUNK, Aim
from rhtmx.messages import HistoryRequest, Sync
from rhtmx.wire import encode_message

BURST = 4 * 2**20
STREAMS = 900
DIFFERENT = 380
"""Versions from which there is still a full page of a 20 MB entity to read."""

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _PRIORITY, _RST, _SETTINGS, _PING, _WINDOW = 0, 1, 2, 3, 4, 6, 8
_UNKNOWN = 0xFA
_END_STREAM, _END_HEADERS = 0x1, 0x4
_INITIAL_WINDOW = 4
_WIDE = 2**31 - 1


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    """A frame (RFC 9113 section 4.1)."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def opened(aim: Aim, window: int | None = None) -> socket.socket:
    """A connection that has greeted.

    Args:
        aim: the server.
        window: bytes that a stream of it may be sent unasked; all of them together
            as many as there can be. Without it, what every connection begins with.
    """
    connection = aim.tcp(aim.grpc)
    greeting = _PREFACE
    if window is None:
        greeting += frame(_SETTINGS)
    else:
        greeting += frame(_SETTINGS, struct.pack("!HI", _INITIAL_WINDOW, window))
        greeting += frame(_WINDOW, struct.pack("!I", _WIDE - 65_535))
    aim.send(connection, greeting)
    return connection


class Calls:
    """The calls of one connection: their headers depend on each other."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._next = 1

    def begin(self, method: str, message: bytes | None = None) -> tuple[int, bytes]:
        """The number of a new stream, and the frames that open it; all of it if a message."""
        number, self._next = self._next, self._next + 2
        headers = self._encoder.encode(
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", f"/rhtmx.v1.Trackers/{method}"),
                (":authority", "127.0.0.1"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
            ]
        )
        frames = frame(_HEADERS, headers, _END_HEADERS, number)
        if message is not None:
            body = struct.pack("!BI", 0, len(message)) + message
            frames += frame(_DATA, body, _END_STREAM, number)
        return number, frames


def window_updates(aim: Aim) -> None:
    """WINDOW_UPDATE, 4 MB at a time"""
    _flooded(aim, frame(_WINDOW, struct.pack("!I", 1)))


def pings(aim: Aim) -> None:
    """PING, 4 MB at a time"""
    _flooded(aim, frame(_PING, b"12345678"))


def pings_unread(aim: Aim) -> None:
    """PING, the answers never read"""
    _flooded(aim, frame(_PING, b"12345678"), read=False)


def settings(aim: Aim) -> None:
    """SETTINGS, 4 MB at a time"""
    _flooded(aim, frame(_SETTINGS))


def unknown(aim: Aim) -> None:
    """frames of an unknown type, 4 MB at a time"""
    _flooded(aim, frame(_UNKNOWN))


def priorities(aim: Aim) -> None:
    """PRIORITY, 4 MB at a time"""
    _flooded(aim, frame(_PRIORITY, struct.pack("!IB", 0, 0), stream=1))


def empty_data(aim: Aim) -> None:
    """empty DATA, 4 MB at a time"""

    def once() -> None:
        connection = opened(aim)
        number, frames = Calls().begin("PushMany")
        aim.send(connection, frames)
        empty = frame(_DATA, stream=number)
        aim.flood(connection, empty * (BURST // len(empty)))

    aim.again(once)


def resets(aim: Aim) -> None:
    """calls that are opened and reset at once"""

    def once() -> None:
        connection, calls = opened(aim), Calls()
        while True:
            some = b""
            for _ in range(500):
                number, frames = calls.begin("Push")
                some += frames + frame(_RST, struct.pack("!I", 8), stream=number)
            aim.send(connection, some)
            connection.settimeout(None)

    aim.again(once)


def shut_windows(aim: Aim) -> None:
    """900 Sync calls for a 20 MB entity with a window of zero"""

    def ask(number: int) -> bytes:  # no two pages are the same
        return encode_message(Sync(entity="big", since=number % DIFFERENT))

    def once() -> None:
        connection, calls = opened(aim, window=0), Calls()
        aim.send(connection, b"".join(calls.begin("Sync", ask(n))[1] for n in range(STREAMS)))
        while connection.recv(CHUNK):
            pass

    aim.again(once)


def one_history(aim: Aim) -> None:
    """History of one version with 60,000 losing writes"""
    ask = encode_message(HistoryRequest(entity="lost"))

    def once() -> None:
        connection, calls = opened(aim, window=_WIDE), Calls()
        frames = connection.makefile("rb")
        while True:
            aim.send(connection, calls.begin("History", ask)[1])
            while not _ends(frames):
                pass

    aim.again(once)


def _ends(frames: BinaryIO) -> bool:
    """Whether the next frame that comes is the end of an answer: its trailers."""
    head = frames.read(9)
    if len(head) < 9:
        raise ConnectionError("the server has closed the connection")
    frames.read(int.from_bytes(head[:3]))
    return head[3] == _HEADERS and bool(head[4] & _END_STREAM)


def _flooded(aim: Aim, frames: bytes, *, read: bool = True) -> None:
    data = frames * (BURST // len(frames))

    def once() -> None:
        aim.flood(opened(aim), data, read=read)

    aim.again(once)
