"""What tells the nodes of a cluster of each other's commits: the buses, and how one is named.

Knows which buses there are. Must not know who uses them, nor what they carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rhtmx_server.buses.memory import MemoryBus
from rhtmx_server.buses.nats_url import read_nats_url
from rhtmx_server.buses.reconnecting import ReconnectingBus
from rhtmx_server.sharing import Bus

__all__ = ["MemoryBus", "ReconnectingBus", "open_bus"]

_EXAMPLES = (
    "nats://host:4222 (tls://host:4222 with TLS), notify: (the store's PostgreSQL) "
    "or memory://NAME (within one process)"
)


def open_bus(url: str, *, store: str = "") -> Bus:
    """Make the bus that a URL names; its `open` has yet to be awaited.

    Args:
        url: `nats://user:password@host:port,host2:port?subject=…`, `nats://token@host`, the same
            with `tls://`, `notify:`, or `memory://NAME`. Options of NATS: `subject=` what the
            subjects begin with, `credentials=` a `.creds` file, and with `tls://` `ca=`, `cert=`
            and `key=`, files in PEM.
        store: the URL of the store; `notify:` connects to its database, and has to reach it
            without a pooler between.

    Raises:
        ValueError: no such bus, with what to write instead; or its driver is not installed.

    Example:
        >>> open_bus("memory://test")
        <MemoryBus memory://test>
    """
    scheme, separator, rest = url.partition(":")
    match scheme if separator else "":
        case "memory" if rest.startswith("//") and len(rest) > len("//"):
            return MemoryBus(rest.removeprefix("//"))
        case "nats" | "tls" if rest.startswith("//"):
            options = read_nats_url(url)
            with _driver("nats", "NATS", "nats"):
                from rhtmx_server.buses.nats import NatsCarrier
            return ReconnectingBus(NatsCarrier(options))
        case "notify":
            _check_notify(rest, store)
            with _driver("asyncpg", "PostgreSQL", "postgres"):
                from rhtmx_server.buses.notify import NotifyCarrier
            return ReconnectingBus(NotifyCarrier(store))
        case _:  # not the whole of it: it may hold a password
            raise ValueError(f"{scheme[:20]!r} names no bus: write {_EXAMPLES}")


def _check_notify(rest: str, store: str) -> None:
    if rest:
        raise ValueError("nothing follows notify: it is the database of the store")
    if store.partition("://")[0] not in ("postgresql", "postgres"):
        raise ValueError("the bus notify: needs a store on PostgreSQL (postgresql://…)")


@contextmanager
def _driver(module: str, what: str, extra: str) -> Iterator[None]:
    """Say what to install, where the driver of a bus is not."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module:
            raise
        raise ValueError(
            f"the bus on {what} needs a driver that is not installed: "
            f"pip install 'rhtmx[{extra}]', or '.[{extra}]' in a checkout"
        ) from None
