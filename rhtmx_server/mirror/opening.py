"""Which database a program means: by SQLAlchemy, or by Django.

Knows both by name, and loads neither before it is needed. Must not know what is read there.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable

from rhtmx_server.mirror.host import HostDatabase

__all__ = ["open_database"]


def open_database(table: object, source: object) -> tuple[Hashable, HostDatabase]:
    """The database of a table. It is not asked anything yet.

    Args:
        table: as it is declared: a name, a `Table` or a mapped class of SQLAlchemy, or a model of
            Django.
        source: an engine of SQLAlchemy or its URL; with a model, the alias of a database, or
            `None` for where the model is written.

    Returns:
        What is the same for all tables of one database, and the database.

    Raises:
        TypeError: `source` is something else.
        ValueError: there is no such database.
        ImportError: SQLAlchemy is not installed.
    """
    if "django.db" in sys.modules:  # else nobody has a model
        from rhtmx_server.mirror import django_tables

        if django_tables.is_model(table):
            alias = django_tables.alias_of(table, source)
            return ("django", alias), django_tables.DjangoDatabase(alias)
    try:
        from rhtmx_server.mirror import sqlalchemy_tables
    except ModuleNotFoundError as missing:
        if missing.name != "sqlalchemy":
            raise
        raise ImportError(
            "app.mirror() reads tables by SQLAlchemy, which is not installed: pip install "
            "'rhtmx[sqlalchemy]', or '.[sqlalchemy]' in a checkout"
        ) from missing
    engine = sqlalchemy_tables.engine_of(source)
    # A database in memory is that of its engine, whatever its URL.
    in_memory = engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:")
    named = id(engine) if in_memory else engine.url
    database = sqlalchemy_tables.SqlAlchemyDatabase(engine, owned=engine is not source)
    return ("sqlalchemy", named), database
