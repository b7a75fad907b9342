"""Where records live: the stores, and how one is named.

Knows which stores there are. Must not know who uses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rhtmx_server.hidden_password import hide_password
from rhtmx_server.ports import Store
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.stores.moving import Mover
from rhtmx_server.stores.sqlite import FileOptions, SqliteMover, SqliteStore

__all__ = ["FileOptions", "MemoryStore", "SqliteStore", "open_mover", "open_store"]

_EXAMPLES = (
    "sqlite:///app.db (a file here), sqlite:////var/lib/app.db (an absolute path), "
    "postgresql://user:password@host/database "
    "or memory:// (gone when the server stops)"
)


def open_store(url: str, *, shared: bool = False) -> Store:
    """Make the store that a URL names; its `open` has yet to be awaited.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…` or `memory://`.
        shared: several servers are to use it. One that is for one server alone says so by its
            property `shared`.

    Raises:
        ValueError: no such store, with what to write instead; or its driver is not installed.

    Example:
        >>> open_store("sqlite:///app.db")
        <SqliteStore app.db>
    """
    match _taken_apart(url):
        case "memory", _:
            return MemoryStore()
        case "sqlite", rest:
            return SqliteStore(_path(url, rest))
        case _:
            with _driver():
                from rhtmx_server.stores.postgres import PostgresStore
            return PostgresStore(url, shared=shared)


def open_mover(url: str) -> Mover:
    """Make what copies a store, or into it; its store has yet to be opened.

    Args:
        url: of a store that lasts.

    Raises:
        ValueError: no such store, with what to write instead.
    """
    match _taken_apart(url):
        case "memory", _:
            raise ValueError(
                "memory:// holds nothing that could be copied: name a store that lasts"
            )
        case "sqlite", rest:
            return SqliteMover(SqliteStore(_path(url, rest), filling=True))
        case _:
            with _driver():
                from rhtmx_server.stores.postgres import PostgresMover, PostgresStore
            return PostgresMover(PostgresStore(url, filling=True))


def _taken_apart(url: str) -> tuple[str, str]:
    """The kind of a store, and the rest of its URL."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{hide_password(url)!r} is not the URL of a store: write {_EXAMPLES}")
    if scheme == "memory" and rest:
        raise ValueError(f"{url!r}: nothing follows memory://, it is one store per process")
    if scheme not in ("memory", "sqlite", "postgresql", "postgres"):
        raise ValueError(
            f"{hide_password(url)!r}: there is no store of kind {scheme!r}: write {_EXAMPLES}"
        )
    return scheme, rest


@contextmanager
def _driver() -> Iterator[None]:
    """Say what to install, where the driver of PostgreSQL is not."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise ValueError(
            "the store on PostgreSQL needs asyncpg, which is not installed: "
            "pip install 'rhtmx[postgres]', or '.[postgres]' in a checkout"
        ) from None


def _path(url: str, rest: str) -> str:
    slash, path = rest[:1], rest[1:]
    if slash != "/":
        raise ValueError(f"{url!r} lacks a slash: write sqlite:///{rest or 'app.db'}")
    if not path:
        raise ValueError(f"{url!r} names no file: write {_EXAMPLES}")
    if path == ":memory:":
        raise ValueError(f"{url!r}: for a store without a file write memory://")
    if "?" in path:
        raise ValueError(f"{url!r}: options after '?' are not known, leave them out")
    return path
