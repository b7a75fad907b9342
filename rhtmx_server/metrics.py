"""What the server counts and measures, in the form that Prometheus reads.

Knows the figures and their names. Must not know who takes them or why.

What is counted for every message is a plain number in a dictionary (0.1 µs; a
counter of the Prometheus client takes 0.6 µs, for its lock), read when the page
is asked for. Those may only be called on the event loop. Everything else is
rarer and goes through the Prometheus client, which is thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from rhtmx.messages import ErrorCode
from rhtmx.messages.tables import ERRORS, NAMES, Message

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of what `Metrics.render` returns."""

_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_COMMIT_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
_CHECK_SECONDS = (0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
_VALIDATOR_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


_TallyFamily: TypeAlias = CounterMetricFamily | GaugeMetricFamily


class Metrics:
    """The figures of one server. Each has a registry of its own.

    Attributes:
        subscriptions: gauge of the entities subscribed to, over all connections.
        lagging: gauge of the cursors that read from the store because their
            reader is slow, or new.
        outbox_bytes: gauge of the bytes that wait to be sent.
        rooms: gauge of the rooms that somebody at this server is in.
        room_members: gauge of the members that are connected to it, in all rooms.
        stalled: counter of the readers that were cut off.
        leads: gauge: 1 on the node that does what one does for all, and on a server alone.
        nodes: gauge of the servers that share the store, as far as this one knows.
        bus_connected: gauge: 1 if the bus to the other nodes is there.
        bus_dropped: gauge of the messages that were not sent to the others.
        log_gaps: gauge of how often the log was read for what the bus had not brought.
        batches_held: gauge of the batches that wait for what comes before them.

    A gauge may be set, or given a function to ask: `set_function`.

    Example:
        >>> metrics = Metrics()
        >>> metrics.opened("unified")
        >>> b'rhtmx_connections{endpoint="unified"} 1.0' in metrics.render()
        True
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Plain numbers, made into metrics when somebody asks: a counter of the library takes a lock
        # for each message.
        self._received: dict[type[Message], int] = dict.fromkeys(NAMES, 0)
        self._sent: dict[type[Message], int] = dict.fromkeys(NAMES, 0)
        self._refused: dict[ErrorCode, int] = {}
        self._called: dict[str, int] = {}
        self._connections: dict[str, int] = {}
        self._deliveries = 0
        self._dropped = 0
        self.registry.register(_Tallies(self._tallies))
        ProcessCollector(registry=self.registry)
        self.subscriptions = self._gauge("subscriptions", "Entities subscribed to.")
        self.lagging = self._gauge("lagging_cursors", "Cursors that read from the store.")
        self.rooms = self._gauge("rooms", "Rooms that somebody at this server is in.")
        self.room_members = self._gauge("room_members", "Members of rooms at this server.")
        self.outbox_bytes = self._gauge("outbox_bytes", "Bytes that wait to be sent.")
        self.stalled = Counter(
            "rhtmx_stalled", "Readers that were cut off.", registry=self.registry
        )
        self.leads = self._gauge("leads", "Whether this node does what one does for all.")
        self.nodes = self._gauge("nodes", "Nodes of the cluster that this one knows of.")
        self.bus_connected = self._gauge("bus_connected", "Whether the bus is there.")
        self.bus_dropped = self._gauge("bus_dropped", "Messages to other nodes that were not sent.")
        self.log_gaps = self._gauge("log_gaps", "How often commits of other nodes were read.")
        self.batches_held = self._gauge(
            "batches_held", "Batches that wait for what was committed before them."
        )
        self._sql_writes = self._counter(
            "sql_writes", "Writes from an application's own SQL.", "result"
        )
        self._mirrored, self._mirror_differences, self._mirror_lag = self._mirror_figures()
        self._abandoned = self._gauge(
            "validator_threads_abandoned", "Threads whose validator ran out of time."
        )
        self._handshakes = self._counter("handshakes_refused", "Refused handshakes.", "reason")
        self._room_refusals = self._counter("room_joins_refused", "No place in a room.", "reason")
        self._legacy = self._counter(
            "legacy_users", "Connections to deprecated endpoints.", "endpoint"
        )
        self._batch = self._histogram("commit_batch_size", "Mutations in a commit.", _BATCH_SIZES)
        self._commit = self._histogram("commit_seconds", "Time of a commit.", _COMMIT_SECONDS)
        self._validator = self._histogram(
            "validator_seconds", "Time of a validator.", _VALIDATOR_SECONDS, "form"
        )
        self._check = self._histogram(
            "check_seconds", "Time of a check or a prepare of a write.", _CHECK_SECONDS, "entity"
        )

    def opened(self, endpoint: str) -> None:
        """Count a connection of one endpoint, until it is `closed`."""
        self._connections[endpoint] = self._connections.get(endpoint, 0) + 1

    def closed(self, endpoint: str) -> None:
        """Count a connection of one endpoint no more."""
        self._connections[endpoint] -= 1

    def received(self, kind: type[Message]) -> None:
        """Count a message that came in."""
        self._received[kind] += 1

    def sent(self, kind: type[Message], count: int = 1) -> None:
        """Count messages that went out to one connection each."""
        self._sent[kind] += count

    def delivered(self, count: int) -> None:
        """Count changes handed to live subscribers: one for each change and subscriber."""
        self._deliveries += count

    def dropped(self, count: int) -> None:
        """Count ephemeral messages that slow readers were not told: one for each and reader."""
        self._dropped += count

    def refused(self, code: ErrorCode) -> None:
        """Count a request that was answered with an error."""
        self._refused[code] = self._refused.get(code, 0) + 1

    def called(self, method: str) -> None:
        """Count a call of a gRPC method."""
        self._called[method] = self._called.get(method, 0) + 1

    def committed(self, mutations: int, seconds: float) -> None:
        """Measure a batch of so many mutations that became durable in so many seconds."""
        self._batch.observe(mutations)
        self._commit.observe(seconds)

    def sql_writes(self, result: str, count: int) -> None:
        """Count writes from an application's own SQL that were `applied`, or `rejected`."""
        if count:
            self._sql_writes.labels(result).inc(count)

    def mirrored(self, entity: str, result: str, count: int) -> None:
        """Count records of a mirrored table that were `written`, or `rejected`."""
        if count:
            self._mirrored.labels(entity, result).inc(count)

    def mirror_differences(self, entity: str, kind: str, count: int) -> None:
        """Count records that were compared with their rows, and had to be `added` for example."""
        if count:
            self._mirror_differences.labels(entity, kind).inc(count)

    def mirror_lag(self, entity: str, lag: Callable[[], float]) -> None:
        """Ask for the seconds since when the records of a mirrored table may be behind."""
        self._mirror_lag.labels(entity).set_function(lag)

    def room_refused(self, reason: str) -> None:
        """Count a member for whom there was no place, by one of a few fixed reasons."""
        self._room_refusals.labels(reason).inc()

    def handshake_refused(self, reason: str) -> None:
        """Count a handshake that was refused, by one of a few fixed reasons."""
        self._handshakes.labels(reason).inc()

    def legacy_user(self, endpoint: str) -> None:
        """Count a connection to a deprecated endpoint."""
        self._legacy.labels(endpoint).inc()

    def validated(self, form: str, seconds: float) -> None:
        """Measure one validator of that form, whatever came of it."""
        self._validator.labels(form).observe(seconds)

    def checked(self, entity: str, seconds: float) -> None:
        """Measure one call of a check, or of what fills in records, of a declared entity."""
        self._check.labels(entity).observe(seconds)

    def abandoned(self, threads: int) -> None:
        """Add 1 or -1 to the threads that work on what nobody waits for. Thread-safe."""
        self._abandoned.inc(threads)

    def render(self) -> bytes:
        """Return all of it in the text format of Prometheus (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)

    def _mirror_figures(self) -> tuple[Counter, Counter, Gauge]:
        written = "Records of mirrored tables that were written or rejected."
        differences = "Records that differed from their rows when all were compared."
        lag = "Seconds since when the records of a mirrored table may be behind."
        return (
            self._counter("mirror_records", written, "entity", "result"),
            self._counter("mirror_differences", differences, "entity", "kind"),
            self._gauge("mirror_lag_seconds", lag, "entity"),
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"rhtmx_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"rhtmx_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"rhtmx_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _tallies(self) -> Iterable[_TallyFamily]:
        yield _family("messages_received", "Messages that came in.", "type", _named(self._received))
        yield _family("messages_sent", "Messages that went out.", "type", _named(self._sent))
        yield _family("grpc_calls", "Calls of gRPC methods.", "method", self._called)
        refused = {ERRORS[code].spelling: count for code, count in self._refused.items()}
        yield _family("rejected", "Requests answered with an error.", "code", refused)
        yield CounterMetricFamily(
            "rhtmx_deliveries",
            "Changes handed to live subscribers: one for each change and subscriber.",
            value=self._deliveries,
        )
        yield CounterMetricFamily(
            "rhtmx_ephemeral_dropped",
            "Ephemeral messages that slow readers were not told.",
            value=self._dropped,
        )
        connections = GaugeMetricFamily(
            "rhtmx_connections", "Open connections.", labels=["endpoint"]
        )
        yield _filled(connections, self._connections)


class _Tallies(Collector):
    """Reads the plain numbers when the page is asked for."""

    def __init__(self, families: Callable[[], Iterable[_TallyFamily]]) -> None:
        self._families = families

    def collect(self) -> Iterable[_TallyFamily]:
        """Return them as they are now."""
        return self._families()


def _named(counts: Mapping[type[Message], int]) -> dict[str, int]:
    # Without those that never came: 30 lines that say 0 hide the few that matter.
    return {NAMES[kind]: count for kind, count in counts.items() if count}


def _family(name: str, text: str, label: str, counts: Mapping[str, int]) -> _TallyFamily:
    return _filled(CounterMetricFamily(f"rhtmx_{name}", text, labels=[label]), counts)


def _filled(family: _TallyFamily, counts: Mapping[str, int]) -> _TallyFamily:
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
