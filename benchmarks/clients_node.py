"""The TypeScript client on Node: what a change costs while many records are held.

One own edit until a listener is called with it, live changes and how often a listener is
called meanwhile, one more write of a record while others wait, and the memory for a record. The
server is a socket in the same program, which says what was prepared. The peer is a live query
of TanStack DB over the same records, whose listener is given what has changed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import PEERS, SERVER_CORE

ROUNDS = 3

PROGRAM = Path(__file__).with_suffix(".mjs")

SUBJECTS = {"rhtmx": "rhtmx", "tanstack": "TanStack DB, live query"}


class Sizes(NamedTuple):
    """How much of what."""

    records: tuple[int, ...] = (1_000, 10_000, 100_000)
    changes: int = 10_000
    waiting: tuple[int, ...] = (10, 1_000, 10_000)
    edits: int = 100
    held: int = 100_000


TINY = Sizes(records=(20,), changes=50, waiting=(5,), edits=3, held=5_000)


def measure(subject: str, what: str, **sizes: int) -> dict[str, Any]:
    """One case of one subject, in a process of its own; see `clients_node.mjs`."""
    task = {"subject": subject, "what": what, "peers": str(PEERS), **sizes}
    done = subprocess.run(
        ["node", "--expose-gc", str(PROGRAM), json.dumps(task)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


class Tables(NamedTuple):
    """One for each question."""

    edits: Table
    costs: Table
    shows: Table
    queues: Table
    memory: Table

    def add(self, subject: str, sizes: Sizes) -> None:
        """One round of one subject."""
        name = SUBJECTS[subject]
        for records in sizes.records:
            case = f"{records:,} records"
            edit = measure(subject, "edit", records=records, edits=sizes.edits)
            self.edits.add(case, name, edit["taken"])
            live = measure(subject, "live", records=records, changes=sizes.changes)
            self.costs.add(case, name, live["taken"])
            self.shows.add(case, name, live["shown"])
        for waiting in sizes.waiting:
            queue = measure(
                subject, "queue", records=sizes.records[0], waiting=waiting, edits=sizes.edits
            )
            self.queues.add(f"{waiting:,} writes wait", name, queue["taken"])
        held = measure(subject, "memory", records=sizes.held)
        self.memory.add(f"{sizes.held:,} records", name, held["taken"])


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    sizes = scale.pick(Sizes(), TINY)
    tables = Tables(
        Table("Client on Node: one own edit, until a listener is called with it", "ms"),
        Table("Client on Node: CPU for a live change", "µs"),
        Table(
            f"Client on Node: calls of a listener during {sizes.changes:,} live changes",
            "times",
            note="showing may take a fifth of the time: the peer calls for each change",
        ),
        Table("Client on Node: one more write of a record, while others wait", "ms"),
        Table("Client on Node: memory for a record that is held and shown", "KiB"),
    )
    for _ in range(scale.rounds):
        for subject in SUBJECTS:
            tables.add(subject, sizes)
    return list(tables)
