"""An earlier commit of this project, measured beside today's: what has become slower since.

Both servers run on the same core, and take turns.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.support.figures import Table
from benchmarks.support.filled import TOGETHER
from benchmarks.support.processes import ROOT, WITHOUT_LIMITS, Server, rhtmx
from benchmarks.support.pushes import json_push
from benchmarks.support.sockets import Client, crowd
from benchmarks.support.turns import cpu_of, in_turn

__all__ = ["BEFORE_PARTS", "BEFORE_POSTGRES", "checkout", "compare"]

BEFORE_PARTS = "0210c398ab24b253ed3942ad96926dd9dce481c5"
"""The last commit without parts of entities, and without rules."""

BEFORE_POSTGRES = "4e8fbd9406aed775433265738528707bc6f1296c"
"""The last commit at which SQLite was the only store on a disk."""

_NEEDED = ("rhtmx_server", "clients/python")


@contextmanager
def checkout(commit: str) -> Iterator[Path | None]:
    """The Python code of a commit in a folder, deleted at the end.

    Yields:
        The folder; `None` where the history does not reach so far: a shallow clone, or
        no clone at all.
    """
    found = subprocess.run(
        ["git", "archive", commit, *_NEEDED], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=found.stdout, check=True)
        yield Path(folder)


class _Subject:
    """A server with readers of one entity, and a writer.

    Args:
        server: it.
        readers: how many read it live.
        records: how many it has.
    """

    def __init__(self, server: Server, readers: int, records: int) -> None:
        self._server, self._records, self._number = server, records, 0
        self._writer = self._greeted(Client(server.port))
        self._readers: list[Client] = []
        self._push("read", records)
        while len(self._readers) < readers:
            for reader in crowd(min(100, readers - len(self._readers)), server.port):
                self._greeted(reader).say(type="subscribe", entities=["told"])
                reader.until(b'"sync_complete"')
                self._readers.append(reader)

    @staticmethod
    def _greeted(client: Client) -> Client:
        client.say(type="hello")
        client.until(b'"welcome"')
        return client

    def _push(self, entity: str, count: int) -> None:
        for start in range(0, count, TOGETHER):
            numbers = range(start, min(start + TOGETHER, count))
            self._writer.send(
                *(json_push(entity, self._number + number, None) for number in numbers)
            )
            self._writer.take(len(numbers))
        self._number += count

    def deliveries(self) -> float:
        """Deliveries for each second of CPU: bursts of ten changes."""
        bursts = 5

        def work() -> None:
            for _ in range(bursts):
                self._push("told", 10)
                for reader in self._readers:
                    reader.take(10)

        return bursts * 10 * len(self._readers) / cpu_of(self._server, work)

    def pushes(self) -> float:
        """Pushes for each second of CPU, that nobody reads."""
        count = 5 * TOGETHER
        return count / cpu_of(self._server, lambda: self._push("pushed", count))

    def catch_ups(self, missed: int) -> float:
        """Records for each second of CPU, to one who has missed some."""
        times = max(10, 400 // missed)

        def work() -> None:
            for _ in range(times):
                self._writer.say(type="sync", entity="read", since=self._records - missed)
                self._writer.until(b'"sync_complete"')

        return times * missed / cpu_of(self._server, work)


def compare(table: Table, commit: str, rounds: int, readers: int, turns: int) -> None:
    """Measure what an app without any of what came since can do, now and then.

    Args:
        table: gets the figures; a note instead, where there is no history.
        commit: then.
        rounds: how often.
        readers: live ones.
        turns: of both in a round.
    """
    records = 2_000
    cases: dict[str, Callable[[_Subject], float]] = {
        f"deliveries, {readers} subscribers, 10 a tick": _Subject.deliveries,
        f"pushes, {TOGETHER} under way": _Subject.pushes,
        "records, 20 missed": lambda one: one.catch_ups(20),
        f"records, {records:,} missed": lambda one: one.catch_ups(records),
    }
    with checkout(commit) as root:
        if root is None:
            table.note = f"commit {commit[:7]} is not in the history here: nothing to compare with"
        for _ in range(rounds):
            # New processes each time: where one has its memory makes 3 percent, for as long as it
            # runs.
            with rhtmx(*WITHOUT_LIMITS) as server, rhtmx(*WITHOUT_LIMITS, root=root or ROOT) as old:
                now, then = (_Subject(each, readers, records) for each in (server, old))
                for case, measure in cases.items():
                    ours, theirs = in_turn(turns, partial(measure, now), partial(measure, then))
                    table.add(case, "rhtmx", ours)
                    if root is not None:
                        table.add(case, f"rhtmx at {commit[:7]}", theirs)
