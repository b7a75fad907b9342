"""Fan-out: one client pushes, hundreds or thousands receive.

For ours that is the whole road: push, decode, group commit with fsync, hub,
sockets. The peers only hand on what they get: they parse nothing, store nothing
and promise nothing. A tick is one write of the pushing client; the next one
follows when the last subscriber has everything. That flatters everybody, so there is a
paced load, too: changes that come when they are due, whoever is ready for them.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from benchmarks.support import centrifugo
from benchmarks.support.figures import Scale, Table
from benchmarks.support.nats import nats_server
from benchmarks.support.processes import Server, peer, rhtmx
from benchmarks.support.sockets import (
    BINARY,
    PATIENCE,
    TEXT,
    Client,
    Counter,
    MarkCounter,
    crowd,
    joined,
    payload_size,
)
from rhtmx.messages import ChangeAction, Ping, Push, Subscribe
from rhtmx.wire import encode_proto

MARK = b"written-down"
"""Stands once in each change: what the sampled subscribers count."""

SAMPLE = 3


def _subscribe(client: Client) -> None:
    client.say(type="subscribe", entities=["bench"])
    client.say(type="ping")
    client.until(b"pong")


def _subscribe_binary(client: Client) -> None:
    client.send(encode_proto(Subscribe(entities=["bench"])), encode_proto(Ping()), opcode=BINARY)
    client.take(1)


def _json_push(number: int, data: bytes) -> bytes:
    head = b'{"type":"push","entity":"bench","entity_id":"%d","action":"update","data":' % (
        number % 100
    )
    return head + data + b"}"


def _binary_push(number: int, data: bytes) -> bytes:
    push = Push(entity="bench", entity_id=str(number % 100), action=ChangeAction.UPDATE, data=data)
    return encode_proto(push)


def _as_change(number: int, data: bytes) -> bytes:
    """What a peer is given to hand on: a change as our server would send it."""
    head = (
        b'{"type":"change","change":{"entity":"bench","entity_id":"%d","action":"update",'
        b'"data":%s,"version":%d,"created_at":"2026-11-22T10:00:00.123456Z"}}'
    )
    return head % (number % 100, data, number)


@dataclass(frozen=True, slots=True)
class Subject:
    """A server, and how one publishes and subscribes there."""

    name: str
    start: Callable[[], AbstractContextManager[Server]]
    path: str = "/api/ws"
    greet: Callable[[Client], None] = lambda client: None
    subscribe: Callable[[Client], None] = lambda client: None
    publish: Callable[[int, bytes], bytes] = _as_change
    opcode: int = TEXT
    subprotocol: str = ""
    payload: bool = False
    answered: bool = False


def _greet_socket_io(client: Client) -> None:
    client.until(b"0{")
    client.send(b"40")
    client.until(b"40{")


def _nats_greet(client: Client) -> None:
    client.send(b'CONNECT {"verbose":false}\r\n', opcode=BINARY)


def _nats_subscribe(client: Client) -> None:
    client.send(b'CONNECT {"verbose":false}\r\nSUB bench 1\r\nPING\r\n', opcode=BINARY)
    client.until(b"PONG")


def _nats_publish(number: int, data: bytes) -> bytes:
    change = _as_change(number, data)
    return b"PUB bench %d\r\n%s\r\n" % (len(change), change)


def _centrifugo_greet(client: Client) -> None:
    client.send(b'{"id":1,"connect":{}}')
    client.until(b'"connect"')


def _centrifugo_subscribe(client: Client) -> None:
    _centrifugo_greet(client)
    client.send(b'{"id":2,"subscribe":{"channel":"bench"}}')
    client.until(b'"subscribe"')


def _centrifugo_publish(number: int, data: bytes) -> bytes:
    change = _as_change(number, data)
    return b'{"id":%d,"publish":{"channel":"bench","data":%s}}' % (number + 3, change)


OURS = Subject("rhtmx", rhtmx, subscribe=_subscribe, publish=_json_push, answered=True)
OURS_BINARY = Subject(
    "rhtmx", rhtmx, subscribe=_subscribe_binary, publish=_binary_push, opcode=BINARY,
    subprotocol="rhtmx.v1.proto", answered=True,
)  # fmt: skip
PICOWS = Subject("picows", lambda: peer("picows_hub.py"), path="/")
CENTRIFUGO = Subject(
    "Centrifugo", centrifugo.alone, path=centrifugo.PATH, greet=_centrifugo_greet,
    subscribe=_centrifugo_subscribe, publish=_centrifugo_publish, payload=True,
)  # fmt: skip
PEERS = (
    Subject("websockets.broadcast", lambda: peer("broadcast.py"), path="/"),
    Subject("socketify", lambda: peer("socketify_hub.py"), path="/"),
    PICOWS,
    Subject("ws", lambda: peer("ws.mjs"), path="/"),
    CENTRIFUGO,
    Subject(
        "Socket.IO",
        lambda: peer("socketio.mjs"),
        path="/socket.io/?EIO=4&transport=websocket",
        greet=_greet_socket_io,
        subscribe=_greet_socket_io,
        publish=lambda number, data: b'42["change",' + _as_change(number, data) + b"]",
    ),
    Subject(
        "NATS", nats_server, path="/", subscribe=_nats_subscribe, publish=_nats_publish,
        opcode=BINARY, payload=True,
    ),
)  # fmt: skip
DEFLATING = (
    Subject("websockets.broadcast", lambda: peer("broadcast.py", "--deflate"), path="/"),
    Subject("ws", lambda: peer("ws.mjs", "--deflate"), path="/"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is sent, to whom it is compared."""

    name: str
    subjects: Sequence[Subject]
    size: int = 130
    deflate: bool = False
    bursts: Sequence[int] = field(default=(1, 10, 50))


KINDS = (
    Kind("JSON", (OURS, *PEERS)),
    Kind("binary", (OURS_BINARY, PEERS[0], PEERS[1])),
    Kind("JSON, 2 KB, deflate", (OURS, *DEFLATING), size=2000, deflate=True, bursts=(1, 10)),
)


def content(size: int) -> bytes:
    """A record of about `size` bytes as JSON, the mark in it once."""
    words = " ".join(f"{number * 7919 % 9973:04d}" for number in range(size // 5))
    record = {"title": MARK.decode(), "done": False, "text": words}
    return json.dumps(record, separators=(",", ":")).encode()


def measure(kind: Kind, subject: Subject, count: int, budget: int, tables: Sequence[Table]) -> None:
    """One round of one subject: all bursts, on one server."""
    rates, walls = tables
    data = content(kind.size)
    with subject.start() as server:
        *clients, publisher = crowd(
            count + 1,
            server.port,
            subject.path,
            subprotocol=subject.subprotocol,
            deflate=kind.deflate,
        )
        subject.greet(publisher)
        for client in clients:
            subject.subscribe(client)
        samples, rest = clients[:SAMPLE], clients[SAMPLE:]
        counter = Counter(rest, payload=subject.payload)
        number = 0
        total = 0
        for burst in kind.bursts:
            ticks = max(1, budget // (burst * count))
            warm = min(2, ticks)
            began = burned = 0.0
            for tick in range(warm + ticks):
                if tick == warm:
                    began, burned = time.perf_counter(), server.cpu()
                pushes = [subject.publish(number + each, data) for each in range(burst)]
                number += burst
                publisher.socket.sendall(joined(pushes, subject.opcode))
                total += read_samples(samples, burst, payload=subject.payload)
                counter.wait(total)
                if subject.answered:
                    publisher.take(burst)
            burned, took = server.cpu() - burned, time.perf_counter() - began
            deliveries = burst * count * ticks
            case = f"{count:,} subscribers, {burst:2} a tick, {kind.name}"
            rates.add(case, subject.name, deliveries / burned)
            walls.add(case, subject.name, deliveries / took)
        counter.close()


def read_samples(samples: Sequence[Client], burst: int, *, payload: bool) -> int:
    """Read a tick on the sampled sockets, look inside, and return how long it was."""
    sizes = set()
    for client in samples:
        size, seen = 0, 0
        while seen < burst:
            messages = client.some()
            seen += sum(message.count(MARK) for message in messages)
            size += payload_size(messages) if payload else client.last_read
        if seen != burst or client.buffer:
            raise RuntimeError(f"{burst} changes expected, {seen} received")
        sizes.add(size)
    (size,) = sizes
    return size


@dataclass(frozen=True, slots=True)
class Pace:
    """Changes that are due at their times, whatever has been delivered by then.

    Args:
        name: of the load.
        burst: changes at a time.
        gaps: seconds between two times, without end.
    """

    name: str
    burst: int
    gaps: Callable[[], Iterator[float]]


def _even(gap: float) -> Iterator[float]:
    while True:
        yield gap


def _poisson(rate: float) -> Iterator[float]:
    chance = random.Random(7)
    while True:
        yield chance.expovariate(rate)


PACES = (
    Pace("10 every 10 ms", 10, lambda: _even(0.01)),
    Pace("single ones, Poisson, 200/s", 1, lambda: _poisson(200)),
)
PACED = (OURS, PICOWS, CENTRIFUGO)


def measure_paced(pace: Pace, subject: Subject, count: int, seconds: float, rates: Table) -> None:
    """One round of one subject under a paced load."""
    data = content(KINDS[0].size)
    with subject.start() as server:
        *clients, publisher = crowd(count + 1, server.port, subject.path)
        subject.greet(publisher)
        for client in clients:
            subject.subscribe(client)
        counter = MarkCounter(clients, MARK)
        number, gaps = 0, pace.gaps()
        began, burned = time.perf_counter(), server.cpu()
        due = began
        while due < began + seconds:
            while (left := due - time.perf_counter()) > 0:
                counter.take(left)
            pushes = [subject.publish(number + each, data) for each in range(pace.burst)]
            publisher.socket.sendall(joined(pushes, subject.opcode))
            number += pace.burst
            due += next(gaps)
        while counter.least < number:
            counter.take(PATIENCE)
        case = f"{count:,} subscribers, {pace.name}"
        rates.add(case, subject.name, number * count / (server.cpu() - burned))
        counter.close()


def _measured(subject: Subject) -> bool:
    if subject is not CENTRIFUGO or centrifugo.program() is not None:
        return True
    print("centrifugo is not on the path: measured without it", file=sys.stderr)
    return False


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(
        "Fan-out: deliveries per CPU second of the server",
        "1/s",
        note="ours with decoding, group commit and fsync; the peers hand bytes on",
    )
    walls = Table("Fan-out: deliveries per second of wall time", "1/s")
    paced = Table("Fan-out, paced: deliveries per CPU second of the server", "1/s")
    counts = scale.pick((500, 2000, 5000), (5,))
    budget = scale.pick(150_000, 50)
    for _ in range(scale.rounds):
        for count in counts:
            for kind in KINDS:
                for subject in filter(_measured, kind.subjects):
                    measure(kind, subject, count, budget, (rates, walls))
        for pace in PACES:
            for subject in filter(_measured, PACED):
                count = scale.pick(500, 5)
                measure_paced(pace, subject, count, scale.pick(3.0, 0.1), paced)
    return [rates, walls, paced]
