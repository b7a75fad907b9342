"""The settings of Django for the tests: it has one set of them in each process."""

from __future__ import annotations

from pathlib import Path

import django
from django.conf import settings
from django.db import connections

__all__ = ["configure", "use_databases"]

SQLITE = ("default", "lite")


def configure() -> None:
    """Set Django up, if no other test of this process has."""
    if settings.configured:
        return
    sqlite = {"ENGINE": "django.db.backends.sqlite3"}
    postgres = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "app"}
    settings.configure(
        DATABASES={**{alias: dict(sqlite) for alias in SQLITE}, "pg": postgres},
        USE_I18N=False,
        USE_TZ=True,
    )
    django.setup()


def use_databases(folder: Path, postgres: Path) -> None:
    """Say where the databases are, before the first connection is made.

    Args:
        folder: for the files of SQLite.
        postgres: where the socket of the PostgreSQL server is.
    """
    for alias in SQLITE:
        connections[alias].settings_dict["NAME"] = str(folder / f"{alias}.db")
    connections["pg"].settings_dict["HOST"] = str(postgres)
