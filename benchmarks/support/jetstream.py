"""NATS JetStream as a peer: raw sockets that publish and wait for the acknowledgement."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

from benchmarks.support.nats import NatsServer
from benchmarks.support.pushers import Lane
from benchmarks.support.pushes import content
from benchmarks.support.sockets import PATIENCE


def publishers(server: NatsServer, stream: str, sockets: int, each: int) -> list[Lane]:
    """Make a stream on disk, and the sockets that will publish to it.

    Args:
        server: with JetStream.
        stream: a name that is not in use.
        sockets: how many.
        each: how many messages each of them has.
    """
    _create(server, stream)
    lanes = []
    for index in range(sockets):
        inbox = f"inbox-{stream}-{index}"
        head = f"PUB {stream} {inbox} ".encode()
        contents = [content(turn * sockets + index) for turn in range(each)]
        requests = [head + b"%d\r\n%s\r\n" % (len(data), data) for data in contents]
        lanes.append(Lane(_connect(server, inbox), requests, _message))
    return lanes


def check_stored(lanes: Sequence[Lane]) -> None:
    """Every message was acknowledged, under the numbers 1, 2, 3 … without a hole."""
    acks = [json.loads(answer.split(b"\r\n", 2)[1]) for lane in lanes for answer in lane.answers]
    numbers = sorted(ack.get("seq", 0) for ack in acks)
    if numbers != list(range(1, len(acks) + 1)):
        raise RuntimeError(f"{len(acks)} messages published, not all of them stored")


def _connect(server: NatsServer, inbox: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.plain_port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\nPING\r\n' % inbox.encode())
    seen = b""
    while not seen.endswith(b"PONG\r\n"):
        seen += connection.recv(4096)
    return connection


def _create(server: NatsServer, stream: str) -> None:
    settings = {"name": stream, "subjects": [stream], "storage": "file", "retention": "limits"}
    body = json.dumps(settings).encode()
    with _connect(server, "made") as connection:
        connection.sendall(
            b"PUB $JS.API.STREAM.CREATE.%s made %d\r\n%s\r\n" % (stream.encode(), len(body), body)
        )
        answer = connection.recv(1 << 16)
    if b'"error"' in answer or b'"created"' not in answer:
        raise RuntimeError(answer.decode(errors="replace"))


def _message(data: bytes, start: int) -> int:
    """Cut a message of the NATS protocol: `MSG subject sid size`, a line, the content, a line.

    The server asks nothing (`PING`) within the first minutes of a connection.
    """
    line = data.find(b"\r\n", start)
    if line < 0:
        return -1
    end = line + 4 + int(data[data.rfind(b" ", start, line) : line])
    return end if end <= len(data) else -1
