"""Where records live: the stores, and how one is named.

Knows which stores there are. Must not know who uses them.
"""

from __future__ import annotations

from rhtmx_server.ports import Store
from rhtmx_server.stores.hidden_password import hide_password
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.stores.sqlite import FileOptions, SqliteStore

__all__ = ["FileOptions", "MemoryStore", "SqliteStore", "open_store"]

_EXAMPLES = (
    "sqlite:///app.db (a file here), sqlite:////var/lib/app.db (an absolute path), "
    "postgresql://user:password@host/database "
    "or memory:// (gone when the server stops)"
)


def open_store(url: str) -> Store:
    """Make the store that a URL names; its `open` has yet to be awaited.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…` or `memory://`.

    Raises:
        ValueError: no such store, with what to write instead; or its driver is not installed.

    Example:
        >>> open_store("sqlite:///app.db")
        <SqliteStore app.db>
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{hide_password(url)!r} is not the URL of a store: write {_EXAMPLES}")
    if scheme == "memory":
        if rest:
            raise ValueError(f"{url!r}: nothing follows memory://, it is one store per process")
        return MemoryStore()
    if scheme == "sqlite":
        return SqliteStore(_path(url, rest))
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    raise ValueError(
        f"{hide_password(url)!r}: there is no store of kind {scheme!r}: write {_EXAMPLES}"
    )


def _postgres(url: str) -> Store:
    try:
        from rhtmx_server.stores.postgres import PostgresStore
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise ValueError(
            "the store on PostgreSQL needs asyncpg, which is not installed: "
            "pip install 'rhtmx[postgres]', or '.[postgres]' in a checkout"
        ) from None
    return PostgresStore(url)


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
