"""Beside Centrifugo on PostgreSQL: from a durable publication at one node to a reader at another.

Both keep what is published in one PostgreSQL that waits for the disk, and use nothing else to tell
the other node. Centrifugo asks the database every so often whether there is more: every 100 ms as
it comes, or as often as it still does best by.

And one node of each that keeps everything in memory: what either takes where nothing waits for a
disk.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from benchmarks.cluster import cluster
from benchmarks.latency import TAIL, Ours
from benchmarks.postgres import database
from benchmarks.support.centrifugo import PATH, alone, program
from benchmarks.support.centrifugo import cluster as centrifugo
from benchmarks.support.figures import Scale, Table
from benchmarks.support.pacing import open_loop, percentile, there
from benchmarks.support.processes import Server, rhtmx
from benchmarks.support.pushers import Cut, Lane, drive, websocket_frame
from benchmarks.support.pushes import content, json_push
from benchmarks.support.sockets import TEXT, Client, client_frame, crowd

SOCKETS, WINDOW = 64, 4
POLLS = {"as it comes": "100ms", "asking every 20 ms": "20ms"}
RATE = 100
"""Publications a second while latency is measured: Centrifugo takes those of a client one after the
other, and each waits for the disk."""
MEMORY_RATE = 1000
"""The same in memory."""

IN_MEMORY = "Centrifugo: from a publication to another reader, all in memory, p50"
THEIRS = "Centrifugo 6.9"

_OURS = "rhtmx over NOTIFY"
_OURS_ALONE = "rhtmx"
_PUBLISHED = b'"publish":{}'


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(
        "Centrifugo: durable publications that arrived at another node, per second of wall time",
        "1/s",
        ours=_OURS,
    )
    waits = Table(
        "Centrifugo: from a durable publication to a reader at another node, p50", "ms", ours=_OURS
    )
    for _ in range(scale.rounds):
        with database() as where, cluster(2, where.place(), "notify:") as servers:
            _rate(servers, _our_lane, b'"type":"change"', _subscribed, _OURS, scale, rates)
            _wait(servers, OursElsewhere, _OURS, scale, waits)
        for name, poll in POLLS.items():
            if program() is None:
                print("centrifugo is not on the path: measured without it", file=sys.stderr)
                break
            subject = f"{THEIRS}, {name}"
            with database() as where, centrifugo(2, where.url(), poll) as nodes:
                _rate(nodes, _their_lane, b'"pub":{', _subscribed_there, subject, scale, rates)
                _wait(nodes, Theirs, subject, scale, waits)
    return [rates, waits, _in_memory(scale)]


def _in_memory(scale: Scale) -> Table:
    """From a publication to another reader at the same node, and nothing is written to a disk."""
    waits = Table(IN_MEMORY, "ms", ours=_OURS_ALONE)
    for _ in range(scale.rounds):
        with rhtmx(store="memory://") as server:
            _wait((server, server), OursElsewhere, _OURS_ALONE, scale, waits, MEMORY_RATE)
        if program() is not None:
            with alone() as server:
                _wait((server, server), Theirs, THEIRS, scale, waits, MEMORY_RATE)
    return waits


def _rate(
    nodes: Sequence[Server],
    make_lane: Callable[[Server, int, int], Lane],
    mark: bytes,
    subscribed: Callable[[Server], Client],
    subject: str,
    scale: Scale,
    to: Table,
) -> None:
    """Publish at one node, as much as it takes, until another one has delivered all of it."""
    each = scale.pick(8000, 64) // SOCKETS
    reader = subscribed(nodes[1])
    lanes = [make_lane(nodes[0], number, each) for number in range(SOCKETS)]
    counting = threading.Thread(target=_count, args=(reader, mark, each * SOCKETS))
    began = time.perf_counter()
    counting.start()
    drive(lanes, WINDOW)
    counting.join()
    to.add(
        "64 sockets, 4 under way on each", subject, each * SOCKETS / (time.perf_counter() - began)
    )
    for lane in lanes:
        lane.connection.close()
    reader.close()


def _count(reader: Client, mark: bytes, expected: int) -> None:
    """Read until so many changes have arrived."""
    count, rest = 0, b""
    while count < expected:
        data = rest + reader.socket.recv(1 << 18)
        count += data.count(mark)
        rest = data[1 - len(mark) :]


def _wait(
    nodes: Sequence[Server],
    connect: Callable[[Sequence[Server]], Ours],
    subject: str,
    scale: Scale,
    to: Table,
    rate: int = RATE,
) -> None:
    pair = connect(nodes)
    open_loop(rate, scale.pick(100, 10), pair.ask, pair.arrived)
    pair.again()
    waited = open_loop(rate, scale.pick(max(1000, 2 * rate), 20), pair.ask, pair.arrived)
    to.add(f"{rate:,} a second", subject, percentile(waited, 0.5) * 1000)
    pair.close()


# Ours.


def _our_lane(server: Server, number: int, each: int) -> Lane:
    (client,) = crowd(1, server.port)
    pushes = [json_push("bench", turn * SOCKETS + number, None) for turn in range(each)]
    return _lane(client, pushes, websocket_frame)


def _subscribed(server: Server) -> Client:
    client = Client(server.port)
    client.say(type="subscribe", entities=["bench"])
    client.say(type="ping")
    client.until(b"pong")
    return client


class OursElsewhere(Ours):
    """Pushes at one server, and reads at another."""

    def __init__(self, nodes: Sequence[Server]) -> None:
        super().__init__(nodes[1])
        self._pusher.close()
        self._pusher = Client(nodes[0].port)
        self._pusher.socket.setblocking(False)


# Theirs. Commands and replies are lines of JSON, several in one message as it comes.


def _their_lane(server: Server, number: int, each: int) -> Lane:
    client = _connected(server)
    publications = [_publish(turn + 2, content(turn * SOCKETS + number)) for turn in range(each)]
    return _lane(client, publications, _published)


def _published(data: bytes, start: int) -> int:
    """Where the next reply to a publication ends."""
    at = data.find(_PUBLISHED, start)
    return -1 if at < 0 else at + len(_PUBLISHED)


def _publish(number: int, data: bytes) -> bytes:
    return b'{"id":%d,"publish":{"channel":"bench","data":%s}}' % (number, data)


def _connected(server: Server) -> Client:
    client = Client(server.port, PATH)
    client.send(b'{"id":1,"connect":{}}')
    client.until(b'"connect"')
    return client


def _subscribed_there(server: Server) -> Client:
    client = _connected(server)
    client.send(b'{"id":2,"subscribe":{"channel":"bench"}}')
    client.until(b'"subscribe"')
    return client


class Theirs(Ours):
    """Publishes at one node, and reads at another."""

    def __init__(self, nodes: Sequence[Server]) -> None:
        self._pusher, self._reader = _connected(nodes[0]), _subscribed_there(nodes[1])
        for client in (self._pusher, self._reader):
            client.socket.setblocking(False)
        self._expected = 0

    def ask(self, number: int) -> None:
        """Publish."""
        self._pusher.send(_publish(number + 2, b'{"n":%d' % number + TAIL))

    def arrived(self) -> Iterable[int]:
        """Publications on the other socket, in order."""
        for _ in there(self._pusher):
            pass
        for message in there(self._reader):
            for line in message.splitlines():
                if b'"pub":{' in line:
                    yield self._number(line)


def _lane(client: Client, messages: Sequence[bytes], cut: Cut) -> Lane:
    return Lane(client.socket, [client_frame(each, TEXT) for each in messages], cut)
