"""The budgets: what the figures have to reach, and whether they do.

Each names one row of one table. A budget is met by the median; where a round
missed it, that is said as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks import (
    asgi,
    catch_up,
    centrifugo,
    clients_chromium,
    clients_python,
    codec,
    growth,
    scopes,
)
from benchmarks.support import damage
from benchmarks.support.earlier import BEFORE_PARTS
from benchmarks.support.figures import ratio, short

PUSH = "Durable pushes: acknowledged per second of wall time"
FAN_OUT = "Fan-out: deliveries per CPU second of the server"
PACED = "Fan-out, paced: deliveries per CPU second of the server"
LATENCY = "Latency, p50: a push until the change on another socket"
CATCH_UP = "Catch-up of one client: records per CPU second of the server"
CODEC = "Codec: µs for a message"
MEMORY = "Memory per connection"
STALLED = "100 stalled readers among 1,000"


@dataclass(frozen=True, slots=True)
class Budget:
    """One of them.

    Args:
        words: what is asked.
        benchmark: which one shows it.
        title: of the table.
        case: in it.
        subject: the row; its ratio counts, or its own median if it is ours.
        least: what the figure must reach.
        most: what it must not exceed.
    """

    words: str
    benchmark: str
    title: str
    case: str
    subject: str
    least: float | None = None
    most: float | None = None

    def figures(self, figures: Mapping[str, Any]) -> Mapping[str, float]:
        """The median, low and high of what counts.

        Raises:
            LookupError: it was not measured, as a peer that is not installed is not.
        """
        for table in figures[self.benchmark]["tables"]:
            for row in table["rows"]:
                place = (table["title"], row["case"], row["subject"])
                if place == (self.title, self.case, self.subject):
                    found: Mapping[str, float] = row["ratio"] or row
                    return found
        raise LookupError(f"{self.words}: no {self.subject!r} in {self.title!r}, {self.case!r}")

    def allows(self, value: float) -> bool:
        """Whether a figure is within it."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    @property
    def limit(self) -> str:
        """What is asked, as a figure."""
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


def _fan_out(words: str, burst: int, subject: str, least: float, count: str = "500") -> Budget:
    case = f"{count} subscribers, {burst:2} a tick, JSON"
    return Budget(f"fan-out, {count} clients, {words}", "fan_out", FAN_OUT, case, subject, least)


def _paced(pace: str, subject: str, least: float) -> Budget:
    case, words = f"500 subscribers, {pace}", f"fan-out, 500 clients, {pace}, ÷ {subject}"
    return Budget(words, "fan_out", PACED, case, subject, least)


def _growth(burst: int) -> Budget:
    return Budget(
        f"deliveries at 5,000 clients, as a part of those at 500, {burst} a tick",
        "growth", growth.RELATIVE, f"5,000 subscribers, {burst:2} a tick, JSON", "rhtmx", 0.8,
    )  # fmt: skip


def _pushes(words: str, subject: str, least: float) -> Budget:
    return Budget(
        f"durable pushes, 64 sockets, ÷ {words}", "durable_pushes", PUSH,
        " 64 x 16 under way, JSON", subject, least,
    )  # fmt: skip


def _latency(rate: str) -> Budget:
    return Budget(
        f"latency at {rate} a second, p50 ÷ (echo + one fsync)", "latency", LATENCY,
        f"{rate} a second, JSON", "echo + one fsync", most=2.2,
    )  # fmt: skip


def _catch_up(form: str) -> Budget:
    return Budget(
        f"catch-up of 100,000 records, {form}, ÷ bare SELECT-and-send", "catch_up", CATCH_UP,
        f"100,000 records, {form}", "SELECT, joined frames", 0.4,
    )  # fmt: skip


def _codec(case: str, subject: str = "rhtmx", *, most: float) -> Budget:
    words = f"{case}, µs" if subject == "rhtmx" else f"{case}, ÷ {subject}"
    return Budget(words, "codec", CODEC, f"Python, {case}", subject, most=most)


def _hostile(words: str, case: str, most: float) -> Budget:
    words = f"beside the worst hostile peer: {words}"
    return Budget(words, "hostile", damage.WORST, case, "rhtmx", most=most)


def _parts_fan_out(burst: int) -> Budget:
    return Budget(
        f"5,000 subscribers in 500 scopes, {burst} a tick, ÷ an entity for each scope",
        "scopes", scopes.FAN_OUT, f"5,000 subscribers, 10 for each change, {burst:2} a tick",
        scopes.UNSCOPED, most=1.15,
    )  # fmt: skip


def _unused(words: str, case: str) -> Budget:
    words = f"without parts and rules: {words} ÷ before there were any"
    subject = f"rhtmx at {BEFORE_PARTS[:7]}"
    return Budget(words, "scopes", scopes.UNUSED, case, subject, least=0.97)


BUDGETS = (
    _fan_out("bursts of 10, ÷ socketify", 10, "socketify", 1.0),
    _fan_out("bursts of 10, ÷ `websockets.broadcast`", 10, "websockets.broadcast", 7.0),
    _fan_out("one change a tick, ÷ `websockets.broadcast`", 1, "websockets.broadcast", 1.1),
    _fan_out("one change a tick, ÷ `ws` on Node", 1, "ws", 1.5),
    _fan_out("one change a tick, ÷ picows", 1, "picows", 0.85),
    _fan_out("one change a tick, ÷ Centrifugo", 1, "Centrifugo", 1.5),
    _fan_out("one change a tick, ÷ `ws` on Node", 1, "ws", 1.3, "2,000"),
    _fan_out("one change a tick, ÷ picows", 1, "picows", 0.9, "2,000"),
    _paced("10 every 10 ms", "Centrifugo", 2.5),
    _paced("10 every 10 ms", "picows", 4.0),
    _paced("single ones, Poisson, 200/s", "Centrifugo", 2.0),
    _paced("single ones, Poisson, 200/s", "picows", 1.2),
    _growth(1),
    _growth(10),
    _pushes("the bare store", "the bare store, group commit", 0.3),
    _pushes("one commit a push", "the bare store, a commit each", 8.0),
    *map(_latency, ("100", "1,000", "5,000")),
    Budget(
        "latency with `memory://` at 1,000 a second, p50 ÷ Centrifugo",
        "centrifugo", centrifugo.IN_MEMORY, "1,000 a second", centrifugo.THEIRS, most=1.3,
    ),
    Budget(
        "handshakes, 2,000 sockets, ÷ picows", "handshakes",
        "Handshakes per CPU second of the server", "2,000 sockets", "picows", 1.0,
    ),
    Budget(
        "1,000 clients resume with 20 missed, CPU ÷ Centrifugo's recovery", "catch_up",
        catch_up.RETURNED, "1,000 clients, 20 changes each", catch_up.CENTRIFUGO, most=1.1,
    ),
    *map(_catch_up, ("JSON", "binary")),
    _codec("JSON decode, push", most=2.0),
    _codec("JSON encode, change", most=2.0),
    _codec("binary decode, push", most=4.0),
    _codec("binary encode, change", most=4.0),
    _codec("binary decode, push", "betterproto2", most=0.1),
    _codec("binary encode, change", "betterproto2", most=0.1),
    Budget(
        "JSON decode with needless escapes ÷ without", "codec", codec.NEEDLESS,
        "as json.dumps escapes", "without escapes", most=2.0,
    ),
    Budget("idle connection, KiB", "memory", MEMORY, "idle", "rhtmx", most=20.0),
    Budget(
        "idle connection with deflate, KiB", "memory", MEMORY, "idle, deflate", "rhtmx", most=25.0
    ),
    Budget(
        "100 stalled readers among 1,000: p99 of the others ÷ with none stalled",
        "memory", f"{STALLED}: the wait of the others", "p99", "rhtmx, none stalled", most=1.2,
    ),
    Budget(
        "100 stalled readers: changes until they are out of the live stream",
        "memory", f"{STALLED}: until they are out of the live stream",
        "since too much was waiting for them", "rhtmx", most=1.0,
    ),
    _hostile("p99 of a well-behaved client, ms", damage.P99, most=100),
    _hostile("the same ÷ that of the client alone", damage.SLOWED, most=3),
    _hostile("memory of the server, MiB more", damage.GROWN, most=32),
    _hostile("memory 10 s after, MiB more", damage.KEPT, most=4),
    *map(_parts_fan_out, (1, 50)),
    Budget(
        "catch-up of 20 records of a part of 1,000,000 ÷ of one of 20",
        "scopes", scopes.CATCH_UP, "20 records of a part, 1,000,000 in all",
        "rhtmx, an entity of 20", most=3.0,
    ),
    Budget(
        "pushes with three rules ÷ without rules",
        "scopes", scopes.PUSHES, "200 under way, three rules",
        "rhtmx, as many parts, without rules", least=0.9,
    ),
    Budget(
        "rights that change, 1,000 records, ÷ a first load",
        "scopes", scopes.RESCOPE, "1,000 records", "rhtmx, a first load", most=1.2,
    ),
    Budget(
        "mounted under uvicorn with `--ws`, fan-out, bursts of 10, ÷ the own port",
        "asgi", asgi.RATES, "500 subscribers, 10 a tick, JSON", asgi.OWN_PORT, least=0.35,
    ),
    Budget(
        "mounted under uvicorn with `--ws`, latency at 1,000 a second, ÷ the own port",
        "asgi", asgi.WAITS, "1,000 a second, JSON", asgi.OWN_PORT, most=1.6,
    ),
    Budget(
        "10,000 writes of a page in one task until all are on the disk, s",
        "clients_chromium", clients_chromium.LASTED, "10,000 writes in one task", "rhtmx", most=3,
    ),
    Budget(
        "a page that loads 100,000 records: CPU of its main thread, s",
        "clients_chromium", clients_chromium.BUSY, "100,000 records from the server", "rhtmx",
        most=6,
    ),
    Budget(
        "the same ÷ bare IndexedDB, which has no socket",
        "clients_chromium", clients_chromium.BUSY, "100,000 records from the server",
        clients_chromium.BARE, most=1.5,
    ),
    Budget(
        "a page that opens with 100,000 stored records ÷ bare IndexedDB",
        "clients_chromium", clients_chromium.BUSY, "100,000 records that are stored",
        clients_chromium.BARE, most=1.5,
    ),
    Budget(
        "Python client: memory of a record that was looked at, KiB",
        "clients_python", clients_python.MEMORY, "100,000 records, somebody looks at each",
        "rhtmx", most=0.7,
    ),
    _unused("deliveries", "deliveries, 500 subscribers, 10 a tick"),
    _unused("pushes", "pushes, 200 under way"),
    _unused("catch-up of 20 records", "records, 20 missed"),
    _unused("catch-up of 2,000 records", "records, 2,000 missed"),
)  # fmt: skip
"""All of them."""


def table(figures: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a table in Markdown: each budget, and what was reached."""
    yield "| budget | asked | reached | |"
    yield "|---|---:|---:|---|"
    for budget in BUDGETS:
        try:
            found = budget.figures(figures)
        except LookupError:
            yield f"| {budget.words} | {budget.limit} |  | not measured |"
            continue
        shown = short if budget.subject == "rhtmx" else ratio
        reached = f"{shown(found['median'])} ({shown(found['low'])} … {shown(found['high'])})"
        yield f"| {budget.words} | {budget.limit} | {reached} | {_verdict(budget, found)} |"


def _verdict(budget: Budget, found: Mapping[str, float]) -> str:
    if not budget.allows(found["median"]):
        return "**missed**"
    always = budget.allows(found["low"]) and budget.allows(found["high"])
    return "met" if always else "met, not in every round"
