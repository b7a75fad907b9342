"""What hostile peers did: how long others waited, and what memory it took.

Knows what was measured of one server and one pattern, and the tables that it goes into.
Must not know how it was measured.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.support.beside import OurClient
from benchmarks.support.figures import Table
from benchmarks.support.pacing import percentile

ALL = "all of them"
"""Questions of every kind, together."""

PARTS: Mapping[str, float] = {"p50": 0.5, "p99": 0.99, "longest": 1.0}

ALONE = "Without a hostile peer: how long any question takes, p99"
WORST = "Hostile peers: the worst of all patterns"
P99, SLOWED, LONGEST = "p99, ms", "p99 ÷ that of the client alone", "longest, ms"
GROWN, KEPT = "memory at most, MiB more", "memory 10 s after, MiB more"


@dataclass(slots=True)
class Found:
    """What one pattern did to one server.

    Args:
        quiet: how long answers took before, in seconds, by kind.
        beside: how long they took while it was there.
        before: bytes of memory before.
        peak: the most meanwhile.
        after: ten seconds after it was gone.
        trimmed: the same, when the allocator had given back what it could; 0 for peers.
        sent: bytes that the hostile side got rid of.
    """

    quiet: Mapping[str, list[float]]
    beside: Mapping[str, list[float]]
    before: int
    peak: int = 0
    after: int = 0
    trimmed: int = 0
    sent: int = 0


class Tables:
    """The figures of all patterns."""

    def __init__(self) -> None:
        self._waits = {
            (kind, part): Table(
                f"Beside a hostile peer: how long {_asked(kind)} takes, {part}",
                "ms",
                printed=kind == ALL and part != "p50",
            )
            for kind in (ALL, *OurClient.kinds)
            for part in PARTS
        }
        self._alone = Table(
            "Without a hostile peer: how long any question takes, p99", "ms", printed=False
        )
        self._grown = Table("Hostile peers: memory that the server takes for them, at most", "MiB")
        self._kept = Table("Hostile peers: memory that it has still 10 s after", "MiB")
        self._memory = Table("Hostile peers: memory of the server before", "MiB", printed=False)
        self._sent = Table("Hostile peers: what one got rid of", "MB", printed=False)
        self._worst = Table(WORST, "", ours="")
        self._kept.note = "after malloc_trim: without what only the allocator keeps"

    def add(self, case: str, name: str, found: Found) -> None:
        """Note what a pattern did to a server.

        Args:
            case: the pattern, in words.
            name: the server's.
            found: what it did.
        """
        for (kind, part), table in self._waits.items():
            if waits := _of(found.beside, kind):
                table.add(case, name, percentile(waits, PARTS[part]) * 1000)
                if name == "rhtmx":
                    alone = percentile(_of(found.quiet, kind), PARTS[part])
                    table.add(case, "rhtmx, alone", alone * 1000)
        self._alone.add(case, name, percentile(_of(found.quiet, ALL), 0.99) * 1000)
        self._memory.add(case, name, found.before / 2**20)
        self._grown.add(case, name, _more(found.peak, found))
        self._kept.add(case, name, _more(found.after, found))
        if found.trimmed:
            self._kept.add(case, f"{name}, after malloc_trim", _more(found.trimmed, found))
        self._sent.add(case, name, found.sent / 1e6)

    def worst(self, ours: Sequence[Found]) -> None:
        """Note the worst of what was found of ours in one round."""
        p99 = [percentile(_of(found.beside, ALL), 0.99) for found in ours]
        alone = [percentile(_of(found.quiet, ALL), 0.99) for found in ours]
        for case, values in (
            (P99, (each * 1000 for each in p99)),
            (SLOWED, (one / other for one, other in zip(p99, alone, strict=True))),
            (LONGEST, (_of(found.beside, ALL)[-1] * 1000 for found in ours)),
            (GROWN, (_more(found.peak, found) for found in ours)),
            (KEPT, (_more(found.after, found) for found in ours)),
        ):
            self._worst.add(case, "rhtmx", max(values))

    def all(self) -> list[Table]:
        """All of them, the summary first."""
        waits = self._waits.values()
        return [self._worst, *waits, self._alone, self._grown, self._kept, self._memory, self._sent]


def _asked(kind: str) -> str:
    return "any question" if kind == ALL else f"a {kind}"


def _of(waits: Mapping[str, list[float]], kind: str) -> list[float]:
    """How long the questions of a kind took, sorted."""
    if kind == ALL:
        return sorted(each for taken in waits.values() for each in taken)
    return waits.get(kind, [])


def _more(memory: int, found: Found) -> float:
    """MiB above what it had before; a page at least, as figures are ratios."""
    return max(memory - found.before, resource.getpagesize()) / 2**20
