"""Memory: what a connection holds, and what readers hold that do not read.

Memory is what the process alone holds (private and dirty), so without what the
kernel keeps for its sockets.
"""

from __future__ import annotations

import json
import re
import statistics
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.fan_out import OURS, PEERS, Subject
from benchmarks.support.arrivals import Arrivals
from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import Server, peer
from benchmarks.support.sockets import Client, crowd, joined

BROWSER = "permessage-deflate; client_max_window_bits"
"""What browsers offer."""

OUTBOX = 256 * 1024
"""What may wait on one connection, if nothing else is configured."""

MARK = b"end-of-the-record"
PEER = PEERS[0]
DEFLATING = Subject("websockets", lambda: peer("broadcast.py", "--deflate"), path="/")
PLAIN = Subject("websockets", PEER.start, path="/")


def _nothing(client: Client) -> None:
    """What an idle connection says."""


def _subscribe(client: Client) -> None:
    """What a client says that wants to see changes."""
    client.say(type="hello", client_id=f"client-{client.socket.getsockname()[1]}")
    client.say(type="subscribe", entities=["bench"])
    client.until(b'"sync_complete"')


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connection, and what it is compared with."""

    name: str
    offer: str
    greet: Callable[[Client], None]
    subjects: Sequence[Subject]


KINDS = (
    Kind("idle", "", _nothing, (OURS, PLAIN)),
    Kind("idle, deflate", BROWSER, _nothing, (OURS, DEFLATING)),
    Kind("subscribed", "", _subscribe, (OURS,)),
    Kind("subscribed, deflate", BROWSER, _subscribe, (OURS,)),
)


def connections(kind: Kind, subject: Subject, count: int, table: Table) -> None:
    """One round of one subject: how much more it holds with `count` connections more."""
    with subject.start() as server:

        def more(some: int) -> list[Client]:
            clients = crowd(some, server.port, subject.path, deflate=kind.offer)
            for client in clients:
                kind.greet(client)
            time.sleep(0.2)  # until it has done with them
            return clients

        clients = more(max(2, count // 10))  # what all of them share is there then
        before = server.memory()
        clients += more(count)
        table.add(kind.name, subject.name, (server.memory() - before) / count / 1024)
        for client in clients:
            client.close()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who subscribes, and what they are sent."""

    reading: int
    stalled: int
    changes: int
    size: int


def stalled_readers(name: str, subject: Subject, crowd_: Crowd, tables: Sequence[Table]) -> None:
    """One round of one subject: some readers do not read while changes flow."""
    waits, growth, leaving = tables
    with subject.start() as server:
        publisher, *reading = crowd(1 + crowd_.reading, server.port, subject.path)
        stalled = crowd(crowd_.stalled, server.port, subject.path, narrow=True)
        for client in (*reading, *stalled):
            subject.subscribe(client)
        arrivals = Arrivals(reading, MARK)
        seconds: list[float] = []
        behind = gone = 0
        before = 0
        for number in range(crowd_.changes + 5):
            if number == 5:  # the first ones warm it up
                before, seconds = server.memory(), []
            push = joined([subject.publish(number, content(number, crowd_.size))])
            began = time.perf_counter()
            publisher.socket.sendall(push)
            seconds += arrivals.wait(began)
            if subject.answered:
                publisher.take(1)
                waiting, lagging = _lag(server)
                if lagging == crowd_.stalled and not gone:
                    gone = number + 1
                # One that leaves more than this unread has to be out by the next change.
                behind += waiting > crowd_.stalled * OUTBOX and not gone
        held = server.memory() - before
        arrivals.close()
        for client in (*reading, *stalled):
            client.close()
    cuts = statistics.quantiles(seconds, n=100)
    waits.add("p50", name, cuts[49] * 1000)
    waits.add("p99", name, cuts[98] * 1000)
    growth.add(f"{crowd_.changes} changes of {crowd_.size:,} bytes", name, max(held, 4096) / 2**20)
    if crowd_.stalled and gone:
        leaving.add("since they stopped reading", name, gone)
        leaving.add("since too much was waiting for them", name, behind)


def _lag(server: Server) -> tuple[float, float]:
    """Bytes that wait to be sent, and cursors that are not live."""
    url = f"http://127.0.0.1:{server.port}/metrics"
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
    waiting, lagging = (
        float(re.search(rf"^rhtmx_{name} (\S+)$", page, re.MULTILINE)[1])  # type: ignore[index]  # it is there
        for name in ("outbox_bytes", "lagging_cursors")
    )
    return waiting, lagging


def content(number: int, size: int) -> bytes:
    """A record of about `size` bytes as JSON, the mark at its end."""
    words = " ".join(f"{(number + word) * 7919 % 9973:04d}" for word in range(size // 5))
    return json.dumps({"n": number, "text": words, "mark": MARK.decode()}).encode()


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    held = Table("Memory per connection", "KiB", note="a ratio below 1 means that ours holds less")
    reading, stalled, changes, size = scale.pick((900, 100, 200, 10_000), (4, 2, 12, 50_000))
    title = f"{stalled} stalled readers among {reading + stalled:,}"
    waits = Table(
        f"{title}: the wait of the others",
        "ms",
        note="from the push until each reader has the change; ours with commit and fsync",
    )
    growth = Table(f"{title}: memory grew by", "MiB", ours="")
    leaving = Table(f"{title}: until they are out of the live stream", "changes", ours="")
    crowd_, alone = (Crowd(reading, some, changes, size) for some in (stalled, 0))
    for _ in range(scale.rounds):
        for kind in scale.pick(KINDS, KINDS[1:2]):
            for subject in kind.subjects:
                connections(kind, subject, scale.pick(2000, 20), held)
        for name, subject, some in (
            ("rhtmx", OURS, crowd_),
            ("rhtmx, none stalled", OURS, alone),
            (PEER.name, PEER, crowd_),
            (f"{PEER.name}, none stalled", PEER, alone),
        ):
            stalled_readers(name, subject, some, (waits, growth, leaving))
    return [held, waits, growth, leaving]
