"""Operations and transactions: what they cost beside the plain write that they replace.

Each is measured beside that, on one server, in turn: an increment and a field that is pushed;
a transaction of ten records and a push of one; increments that all meet in one record, and
such that each have their own.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import Server, rhtmx
from benchmarks.support.pushers import Lane, Load, drive, websocket_frame
from benchmarks.support.pushes import content
from benchmarks.support.sockets import client_frame, crowd

SOCKETS = 64
WINDOW = 16
TOGETHER = 10
"""Writes in one transaction."""

RATE = ("--messages-per-second", "1000000", "--bytes-per-second", "1000000000")
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

INCREMENTS = "Increments and field pushes: acknowledged per second of wall time"
TRANSACTIONS = f"A transaction of {TOGETHER} records: CPU of the server"
ONE_RECORD = "Increments of one record: acknowledged per second of wall time"

Say = Callable[[int, int], dict[str, Any]]
"""The message of a socket, by the number of the socket and its own number."""


def field(entity: str, entity_id: str, turn: int, action: str, value: int) -> dict[str, Any]:
    """A write of one field; its time is later with each turn."""
    at = (_BEGIN + timedelta(milliseconds=turn)).isoformat().replace("+00:00", "Z")
    update = {"field": "n", "value": value, "action": action, "timestamp": at}
    return {"type": "push_fields", "entity": entity, "entity_id": entity_id, "fields": [update]}


def own(socket: int, turn: int) -> str:
    """One of the records of a socket: nobody else writes it."""
    return f"{socket}-{turn % 50}"


def push(entity: str, entity_id: str, turn: int) -> dict[str, Any]:
    """A write of a whole record, without its type."""
    data = json.loads(content(turn))
    return {"entity": entity, "entity_id": entity_id, "action": "update", "data": data}


def transaction(entity: str, socket: int, turn: int) -> dict[str, Any]:
    """Ten records at once."""
    turns = range(turn * TOGETHER, (turn + 1) * TOGETHER)
    return {
        "type": "transaction",
        "writes": [push(entity, own(socket, each), each) for each in turns],
    }


class Pusher:
    """Many sockets, each with its own numbers, that write to one server.

    Args:
        server: the server.
        sockets: how many.
        window: writes under way on each.
        each: how many a socket writes.
    """

    def __init__(self, server: Server, sockets: int, window: int, each: int) -> None:
        self._server = server
        self._sockets = sockets
        self._window = window
        self._each = each

    @property
    def count(self) -> int:
        """How many writes that are."""
        return self._sockets * self._each

    def write(self, name: str, say: Say, kind: str) -> tuple[Load, float]:
        """Write, and look at the answers.

        Args:
            name: of these clients.
            say: what they write.
            kind: the type of each answer.

        Returns:
            The load, and the CPU of the server for each write; seconds.

        Raises:
            RuntimeError: an answer is another one.
        """
        lanes = list(self._lanes(name, say))
        burned = self._server.cpu()
        load = drive(lanes, self._window)
        burned = self._server.cpu() - burned
        for lane in lanes:
            for answer in lane.answers:
                said = json.loads(answer[4 if answer[1] == 126 else 2 :])
                if said["type"] != kind:
                    raise RuntimeError(f"{kind} expected, got {said}")
            lane.connection.close()
        return load, burned / self.count

    def _lanes(self, name: str, say: Say) -> Iterator[Lane]:
        clients = crowd(self._sockets, self._server.port)
        for socket, client in enumerate(clients):
            client.say(type="hello", client_id=f"{name}-{socket}")
            client.until(b'"welcome"')
            said = [{**say(socket, turn), "seq": turn + 1} for turn in range(self._each)]
            frames = [client_frame(json.dumps(each).encode()) for each in said]
            yield Lane(client.socket, frames, websocket_frame)

    def total(self, entity: str) -> int:
        """The sum of `n` in all records."""
        url = f"http://127.0.0.1:{self._server.port}/api/sync/{entity}?since=0"
        with urllib.request.urlopen(url) as answer:
            changes = json.loads(answer.read())["changes"]
        return sum(each["data"]["n"] for each in changes)


@contextmanager
def _server() -> Iterator[Server]:
    with rhtmx(*RATE, quiet=True) as server:
        yield server


def _increments(table: Table, each: int) -> None:
    """An increment, and a value in its place."""
    with _server() as server:
        pusher = Pusher(server, SOCKETS, WINDOW, each)
        cases: Sequence[tuple[str, str, str]] = (
            ("rhtmx", "increment", "increment"),
            ("rhtmx, plain field pushes", "update", "plain"),
        )
        for subject, action, entity in cases:

            def say(
                socket: int, turn: int, entity: str = entity, action: str = action
            ) -> dict[str, Any]:
                value = 1 if action == "increment" else turn
                return field(entity, own(socket, turn), turn, action, value)

            load, _ = pusher.write(entity, say, "field_push_ack")
            table.add(f"{SOCKETS} x {WINDOW} under way", subject, pusher.count / load.seconds)
        _require_sum(pusher, "increment")


def _transactions(table: Table, each: int) -> None:
    """Ten records in one transaction, and one push."""
    with _server() as server:
        for sockets, window in ((1, 1), (SOCKETS, 1), (SOCKETS, WINDOW)):
            case = f"{sockets:2} x {window:2} under way"
            pusher = Pusher(server, sockets, window, each)

            def one(socket: int, turn: int) -> dict[str, Any]:
                return {"type": "push", **push("alone", own(socket, turn), turn)}

            def ten(socket: int, turn: int) -> dict[str, Any]:
                return transaction("together", socket, turn)

            _, cpu = pusher.write(f"ten-{sockets}-{window}", ten, "transaction_ack")
            table.add(case, "rhtmx", cpu * 1e6)
            _, cpu = pusher.write(f"one-{sockets}-{window}", one, "push_ack")
            table.add(case, "rhtmx, one push", cpu * 1e6)


def _one_record(table: Table, each: int) -> None:
    """Everybody counts in one record, and each in its own."""
    with _server() as server:
        pusher = Pusher(server, SOCKETS, 1, each)
        for subject, entity in (("rhtmx", "shared"), ("rhtmx, a record each", "own")):

            def say(socket: int, turn: int, entity: str = entity) -> dict[str, Any]:
                entity_id = "1" if entity == "shared" else str(socket)
                return field(entity, entity_id, turn, "increment", 1)

            load, _ = pusher.write(entity, say, "field_push_ack")
            table.add(f"{SOCKETS} connections", subject, pusher.count / load.seconds)
            _require_sum(pusher, entity)


def _require_sum(pusher: Pusher, entity: str) -> None:
    total = pusher.total(entity)
    if total != pusher.count:
        raise RuntimeError(f"{pusher.count} increments of {entity}, and {total} were counted")


def run(scale: Scale) -> list[Table]:
    """Measure all of it, or the cases that are named: increments, transactions, one_record."""
    rates = Table(INCREMENTS, "1/s")
    costs = Table(
        TRANSACTIONS,
        "µs",
        note="each is numbered; alone, a push costs a commit; beside many others, a part of one",
    )
    shared = Table(ONE_RECORD, "1/s")
    cases: dict[str, Callable[[], None]] = {
        "increments": lambda: _increments(rates, scale.pick(400, 4)),
        "transactions": lambda: _transactions(costs, scale.pick(100, 2)),
        "one_record": lambda: _one_record(shared, scale.pick(100, 2)),
    }
    for _ in range(scale.rounds):
        for name, measure in cases.items():
            if not scale.only or name in scale.only:
                measure()
    return [table for table in (rates, costs, shared) if list(table.rows())]
