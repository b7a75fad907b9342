"""Growth: what more connections and more records do to the cost of one.

Fan-out from 100 to 8,000 connections; pushes into a store that holds from
10,000 to a million records, under random keys; and what it costs to resume with
20 missed changes there.

    nox -s bench -- growth --plots docs/performance
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

from benchmarks import fan_out
from benchmarks.support.figures import Scale, Table
from benchmarks.support.grown import grown
from benchmarks.support.pacing import there
from benchmarks.support.processes import Server, rhtmx
from benchmarks.support.sockets import PATIENCE, Client, crowd

FAN_OUT = "Growth: deliveries per CPU second of the server"
RELATIVE = "Growth: deliveries per CPU second, as a part of those at 500 connections"
PUSHES = "Growth: acknowledged pushes per CPU second of the server, 64 sockets"
PUSHES_WALL = "Growth: acknowledged pushes per second of wall time, 64 sockets"
RESUME = "Growth: CPU time of the server for one resume with 20 missed changes"

BASE = 500
WINDOW = 16
MISSED = 20
KIND = fan_out.Kind("JSON", (fan_out.OURS, fan_out.PEERS[0]), bursts=(1, 10))
DATA = fan_out.content(130)


def _push(key: int) -> bytes:
    head = b'{"type":"push","entity":"bench","entity_id":"%d","action":"update","data":'
    return head % key + DATA + b"}"


class Store:
    """A server on a file that is filled, and what is asked of it."""

    def __init__(self, server: Server, size: int, seed: int) -> None:
        self._server = server
        self._size = size
        self._random = random.Random(seed)

    def push(self, total: int, sockets: int) -> tuple[float, float]:
        """Push to random records; returns CPU seconds and seconds of wall time.

        Raises:
            RuntimeError: a push was not acknowledged with a version of its own.
        """
        clients = crowd(sockets, self._server.port)
        for client in clients:
            client.socket.setblocking(False)
        each = total // sockets
        sent, versions = dict.fromkeys(clients, 0), set[int]()
        burned, began = self._server.cpu(), time.perf_counter()
        for client in clients:
            self._send(client, sent, min(WINDOW, each))
        while len(versions) < each * sockets:
            for client in clients:
                new = [_version(message) for message in there(client)]
                if new:
                    versions.update(new)
                    self._send(client, sent, min(len(new), each - sent[client]))
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{len(versions)} of {total} pushes have a version of their own")
        took, burned = time.perf_counter() - began, self._server.cpu() - burned
        if max(versions) - min(versions) + 1 != each * sockets:
            raise RuntimeError("there are holes between the versions")
        for client in clients:
            client.close()
        return burned, took

    def _send(self, client: Client, sent: dict[Client, int], count: int) -> None:
        sent[client] += count
        client.send(*[_push(self._random.randrange(self._size)) for _ in range(count)])

    def resume(self, count: int) -> float:
        """Miss 20 changes on so many connections, and resume; CPU seconds for each.

        Raises:
            RuntimeError: one has got anything but what it missed.
        """
        pusher, *clients = crowd(count + 1, self._server.port)
        keys = self._random.sample(range(self._size), MISSED)
        pusher.send(*[_push(key) for key in keys])
        last = json.loads(pusher.take(MISSED)[-1])
        position = {"version": last["version"] - MISSED, "epoch": last["epoch"]}
        burned = self._server.cpu()
        for client in clients:
            client.say(type="subscribe", entities=["bench"], since={"bench": position})
        for client in clients:
            *changes, end = [json.loads(message) for message in client.take(MISSED + 1)]
            found = [change["change"]["entity_id"] for change in changes]
            whole = end["type"] == "sync_complete" and not end.get("reset")
            if not whole or found != [str(key) for key in keys]:
                raise RuntimeError(f"{keys} were missed, this came: {found}, {end}")
        burned = self._server.cpu() - burned
        for client in (pusher, *clients):
            client.close()
        return burned / count


def _version(message: bytes) -> int:
    acknowledgement = json.loads(message)
    if acknowledgement["type"] != "push_ack":
        raise RuntimeError(f"this is no acknowledgement: {message!r}")
    return int(acknowledgement["version"])


def _measure_connections(scale: Scale, rates: Table, relative: Table) -> None:
    walls = Table("", "")  # of no use here
    counts = scale.pick((100, BASE, 1000, 2000, 5000, 8000), (5, BASE // 50))
    for count in counts:
        for subject in KIND.subjects:
            budget = scale.pick(150_000, 50)
            fan_out.measure(KIND, subject, count, budget, (rates, walls))
    last = {(row.case, row.subject): row.values[-1] for row in rates.rows()}
    for (case, name), value in last.items():
        _, _, rest = case.partition(" ")
        base = last[f"{scale.pick(BASE, BASE // 50):,} {rest}", name]
        relative.add(case, name, value / base)


def _measure_store(
    scale: Scale, file: Path, size: int, seed: int, cpu: Table, wall: Table, resume: Table
) -> None:
    case = f"{size:,} records"
    total = scale.pick(25_600, 64)
    with rhtmx(store=f"sqlite:///{file}") as server:
        store = Store(server, size, seed)
        store.push(total // 10, scale.pick(64, 4))  # warms it up
        burned, took = store.push(total, scale.pick(64, 4))
        cpu.add(case, cpu.ours, total / burned)
        wall.add(case, wall.ours, total / took)
        store.resume(scale.pick(100, 2))
        resume.add(case, resume.ours, store.resume(scale.pick(500, 2)) * 1e6)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(FAN_OUT, "1/s", note="ours through the whole road, fsync included")
    relative = Table(RELATIVE, "of 1", note="budget: at least 0.8 at 5,000 connections")
    cpu = Table(PUSHES, "1/s", note=f"random keys, {WINDOW} under way on each socket")
    wall = Table(PUSHES_WALL, "1/s", note="the file is in the system's cache")
    resume = Table(RESUME, "µs", note="subscribe with a position, 20 changes, sync_complete")
    sizes = scale.pick((10_000, 100_000, 1_000_000), (100, 1000))
    with grown(sizes, DATA) as files:
        for number in range(scale.rounds):
            _measure_connections(scale, rates, relative)
            for size in sizes:
                _measure_store(scale, files[size], size, number, cpu, wall, resume)
    return [rates, relative, cpu, wall, resume]
