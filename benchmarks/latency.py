"""Latency: from a push on one socket to the change on another.

Pushes leave by a schedule, 100 to 5,000 a second. For ours that is the whole
road, fsync included. Beside it: a bare echo on `websockets` and uvloop, which
hands back what it gets, and one fsync of one page on the same disk, one after
the other and at the rate of the pushes: a disk that has rested is slower. What
the load itself costs is part of all of them; it is less than the echo shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.support.disk import fsyncs
from benchmarks.support.figures import Scale, Table
from benchmarks.support.pacing import PERCENTILES, open_loop, percentile, there
from benchmarks.support.processes import Server, peer, rhtmx
from benchmarks.support.sockets import Client, crowd

TEXT = b" ".join(b"%04d" % (number * 7919 % 9973) for number in range(20))
TAIL = b',"title":"written down","text":"%s"}' % TEXT
NUMBER = b'"n":'
WARM_UP = 3000
"""Pushes after which SQLite has written its log once to the end: before, each commit makes the file
longer, which the disk takes nearly twice as long for."""


def _push(number: int) -> bytes:
    head = b'{"type":"push","entity":"bench","entity_id":"%d","action":"update","data":{"n":%d'
    return head % (number % 1000, number) + TAIL + b"}"


class Ours:
    """A pushing socket and a subscribed one."""

    def __init__(self, server: Server) -> None:
        self._pusher, self._reader = Client(server.port), Client(server.port)
        self._reader.say(type="subscribe", entities=["bench"])
        self._reader.say(type="ping")
        self._reader.until(b"pong")
        for client in (self._pusher, self._reader):
            client.socket.setblocking(False)
        self._expected = 0

    def ask(self, number: int) -> None:
        """Push."""
        self._pusher.send(_push(number))

    def arrived(self) -> Iterable[int]:
        """Changes on the other socket; each one is looked into, and in order."""
        for _ in there(self._pusher):  # acknowledgements: read, so that they do not pile up
            pass
        for message in there(self._reader):
            yield self._number(message)

    def again(self) -> None:
        """Count from 0 again."""
        self._expected = 0

    def close(self) -> None:
        self._pusher.close()
        self._reader.close()

    def _number(self, message: bytes) -> int:
        at = message.find(NUMBER) + len(NUMBER)
        number = int(message[at : message.find(b",", at)])
        if number != self._expected or TAIL not in message:
            raise RuntimeError(f"change {self._expected} expected, this came: {message!r}")
        self._expected += 1
        return number


class Echo(Ours):
    """One socket that gets back what it sends."""

    def __init__(self, server: Server) -> None:
        self._pusher = self._reader = Client(server.port, "/")
        self._reader.socket.setblocking(False)
        self._expected = 0

    def arrived(self) -> Iterable[int]:
        """What came back."""
        for message in there(self._reader):
            yield self._number(message)


@dataclass(frozen=True, slots=True)
class Subject:
    """A server, and how to use it.

    Args:
        idle: connections that are there besides, subscribed to what never changes.
    """

    name: str
    start: Callable[[], AbstractContextManager[Server]]
    connect: Callable[[Server], Ours]
    idle: int = 0


def measure(subject: Subject, rates: dict[int, int]) -> dict[int, list[float]]:
    """The latencies at each rate, of so many pushes; all on one server."""
    with subject.start() as server:
        others = crowd(subject.idle, server.port)
        for client in others:
            client.say(type="subscribe", entities=["still"])
            client.say(type="ping")
            client.until(b"pong")
        pair = subject.connect(server)
        open_loop(1000, min(WARM_UP, sum(rates.values())), pair.ask, pair.arrived)
        result = {}
        for rate, count in rates.items():
            pair.again()
            result[rate] = open_loop(rate, count, pair.ask, pair.arrived)
        pair.close()
        for client in others:
            client.close()
    return result


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    tables = {
        name: Table(
            f"Latency, {name}: a push until the change on another socket",
            "ms",
            note="counted from when the push was due; at 100 a second p99.9 is the worst of 500",
        )
        for name, _ in PERCENTILES
    }
    tables["p50"].note += (
        "\nbudget: ours ÷ (echo + one fsync) is at most 2.2; "
        "one fsync: one page written and synced, nothing else"
    )
    rates = scale.pick({100: 500, 1000: 4000, 5000: 15000}, {1000: 50})
    subjects = (
        Subject("rhtmx", rhtmx, Ours),
        Subject("rhtmx, 1,000 idle beside", rhtmx, Ours, idle=scale.pick(1000, 5)),
        Subject("websockets echo", lambda: peer("echo.py"), Echo),
    )
    for _ in range(scale.rounds):
        found = {subject.name: measure(subject, rates) for subject in subjects}
        disk = fsyncs(scale.pick(1000, 10))
        for rate in rates:
            paced = fsyncs(scale.pick(min(rate * 5, 1000), 10), rate=rate)
            case = f"{rate:,} a second, JSON"
            for name, part in PERCENTILES:
                for subject in subjects:
                    value = percentile(found[subject.name][rate], part)
                    tables[name].add(case, subject.name, value * 1000)
                tables[name].add(case, "one fsync", percentile(disk, part) * 1000)
                tables[name].add(case, "one fsync at this rate", percentile(paced, part) * 1000)
            echo = percentile(found["websockets echo"][rate], 0.5)
            for words, synced in (("", disk), (" at this rate", paced)):
                floor = echo + percentile(synced, 0.5)
                tables["p50"].add(case, f"echo + one fsync{words}", floor * 1000)
    return list(tables.values())
