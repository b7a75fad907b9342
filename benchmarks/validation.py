"""Validation: questions about one field, asked and answered.

Three kinds of fields: one with ready-made rules, one with an `async` validator
that waits a turn of the loop, one with a plain function, which runs in a
thread. Beside them a bare echo on `websockets`, which judges nothing, and an
HTTP endpoint with the same functions on kept connections.

Then the same fields at a slow, steady pace, while validators that block for
200 ms, all the time, keep one thread busy, or all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.support import signup
from benchmarks.support.asking import EchoLine, HttpLine, Line
from benchmarks.support.figures import Scale, Table
from benchmarks.support.pacing import open_loop, percentile
from benchmarks.support.processes import Server, peer, rhtmx
from benchmarks.support.sockets import PATIENCE

FIELDS = {
    "rule": "ready-made rules",
    "async": "async validator",
    "thread": "blocking validator",
}
ALL_THREADS = 8
PACE = 200
ASKING = 4
"""Sockets on which the paced questions are asked in turn: each may have 64 under way."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A server, and how one asks there."""

    name: str
    start: Callable[[], AbstractContextManager[Server]]
    line: Callable[[int], Line]


OURS = Subject("rhtmx", lambda: rhtmx(app=signup.APP), Line)
HTTP = Subject("starlette on uvicorn", lambda: peer("validation.py"), HttpLine)
SUBJECTS = (OURS, Subject("websockets echo", lambda: peer("echo.py"), EchoLine), HTTP)


@dataclass(frozen=True, slots=True)
class Load:
    """How many ask, and how many questions each has under way."""

    sockets: int
    window: int
    questions: int

    @property
    def name(self) -> str:
        if self.sockets == 1:
            return "1 socket, 1 under way"
        return f"{self.sockets} sockets, {self.window} under way on each"


def closed_loop(lines: list[Line], field: str, load: Load) -> float:
    """Ask again as soon as there is an answer; returns how long all of it took.

    Raises:
        RuntimeError: an answer is wrong, or one too many.
    """
    each = load.questions // len(lines)
    asked = dict.fromkeys(lines, 0)
    answered = dict.fromkeys(lines, 0)

    def ask(line: Line, count: int) -> None:
        first = asked[line]
        asked[line] = min(first + count, each)
        questions = [line.question(field, number) for number in range(first, asked[line])]
        if questions:
            line.socket.sendall(b"".join(questions))

    began = time.perf_counter()
    for line in lines:
        ask(line, load.window)
    waiting = lines
    while waiting:
        for line in waiting:
            count = sum(1 for _ in line.answers())
            if count:
                answered[line] += count
                ask(line, count)
        waiting = [line for line in waiting if answered[line] < each]
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError(f"{sum(answered.values())} answers to {load.questions} questions")
    if set(answered.values()) != {each}:
        raise RuntimeError(f"{each} answers expected on each socket: {sorted(answered.values())}")
    return time.perf_counter() - began


def measure_rates(subject: Subject, loads: list[Load], cpu: Table, wall: Table) -> None:
    """One round of one subject: all fields, all loads, on one server."""
    with subject.start() as server:
        for load in loads:
            lines = [subject.line(server.port) for _ in range(load.sockets)]
            for field, title in FIELDS.items():
                closed_loop(lines, field, Load(load.sockets, load.window, load.sockets * 20))
                burned = server.cpu()
                took = closed_loop(lines, field, load)
                burned = server.cpu() - burned
                case = f"{title}, {load.name}"
                asked = load.questions // load.sockets * load.sockets
                cpu.add(case, subject.name, asked / max(burned, 1e-6))
                wall.add(case, subject.name, asked / took)
            for line in lines:
                line.close()


class Blockers:
    """Connections on each of which a validator blocks, one question after the other."""

    def __init__(self, subject: Subject, port: int, count: int) -> None:
        self._lines = [subject.line(port) for _ in range(count)]
        self.answered = 0
        for line in self._lines:
            self._ask(line)

    def poll(self) -> None:
        """Ask again where there is an answer."""
        for line in self._lines:
            for _ in line.answers():
                self.answered += 1
                self._ask(line)

    def _ask(self, line: Line) -> None:
        line.socket.sendall(line.question("slow", 2 * self.answered))

    def close(self) -> None:
        for line in self._lines:
            line.close()


def measure_blocked(
    subject: Subject, count: int, blockers: int, *, busy: float
) -> dict[str, list[float]]:
    """The latencies for each field, while so many others block, this part of the time at least."""
    found = {}
    with subject.start() as server:
        lines = [subject.line(server.port) for _ in range(ASKING)]
        for field in FIELDS:
            closed_loop(lines, field, Load(ASKING, 1, 20 * ASKING))
        for field in FIELDS:
            beside = Blockers(subject, server.port, blockers)

            def ask(number: int, field: str = field) -> None:
                line = lines[number % ASKING]
                line.socket.sendall(line.question(field, number))

            def arrived(beside: Blockers = beside) -> Iterator[int]:
                beside.poll()
                for line in lines:
                    yield from line.answers()

            found[field] = open_loop(PACE, count, ask, arrived)
            blocked = beside.answered * signup.BLOCKED
            if blockers and blocked < busy * blockers * (count / PACE - signup.BLOCKED):
                raise RuntimeError(f"blocked for {blocked} s only")
            beside.close()
        for line in lines:
            line.close()
    return found


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    cpu = Table("Validation: answers per CPU second of the server", "1/s")
    wall = Table("Validation: answers per second of wall time", "1/s")
    p50 = Table(
        f"A validation at {PACE} a second, p50, while others block for 200 ms all the time",
        "ms",
        ours="rhtmx, nobody blocks",
    )
    p99 = Table(p50.title.replace("p50", "p99"), "ms", ours=p50.ours)
    p99.note = f"blocking validators share {ALL_THREADS} threads: with all of them busy one waits"
    loads = scale.pick(
        [Load(1, 1, 4000), Load(64, 1, 20_000), Load(64, 16, 25_000)],
        [Load(1, 1, 20), Load(4, 4, 80)],
    )
    beside = (
        (OURS, 0, "nobody blocks"),
        (OURS, 1, "one blocks"),
        (OURS, ALL_THREADS, f"{ALL_THREADS} block"),
        (HTTP, 0, "nobody blocks"),
        (HTTP, 1, "one blocks"),
    )
    for _ in range(scale.rounds):
        for subject in SUBJECTS:
            measure_rates(subject, loads, cpu, wall)
        for subject, blockers, words in beside[: scale.pick(5, 2)]:
            found = measure_blocked(
                subject, scale.pick(500, 60), blockers, busy=scale.pick(0.8, 0.0)
            )
            for field, latencies in found.items():
                for table, part in ((p50, 0.5), (p99, 0.99)):
                    value = percentile(latencies, part) * 1000
                    table.add(FIELDS[field], f"{subject.name}, {words}", value)
    return [cpu, wall, p50, p99]
