"""What it costs several servers to tell everybody what one of them has committed.

One client pushes at one server; a thousand read at each of them. The others get each change over
NATS, packed once, and write it once for all who read there. What all servers burn for their
readers together is compared with what one burns for its own thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cluster import cluster
from benchmarks.fan_out import OURS, SAMPLE, content, read_samples
from benchmarks.postgres import database
from benchmarks.support.figures import Scale, Table
from benchmarks.support.nats import nats_server
from benchmarks.support.processes import Server
from benchmarks.support.sockets import Counter, crowd, joined

NODES = (1, 4)
READERS = 1000
"""At each server."""

BURSTS = (1, 10)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(
        "Cluster: deliveries per CPU second of all servers",
        "1/s",
        note="readers at each server; one client pushes at one of them, over NATS to the others",
        ours="4 servers",
    )
    with database() as where, nats_server() as nats:
        bus = f"nats://127.0.0.1:{nats.plain_port}"
        for _ in range(scale.rounds):
            for count in NODES:
                with cluster(count, where.place(), bus) as servers:
                    _measure(servers, scale, rates)
    return [rates]


def _measure(servers: Sequence[Server], scale: Scale, to: Table) -> None:
    readers, data = scale.pick(READERS, 5), content(130)
    here, *others = [crowd(readers, server.port) for server in servers]
    for clients in (here, *others):
        for client in clients:
            OURS.subscribe(client)
    (publisher,) = crowd(1, servers[0].port)
    samples, rest = here[:SAMPLE], here[SAMPLE:]
    counter = Counter([*rest, *(client for clients in others for client in clients)])
    number = total = 0
    for burst in BURSTS:
        ticks, burned = scale.pick(100, 3), 0.0
        for tick in range(2 + ticks):
            if tick == 2:
                burned = sum(server.cpu() for server in servers)
            pushes = [OURS.publish(number + each, data) for each in range(burst)]
            number += burst
            publisher.socket.sendall(joined(pushes))
            total += read_samples(samples, burst, payload=False)
            counter.wait(total)
            publisher.take(burst)
        burned = sum(server.cpu() for server in servers) - burned
        subject = f"{len(servers)} server{'s' if len(servers) > 1 else ''}"
        case = f"{readers:,} readers at each, {burst:2} a tick"
        to.add(case, subject, ticks * burst * readers * len(servers) / burned)
    counter.close()
    for client in (*samples, publisher):
        client.close()
