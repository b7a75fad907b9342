"""Durable pushes: many sockets write, each answer after the fsync that holds it.

For ours that is the whole road: decode, decide, group commit with fsync, answer.
Beside it, in the same rounds: the same rows through the store alone, in batches
as large as the server's were; the same with one commit for each push; and NATS
JetStream with `sync_interval: always`, which keeps messages and knows no records.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import apsw

from benchmarks.support.figures import Scale, Table
from benchmarks.support.jetstream import check_stored, publishers
from benchmarks.support.nats import nats_server
from benchmarks.support.processes import PEERS, ROOT, SERVER_CORE, Server, rhtmx
from benchmarks.support.pushers import Lane, Load, drive, websocket_frame
from benchmarks.support.pushes import binary_push, content, json_push, record_id
from benchmarks.support.sockets import BINARY, TEXT, client_frame, crowd
from rhtmx.messages import Hello, PushAck
from rhtmx.wire import Format, decode, encode

CROWDS = ((1, 1), (1, 16), (64, 1), (64, 16), (512, 1), (512, 16))
"""Sockets, and how many pushes each has under way."""

TYPICAL = ((64, 1), (64, 16))


@dataclass(frozen=True, slots=True)
class Kind:
    """What is pushed.

    Args:
        name: as printed.
        fields: the entity is kept with fields.
        numbered: clients have an id and number their pushes.
        binary: protobuf instead of JSON.
        crowds: the cases.
    """

    name: str
    fields: bool = True
    numbered: bool = False
    binary: bool = False
    crowds: Sequence[tuple[int, int]] = TYPICAL

    def app(self) -> str:
        """The application that the server runs."""
        names = [entity_of(*crowd) for crowd in self.crowds]
        lines = [f"app.entity({name!r}, fields={self.fields})" for name in names]
        return "\n".join(["from rhtmx_server import App", "app = App()", *lines])

    def request(self, entity: str, number: int, seq: int) -> bytes:
        """One push as a frame."""
        counted = seq if self.numbered else None
        if self.binary:
            return client_frame(binary_push(entity, number, counted), BINARY)
        return client_frame(json_push(entity, number, counted), TEXT)


KINDS = (
    Kind("JSON", crowds=CROWDS),
    Kind("JSON, numbered", numbered=True),
    Kind("JSON, without fields", fields=False),
    Kind("binary", binary=True),
    Kind("binary, numbered", numbered=True, binary=True),
)


def entity_of(sockets: int, window: int) -> str:
    """The entity of a case."""
    return f"bench-{sockets}-{window}"


def case_of(kind: str, sockets: int, window: int) -> str:
    """A case as it is printed."""
    return f"{sockets:3} x {window:2} under way, {kind}"


class Tables:
    """The figures of this benchmark."""

    def __init__(self) -> None:
        self.rates = Table(
            "Durable pushes: acknowledged per second of wall time",
            "1/s",
            note="sockets x pushes under way on each; JetStream stores messages, not records",
        )
        self.costs = Table(
            "Durable pushes: acknowledged per CPU second of the server",
            "1/s",
            note="waiting for the disk costs no CPU",
        )
        self.medians = Table("Durable pushes: from push to acknowledgement, p50", "ms")
        self.slowest = Table("Durable pushes: from push to acknowledgement, p99", "ms")
        self.batches = Table("Durable pushes: how many became one transaction, on average", "")

    def all(self) -> list[Table]:
        return [self.rates, self.costs, self.medians, self.slowest, self.batches]

    def load(self, case: str, subject: str, load: Load, cpu: float) -> None:
        """Note what a load has shown."""
        count = len(load.waited)
        self.rates.add(case, subject, count / load.seconds)
        self.costs.add(case, subject, count / max(cpu, 1e-6))
        self.medians.add(case, subject, load.percentile(0.5) * 1000)
        self.slowest.add(case, subject, load.percentile(0.99) * 1000)


def amount(sockets: int, window: int, whole: int) -> int:
    """How many pushes each socket sends in a run that takes about a second."""
    return max(4, (whole if sockets * window > 1 else whole // 8) // sockets)


# Ours.


def measure_ours(
    server: Server, kind: Kind, sockets: int, window: int, whole: int, to: Tables
) -> float:
    """One case; returns how many pushes became one transaction, on average."""
    each = amount(sockets, window, whole)
    entity = entity_of(sockets, window)
    lanes = open_lanes(server, kind, sockets, window, each)
    before, burned = _commits(server), server.cpu()
    load = drive(lanes, window)
    burned = server.cpu() - burned
    batch = sockets * each / (_commits(server) - before)
    case = case_of(kind.name, sockets, window)
    to.load(case, "rhtmx", load, burned)
    to.batches.add(case, "rhtmx", batch)
    check_answers(kind, entity, lanes)
    _check_file(server, entity, sockets * each)
    for lane in lanes:
        lane.connection.close()
    return batch


def open_lanes(server: Server, kind: Kind, sockets: int, window: int, each: int) -> list[Lane]:
    """Connect, and make what each of them will send."""
    entity = entity_of(sockets, window)
    subprotocol = "rhtmx.v1.proto" if kind.binary else ""
    lanes = []
    for index in range(sockets):
        (client,) = crowd(1, server.port, subprotocol=subprotocol)
        if kind.numbered:
            hello = Hello(client_id=f"{entity}-{index}")
            if kind.binary:
                client.send(encode(hello, Format.PROTO), opcode=BINARY)
            else:
                client.send(encode(hello, Format.JSON))
            client.take(1)
        requests = [kind.request(entity, turn * sockets + index, turn + 1) for turn in range(each)]
        lanes.append(Lane(client.socket, requests, websocket_frame))
    return lanes


def _commits(server: Server) -> int:
    """How many transactions the server has written, as its metrics say."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        page = answer.read().decode()
    found = re.search(r"^rhtmx_commit_batch_size_count (\S+)$", page, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def check_answers(kind: Kind, entity: str, lanes: Sequence[Lane]) -> None:
    """Every push was acknowledged, and their versions are 1, 2, 3 … without a hole."""
    spoken = Format.PROTO if kind.binary else Format.JSON
    versions: list[int] = []
    for lane in lanes:
        before = 0
        for turn, answer in enumerate(lane.answers):
            ack = decode(answer[4 if answer[1] == 126 else 2 :], spoken)
            if not isinstance(ack, PushAck) or ack.entity != entity:
                raise RuntimeError(f"an acknowledgement expected, got {ack}")
            if ack.version <= before or (kind.numbered and ack.seq != turn + 1):
                raise RuntimeError(f"acknowledged out of order: {ack} after version {before}")
            before = ack.version
            versions.append(ack.version)
    if sorted(versions) != list(range(1, len(versions) + 1)):
        raise RuntimeError(f"versions 1 to {len(versions)} expected, without a hole")


def _check_file(server: Server, entity: str, count: int) -> None:
    """The file holds what was acknowledged: the head, every commit, the last content."""
    path = Path(f"/proc/{server.process.pid}/cwd").resolve() / "bench.db"
    database = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    try:
        head = database.execute("SELECT version FROM entities WHERE entity = ?", (entity,)).get
        entries = database.execute("SELECT count(*) FROM history WHERE entity = ?", (entity,)).get
        if (head, entries) != (count, count):
            raise RuntimeError(f"{count} pushes, head {head}, {entries} commits in the file")
        written = {content(number) for number in range(count)}
        for entity_id, data in database.execute(
            "SELECT entity_id, data FROM records WHERE entity = ? LIMIT 50", (entity,)
        ):
            number = int(json.loads(data)["count"])
            if bytes(data) not in written or record_id(number) != entity_id:
                raise RuntimeError(f"record {entity_id} holds {data!r}")
    finally:
        database.close()


# The store alone.


def measure_store(kind: Kind, batch: int, count: int) -> tuple[float, float]:
    """The same rows without sockets; returns pushes per second, and per CPU second."""
    path = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    command = [sys.executable, str(PEERS / "bare_store.py")]
    command += ["--count", str(count), "--batch", str(batch)]
    command += [] if kind.fields else ["--lean"]
    command += ["--numbered"] if kind.numbered else []
    output = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    ).stdout
    found = json.loads(output)
    if found["head"] != count:
        raise RuntimeError(f"{count} pushes written, head {found['head']}")
    return count / found["seconds"], count / found["cpu"]


def compare_with_store(
    kind: Kind, sockets: int, window: int, batch: int, whole: int, to: Tables
) -> None:
    """Group commit as the server did it in this round, and one commit for each push."""
    case = case_of(kind.name, sockets, window)
    if batch > 1:
        wall, cpu = measure_store(kind, batch, whole)
        to.rates.add(case, "the bare store, group commit", wall)
        to.costs.add(case, "the bare store, group commit", cpu)
    wall, cpu = measure_store(kind, 1, whole // 8)
    to.rates.add(case, "the bare store, a commit each", wall)
    to.costs.add(case, "the bare store, a commit each", cpu)


# NATS JetStream.


def measure_jetstream(kinds: Sequence[Kind], whole: int, to: Tables) -> None:
    """The same contents as messages of a stream that is synced before each answer."""
    crowds = kinds[0].crowds
    with nats_server(jetstream=True) as server:
        for sockets, window in crowds:
            each = amount(sockets, window, whole // 8)
            lanes = publishers(server, f"S{sockets}x{window}", sockets, each)
            burned = server.cpu()
            load = drive(lanes, window)
            burned = server.cpu() - burned
            check_stored(lanes)
            for kind in kinds:
                if not kind.binary and (sockets, window) in kind.crowds:
                    to.load(case_of(kind.name, sockets, window), "NATS JetStream", load, burned)
            for lane in lanes:
                lane.connection.close()


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    tables = Tables()
    whole = scale.pick(20_000, 64)
    kinds = scale.pick(KINDS, tuple(replace(kind, crowds=((3, 4),)) for kind in KINDS))
    for _ in range(scale.rounds):
        for kind in kinds:
            with rhtmx(app=kind.app()) as server:
                seen = [measure_ours(server, kind, *crowd, whole, tables) for crowd in kind.crowds]
            if not kind.binary:  # its rows are the same as from JSON
                for crowd, batch in zip(kind.crowds, seen, strict=True):
                    compare_with_store(kind, *crowd, round(batch), whole, tables)
        measure_jetstream(kinds, whole, tables)
    return tables.all()
