"""The server's settings, with the values that are safe by default.

Knows which settings there are and which values make sense. Must not know where
they come from (arguments, environment, code) nor who reads them.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TypeAlias

__all__ = ["LOG_FORMATS", "LOG_LEVELS", "PARTS", "Config"]

LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")

PARTS = ("client", "health", "legacy", "metrics", "reads", "schema")
"""What is served beside `/api/ws`, and can be left out."""

Range: TypeAlias = tuple[float, float]

_WHOLE: Mapping[str, Range] = {
    "port": (0, 65_535),
    "entities": (1, 10_000_000),
    "max_size": (1_024, 64 * 1024 * 1024),
    "outbox": (1_024, 1024 * 1024 * 1024),
    "subscriptions": (1, 100_000),
    "requests": (1, 100_000),
    "pushes_in_flight": (1, 100_000),
    "rooms": (1, 100_000),
    "room_members": (1, 1_000_000),
    "room_members_per_subject": (1, 1_000_000),
    "memberships_per_subject": (1, 10_000_000),
    "room_messages": (1, 1_000_000),
    "bad_messages": (0, 1_000_000),
    "messages_per_second": (0, 1_000_000_000),
    "bytes_per_second": (0, 1024 * 1024 * 1024 * 1024),
    "deflate_level": (1, 9),
    "deflate_threshold": (0, math.inf),
    "gzip_level": (1, 9),
    "gzip_threshold": (0, math.inf),
    "handshakes": (1, 1_000_000),
    "connections": (1, 10_000_000),
    "connections_per_address": (1, 10_000_000),
    "connections_per_subject": (1, 10_000_000),
    "validator_threads": (1, 1_024),
    "grpc_max_size": (1_024, 64 * 1024 * 1024),
    "grpc_streams": (1, 1_000_000),
    "grpc_connections": (1, 1_000_000),
    "clients": (1, 1_000_000_000),
    "grpc_calls": (1, 1_000_000),
    "grpc_outbox": (1_024, 1024 * 1024 * 1024),
}
_NUMBERS: Mapping[str, Range] = {
    "heartbeat": (0.05, 3_600),
    "stall_timeout": (0.05, 3_600),
    "handshake_timeout": (0.05, 3_600),
    "stop_timeout": (0, 3_600),
    "history_days": (0, 36_500),
    "tombstone_days": (0, 36_500),
    "validator_timeout": (0.001, 3_600),
    "check_budget": (0.0001, 3_600),
    "receipt_seconds": (0, 3_600),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {"log_format": LOG_FORMATS, "log_level": LOG_LEVELS}
_SECRET = 16
_NODE_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of a server. Checks itself: a `Config` that exists makes sense.

    Args:
        host: the address to listen on. The default is this machine only.
        port: the port; 0 takes a free one.
        origins: pages from other origins that may connect, exactly as browsers
            send them: `https://example.com`. Pages of the server's own origin
            always may.
        open: whether everybody who reaches the server may read and write everything,
            where it asks nobody who they are and other machines reach it.
        node_name: what clients are told of which of several servers they are connected to, up to 64
            letters, digits and `._:-`. By default it is random, and another one after each start: a
            name of the machine is for everybody to see.
        inspector: whether `/inspector` is served, a page that shows the schema and the records, to
            each who opens it as far as they may read them.
        without: what is not served, of `client` (`/api/client.js`, `/api/forms.js`), `health`
            (`/healthz`, `/readyz`), `metrics` (`/metrics`), `reads` (`/api/sync/…` and
            `/api/field-sync/…` over plain HTTP), `legacy` (the two old WebSocket endpoints)
            and `schema` (`/api/schema`, `/api/asyncapi`).
        entities: how many there may be, those that the app declares aside: each
            that was ever written is remembered for good.
        max_size: of one message, in bytes, after decompression.
        outbox: bytes that wait to be sent on one connection before its reader
            counts as slow and reads from the store.
        subscriptions: entities subscribed to at a time, per connection.
        requests: requests (not pushes) that wait for their answer, per connection.
        pushes_in_flight: pushes that wait to be durable, per connection, before
            the server stops reading from it.
        rooms: rooms entered at a time, per connection.
        room_members: members of one room.
        room_members_per_subject: of these, clients of one subject, at one server.
        memberships_per_subject: rooms of which the clients of one subject are members, each
            client and room counted once, at one server.
        room_messages: messages that a connection tells in a room, a second; twice as many
            at once.
        bad_messages: how many messages of a connection may not be understood.
        messages_per_second: messages of a connection; twice as many at once. 0 for no limit.
        bytes_per_second: bytes of them, likewise. 0 for no limit.
        handshakes: peers that have yet to say what they want, for the server.
        connections: open at a time, for the whole server: sockets and gRPC.
        connections_per_address: of these, from one IPv4 address or one /64 network
            of IPv6. Peers on this machine are not counted: most are proxies.
        connections_per_subject: of these, with a token of one subject.
        clients: how many clients are remembered at a time: those that number
            their pushes, and where there are tokens all that push.
        heartbeat: each side says something at least this often, in seconds.
        stall_timeout: seconds without progress after which a slow reader is cut off.
        handshake_timeout: seconds that a peer has to say what it wants.
        stop_timeout: seconds that stopping may take.
        io_uring: whether to write to many readers by `io_uring`, where Linux has and allows it.
        deflate: whether to compress for clients that offer permessage-deflate.
        deflate_level: 1 (fast) to 9 (small).
        deflate_threshold: bytes below which a message is sent as it is.
        gzip_level: the same for the legacy endpoints.
        gzip_threshold: the same for the legacy endpoints.
        history_days: how long each commit is kept.
        tombstone_days: how long deletions are kept; a client that was away for
            longer reads everything anew.
        validator_timeout: seconds for a validator that names no time of its own.
        validator_threads: how many blocking validators run at a time.
        check_budget: seconds that a check of an entity should take at most, and what fills
            in its records: all writes wait for it. The log names one that takes longer.
        receipt_seconds: how long a handler takes the receipt of a form, so that it need not run the
            form's validators again; 0: there are no receipts.
        secret: what receipts are signed with, 16 characters or more that nobody can guess. Servers
            of a cluster with the same one take each other's, and a server takes those of before
            its restart. By default it is random: those of others are worth nothing then.
        grpc_port: the port of the gRPC service; 0 takes a free one, `None` is off.
        grpc_host: the address to listen on. The default is this machine only;
            others need `grpc_cert` and `grpc_key`.
        grpc_max_size: of one message, in bytes.
        grpc_streams: calls at a time, per connection.
        grpc_connections: connections at a time.
        grpc_calls: calls a second, per connection.
        grpc_outbox: bytes that wait to be sent on one connection, over all of its
            streams, before no more is read from the store for them.
        grpc_cert: file of the server's certificate chain (PEM): speaks TLS.
        grpc_key: file of its key (PEM).
        grpc_client_ca: file of the certificates (PEM) that have to have signed
            those of clients; without it clients show none.
        log_format: `text` or `json`.
        log_level: `debug`, `info`, `warning` or `error`.
        tracing: whether what is done is traced with OpenTelemetry, as far as the program has set
            that up.

    Raises:
        ValueError: a setting makes no sense: its name, what is expected, and
            what it was.

    Example:
        >>> Config(port=70_000)
        Traceback (most recent call last):
        ...
        ValueError: port: a whole number from 0 to 65535 expected, got 70000
    """

    host: str = "127.0.0.1"
    port: int = 3000
    origins: tuple[str, ...] = ()
    open: bool = False
    inspector: bool = False
    node_name: str | None = None
    without: tuple[str, ...] = ()

    entities: int = 10_000
    max_size: int = 64 * 1024
    outbox: int = 256 * 1024
    subscriptions: int = 128
    requests: int = 64
    pushes_in_flight: int = 256
    rooms: int = 64
    room_members: int = 1000
    room_members_per_subject: int = 100
    memberships_per_subject: int = 1000
    room_messages: int = 50
    bad_messages: int = 10
    messages_per_second: int = 10_000
    bytes_per_second: int = 16 * 1024 * 1024

    handshakes: int = 6_000
    connections: int = 20_000
    connections_per_address: int = 1_000
    connections_per_subject: int = 1_000
    clients: int = 1_000_000

    heartbeat: float = 20.0
    stall_timeout: float = 10.0
    handshake_timeout: float = 10.0
    stop_timeout: float = 5.0

    io_uring: bool = True
    deflate: bool = True
    deflate_level: int = 6
    deflate_threshold: int = 1024
    gzip_level: int = 6
    gzip_threshold: int = 1024

    history_days: float = 7.0
    tombstone_days: float = 30.0

    validator_timeout: float = 5.0
    validator_threads: int = 8
    check_budget: float = 0.05

    receipt_seconds: float = 300.0
    secret: str | None = field(default=None, repr=False)

    grpc_port: int | None = None
    grpc_host: str = "127.0.0.1"
    grpc_max_size: int = 4 * 1024 * 1024
    grpc_streams: int = 1000
    grpc_connections: int = 1000
    grpc_calls: int = 5000
    grpc_outbox: int = 4 * 1024 * 1024
    grpc_cert: str | None = None
    grpc_key: str | None = None
    grpc_client_ca: str | None = None

    log_format: str = "text"
    log_level: str = "info"
    tracing: bool = False

    def __post_init__(self) -> None:  # noqa: C901 (a line for each kind of setting)
        for name in ("host", "grpc_host"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise _wrong(name, "an address or a host name", getattr(self, name))
        for name in ("grpc_cert", "grpc_key", "grpc_client_ca"):
            path = getattr(self, name)
            if path is not None and (not isinstance(path, str) or not path.strip()):
                raise _wrong(name, "a file", path)
        if self.grpc_port is not None:
            _check_number("grpc_port", self.grpc_port, (0, 65_535), int)
        for name in ("deflate", "io_uring", "open", "tracing"):
            if not isinstance(getattr(self, name), bool):
                raise _wrong(name, "true or false", getattr(self, name))
        for name, limits in _WHOLE.items():
            _check_number(name, getattr(self, name), limits, int)
        for name, limits in _NUMBERS.items():
            _check_number(name, getattr(self, name), limits, (int, float))
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise _wrong(name, " or ".join(choices), getattr(self, name))
        self._check_node_name()
        self._check_origins()
        self._check_without()
        self._check_secret()

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the port."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    @property
    def reached_from(self) -> str | None:
        """An address that other machines reach without a certificate; `None` for none."""
        hosts = [self.host]
        if self.grpc_port is not None and self.grpc_client_ca is None:
            hosts.append(self.grpc_host)  # else a certificate is needed to get in
        return next((host for host in hosts if not _local(host)), None)

    def agree(self) -> None:
        """Make sure that the settings go together; each alone makes sense already.

        Raises:
            ValueError: they do not: which, and what is missing.
        """
        if (self.grpc_cert is None) != (self.grpc_key is None):
            raise ValueError("grpc_cert and grpc_key go together: give both, or neither")
        if 0 < self.bytes_per_second < self.max_size:
            raise ValueError(
                f"bytes_per_second: at least max_size ({self.max_size}) expected, or no message "
                f"of that size could ever be sent; got {self.bytes_per_second}"
            )
        if self.tracing and find_spec("opentelemetry") is None:
            raise ValueError(
                "tracing: OpenTelemetry is not installed: pip install 'rhtmx[otel]', or '.[otel]' "
                "in a checkout"
            )
        if self.grpc_client_ca is not None and self.grpc_cert is None:
            raise ValueError("grpc_client_ca: needs grpc_cert and grpc_key")
        if self.grpc_port is not None and self.grpc_cert is None and not _local(self.grpc_host):
            raise ValueError(
                f"grpc_host: {self.grpc_host} can be reached from other machines: give grpc_cert "
                "and grpc_key for TLS, or listen on 127.0.0.1 and have a proxy end TLS"
            )

    def _check_node_name(self) -> None:
        name = self.node_name
        if name is not None and not (isinstance(name, str) and _NODE_NAME.fullmatch(name)):
            raise _wrong("node_name", "1 to 64 letters, digits and ._:-", name)

    def _check_without(self) -> None:
        names: object = self.without  # a word alone would be a list of its letters
        if isinstance(names, str):
            raise _wrong("without", f"a list of {', '.join(PARTS)}", names)
        for name in self.without:
            if name not in PARTS:
                raise _wrong("without", f"one of {', '.join(PARTS)}", name)
        object.__setattr__(self, "without", tuple(self.without))

    def _check_secret(self) -> None:
        secret = self.secret
        if secret is not None and not (isinstance(secret, str) and len(secret) >= _SECRET):
            # Without the value: it may be nearly right.
            raise ValueError(
                f"secret: {_SECRET} characters or more expected, that nobody can guess"
            )

    def _check_origins(self) -> None:
        if isinstance(self.origins, str):
            raise _wrong("origins", "a list of origins", self.origins)
        # A list would make the settings changeable, and unhashable.
        object.__setattr__(self, "origins", tuple(self.origins))
        for origin in self.origins:
            if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
                raise _wrong(
                    "origins",
                    "scheme and host as browsers send them, without path or wildcard, "
                    "like https://example.com or http://localhost:8080",
                    origin,
                )


def _local(host: str) -> bool:
    try:
        # Other names are not looked up: what they point to may change, and DNS may be down.
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_number(name: str, value: object, limits: Range, kinds: type | tuple[type, ...]) -> None:
    low, high = limits
    # True is an int in Python, and nobody means 1 by it.
    good = isinstance(value, kinds) and not isinstance(value, bool)
    if not good or not (low <= value <= high and math.isfinite(value)):  # type: ignore[operator, arg-type]
        what = "a whole number" if kinds is int else "a number"
        upto = "on" if high == math.inf else f"to {high:g}" if high < 1e6 else f"to {high:.0f}"
        raise _wrong(name, f"{what} from {low:g} {upto}", value)


def _wrong(name: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{name}: {expected} expected, got {value!r}")
