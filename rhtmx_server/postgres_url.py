"""Where a PostgreSQL is, and how it is used: the URL of a store.

Knows URLs. Must not connect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rhtmx_server.hidden_password import hide_password

__all__ = ["PostgresOptions", "read_url"]

_HOST = re.compile(r"(\[[^]]*\]|[^:\[\]]*)(:[0-9]*)?")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """How the database is used.

    Args:
        schema: the schema of the database in which the tables are; made if need be. Several
            applications may share a database, each with a schema of its own.
        connections: at most so many at once; one more watches that no other server writes.
        timeout: seconds after which a statement is given up, and a connection attempt.
        pooler: whether a pooler is between that gives out a connection for one transaction, as
            PgBouncer does in transaction mode.

    Raises:
        ValueError: a value that makes no sense.
    """

    schema: str = "rhtmx"
    connections: int = 8
    timeout: float = 30.0
    pooler: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.schema) or self.schema.startswith("pg_"):
            raise ValueError(
                f"schema={self.schema}: a name in lower case expected, of letters, digits and _, "
                "such as my_app"
            )
        if not 2 <= self.connections <= 1000:
            raise ValueError(f"connections={self.connections}: a number from 2 to 1000 expected")
        if not 0 < self.timeout <= 3600:
            raise ValueError(f"timeout={self.timeout:g}: seconds expected, at most 3600")


_DEFAULTS = PostgresOptions()


def read_url(url: str) -> tuple[str, PostgresOptions]:
    """Take our own options out of a URL.

    Args:
        url: as libpq reads it (`postgresql://user:password@host:port/database?sslmode=…`), with
            `schema`, `connections`, `timeout` and `pooler` among its options.

    Returns:
        The URL without them, and what they say.

    Raises:
        ValueError: a value that makes no sense, or no database.

    Example:
        >>> read_url("postgresql://db.example/app?sslmode=require&schema=shop")[0]
        'postgresql://db.example/app?sslmode=require'
    """
    parts = urlsplit(url)
    if not all(map(_HOST.fullmatch, parts.netloc.rpartition("@")[2].split(","))):
        raise ValueError(
            f"{hide_password(url)!r}: host:port expected, with a number; in a password write "
            "%2F for /, %3F for ?, %23 for #, %40 for @"
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not parts.path.strip("/") and not {"dbname", "database", "service"} & given.keys():
        raise ValueError(f"{hide_password(url)!r} names no database: write it after the host")
    schema = given.pop("schema", _DEFAULTS.schema)
    connections = _number(given.pop("connections", None), "connections", _DEFAULTS.connections)
    timeout = _number(given.pop("timeout", None), "timeout", _DEFAULTS.timeout)
    pooler = _switch(given.pop("pooler", None), "pooler")
    left = urlunsplit(parts._replace(query=urlencode(given)))
    return left, PostgresOptions(schema, int(connections), timeout, pooler)


def _switch(text: str | None, name: str) -> bool:
    if text not in (None, "true", "false"):
        raise ValueError(f"{name}={text}: true or false expected")
    return text == "true"


def _number(text: str | None, name: str, default: float) -> float:
    if text is None:
        return default
    try:
        return float(text) if name == "timeout" else int(text)
    except ValueError:
        raise ValueError(f"{name}={text}: a number expected") from None
