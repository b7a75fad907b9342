"""Patterns of frames and handshakes: any WebSocket server can be their aim."""

from __future__ import annotations

import select
import socket
import struct
import time

from benchmarks.support.hostile.aim import REST, Aim
from benchmarks.support.sockets import TEXT, Client, client_frame

BURST = 8 * 2**20
HANDSHAKES = 5_000
_CONTINUED, _PING, _PONG = 0x0, 0x9, 0xA
_FINAL = 0x80


def burst(frame: bytes, size: int = BURST) -> bytes:
    """The same frame again and again, about `size` bytes of it."""
    return frame * (size // len(frame))


def json_pings(aim: Aim) -> None:
    """small text messages, 8 MB at a time"""
    _flooded(aim, client_frame(b'{"type":"ping"}'))


def json_pings_unread(aim: Aim) -> None:
    """small text messages, the answers never read"""
    _flooded(aim, client_frame(b'{"type":"ping"}'), read=False)


def pings(aim: Aim) -> None:
    """WebSocket pings"""
    _flooded(aim, client_frame(b"", _PING))


def pings_unread(aim: Aim) -> None:
    """WebSocket pings of 125 bytes, the pongs never read"""
    _flooded(aim, client_frame(b"x" * 125, _PING), read=False)


def pongs(aim: Aim) -> None:
    """WebSocket pongs that nobody asked for"""
    _flooded(aim, client_frame(b"", _PONG))


def empty_messages(aim: Aim) -> None:
    """empty text messages"""
    _flooded(aim, client_frame(b""))


def endless_message(aim: Aim) -> None:
    """empty continuation frames without end"""
    head = bytes((TEXT, 0x80)) + b"\0\0\0\0"
    more = bytes((_CONTINUED, 0x80)) + b"\0\0\0\0"

    def once() -> None:
        client = aim.websocket()
        aim.send(client.socket, head)
        aim.flood(client.socket, burst(more))

    aim.again(once)


def split_messages(aim: Aim) -> None:
    """messages cut into frames of one byte"""
    text = b'{"type":"ping"}'
    last = len(text) - 1
    frames = b"".join(
        _frame(TEXT if at == 0 else _CONTINUED, text[at : at + 1], final=at == last)
        for at in range(len(text))
    )
    _flooded(aim, frames)


def half_closed(aim: Aim) -> None:
    """readers that close their sending side and leave the rest unread"""
    big = b"x" * 30_000

    def once() -> None:
        reader = aim.websocket(narrow=True)
        if aim.grpc:  # ours: it is sent what another one writes
            reader.say(type="hello", client_id=f"half-{aim.tally.opened}")
            reader.say(type="subscribe", entities=["bench"])
            reader.until(b'"sync_complete"')
            reader.socket.shutdown(socket.SHUT_WR)
            writer = aim.websocket()
            for number in range(20):
                message = b'{"type":"push","entity":"bench","entity_id":"half-%d",' % number
                message += b'"action":"update","data":"%s"}' % big
                aim.send(writer.socket, client_frame(message))
            writer.take(20)
            writer.close()
        else:
            for _ in range(20):
                aim.send(reader.socket, client_frame(big))
            reader.socket.shutdown(socket.SHUT_WR)
        time.sleep(4 * REST)
        reader.close()

    aim.again(once)


def unfinished_handshakes(aim: Aim) -> None:
    """5,000 handshakes that never finish"""
    request = Client.request(aim.port, aim.path)[:-2]
    ready = select.poll()
    waiting: dict[int, socket.socket] = {}

    def once() -> None:
        while len(waiting) < HANDSHAKES:
            connection = aim.tcp()
            waiting[connection.fileno()] = connection
            aim.send(connection, request)
            ready.register(connection, 0)  # only its end

    while True:
        # Those that were ended come again a while later: more is the work of many peers.
        for fd, _ in ready.poll(0):
            ready.unregister(fd)
            waiting.pop(fd).close()
            aim.tally.cut += 1
        try:
            once()
        except OSError:
            aim.tally.cut += 1
        time.sleep(2)


def deflate_bombs(aim: Aim) -> None:
    """messages of 60 KB that are 80 bytes on the wire"""
    import zlib

    packer = zlib.compressobj(9, wbits=-15)
    text = b'{"type":"ping"' + b" " * 60_000 + b"}"
    packed = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frame = client_frame(packed, 0x40 | TEXT)

    def once() -> None:
        client = aim.websocket(deflate=True)
        aim.flood(client.socket, burst(frame, 2**20))

    aim.again(once)


def _flooded(aim: Aim, frames: bytes, *, read: bool = True) -> None:
    data = burst(frames)

    def once() -> None:
        client = aim.websocket()
        aim.flood(client.socket, data, read=read)

    aim.again(once)


def _frame(opcode: int, payload: bytes, *, final: bool) -> bytes:
    first = opcode | (_FINAL if final else 0)
    return struct.pack("!BB", first, 0x80 | len(payload)) + b"\0\0\0\0" + payload
