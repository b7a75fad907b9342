"""Where a server keeps its records, and how it hears of what other servers write there.

Knows which store can be shared. Must not know what either is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from rhtmx_server.buses import open_bus
from rhtmx_server.ports import Store
from rhtmx_server.sharing import Bus, SharedStore
from rhtmx_server.sql_writes import SqlStore
from rhtmx_server.stores import open_store

__all__ = ["Storage", "open_storage"]

_DATABASES = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
"""The scheme of a URL → the name of the system."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A store, and the bus to the other servers that use it.

    Args:
        store: where records are kept.
        bus: `None` for a server that has its store to itself.
        database: the name of the system that keeps the records, by the conventions of
            OpenTelemetry; empty where there is none, or that is not known.
    """

    store: Store
    bus: Bus | None = None
    database: str = ""

    @property
    def shared(self) -> SharedStore | None:
        """The store, if others use it, too."""
        return cast(SharedStore, self.store) if self.store.shared else None

    @property
    def sql(self) -> SqlStore | None:
        """The store, if applications write beside it from their own SQL."""
        return self.store if isinstance(self.store, SqlStore) else None


def open_storage(store: str | Store, bus: str | Bus | None = None) -> Storage:
    """Make the store and the bus that are named; they have yet to be opened.

    Args:
        store: its URL, or one of the program's own.
        bus: likewise; without it, the server has the store to itself.

    Raises:
        TypeError: the store is something else.
        ValueError: there is no such store or bus, or they do not go together; the message begins
            with the name of the argument.
    """
    if not isinstance(store, str) and not hasattr(store, "shared"):  # a path, for example
        got = type(store).__name__
        raise TypeError(f"store: a URL such as 'sqlite:///app.db', or a Store expected, got {got}")
    try:
        made = store if not isinstance(store, str) else open_store(store, shared=bus is not None)
    except ValueError as reason:
        raise ValueError(f"store: {reason}") from None
    if made.shared is not (bus is not None):
        raise ValueError(
            "bus: servers that share a store need a bus, and others have no use for one: give both "
            "a store on PostgreSQL and a bus, or neither"
        )
    url = store if isinstance(store, str) else ""
    database = _DATABASES.get(url.partition(":")[0], "")
    if not isinstance(bus, str):
        return Storage(made, bus, database)
    try:
        return Storage(made, open_bus(bus, store=url), database)
    except ValueError as reason:
        raise ValueError(f"bus: {reason}") from None
