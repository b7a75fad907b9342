"""Durable pushes on PostgreSQL beside SQLite: the same server, the same load, in turn.

Both wait for the disk at each transaction (`fsync`, `synchronous_commit`), on the same disk. The
server and the load have a core each; PostgreSQL, which is started for it, runs on both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.durable_pushes import Kind, amount, case_of, check_answers, entity_of, open_lanes
from benchmarks.support.earlier import BEFORE_POSTGRES, compare
from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import CORES, Server, rhtmx
from benchmarks.support.pushers import Load, drive
from tests.support.postgres import Postgres, running

CROWDS = ((1, 1), (64, 1), (64, 16), (512, 1))

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
}

SQLITE, POSTGRES = "rhtmx on SQLite", "rhtmx on PostgreSQL"


class Tables:
    """The figures of this benchmark."""

    def __init__(self) -> None:
        self.rates = Table("PostgreSQL: pushes acknowledged per second of wall time", "1/s")
        self.costs = Table("PostgreSQL: pushes acknowledged per CPU second of the server", "1/s")
        self.beneath = Table(
            "PostgreSQL: pushes acknowledged per CPU second of the database", "1/s"
        )
        self.medians = Table("PostgreSQL: from push to acknowledgement, p50", "ms")
        self.slowest = Table("PostgreSQL: from push to acknowledgement, p99", "ms")
        self.unused = Table(
            "PostgreSQL: a server on SQLite now, and before there was any other", "1/s"
        )

    def all(self) -> list[Table]:
        return [
            self.rates,
            self.costs,
            self.beneath,
            self.medians,
            self.slowest,
            self.unused,
        ]

    def load(self, case: str, subject: str, load: Load, cpu: float) -> None:
        """Note what a load has shown."""
        count = len(load.waited)
        self.rates.add(case, subject, count / load.seconds)
        self.costs.add(case, subject, count / max(cpu, 1e-6))
        self.medians.add(case, subject, load.percentile(0.5) * 1000)
        self.slowest.add(case, subject, load.percentile(0.99) * 1000)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    tables, kind = Tables(), Kind("JSON", crowds=scale.pick(CROWDS, ((3, 4),)))
    with database() as where:
        for _ in range(scale.rounds):
            for crowd in kind.crowds:
                for subject, store in (
                    (SQLITE, "sqlite:///bench.db"),
                    (POSTGRES, where.place()),
                ):
                    with rhtmx(app=kind.app(), store=store, quiet=True) as server:
                        _measure(server, where, subject, kind, crowd, scale, tables)
    compare(tables.unused, BEFORE_POSTGRES, scale.rounds, scale.pick(500, 2), scale.pick(21, 1))
    return tables.all()


def _measure(
    server: Server,
    where: Postgres,
    subject: str,
    kind: Kind,
    crowd: tuple[int, int],
    scale: Scale,
    to: Tables,
) -> None:
    """One case."""
    each = amount(*crowd, scale.pick(20_000, 64))
    lanes = open_lanes(server, kind, *crowd, each)
    burned, beneath = server.cpu(), cpu_of(where)
    load = drive(lanes, crowd[1])
    burned, beneath = server.cpu() - burned, cpu_of(where) - beneath
    case = case_of(kind.name, *crowd)
    to.load(case, subject, load, burned)
    if subject == POSTGRES:
        to.beneath.add(case, subject, len(load.waited) / max(beneath, 1e-6))
    check_answers(kind, entity_of(*crowd), lanes)
    for lane in lanes:
        lane.connection.close()


@contextmanager
def database() -> Iterator[Postgres]:
    """A PostgreSQL that waits for the disk, on all cores."""
    with running(SETTINGS) as made:
        for process in _processes(made):
            os.sched_setaffinity(process, CORES)  # its children are where it is
        yield made


def _processes(where: Postgres) -> list[int]:
    """The processes of a PostgreSQL."""
    first = int((where.data / "postmaster.pid").read_text().split()[0])
    return [first, *(int(each) for each in _children(first))]


def _children(parent: int) -> Iterator[str]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent:
            yield stat.parent.name


def cpu_of(where: Postgres) -> float:
    """Seconds of CPU that its processes have used, to the nanosecond; of those that there are."""
    spent = 0
    for process in _processes(where):
        for each in Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                spent += int(each.read_text().split()[0])
            except OSError:
                continue
    return spent / 1e9
