"""For the Django application that writes mirrored tables: triggers by a migration, or signals.

Knows Django's migrations and signals, and the outbox. Must not know the server: it may run
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections, models
from django.db.migrations import RunPython
from django.db.models import signals

from rhtmx_server.mirror.host import OUTBOX, KeyColumns, TableName
from rhtmx_server.mirror.keys import key_text
from rhtmx_server.mirror.triggers import (
    drop_outbox_statements,
    drop_statements,
    outbox_statements,
    trigger_statements,
)

__all__ = ["create_outbox", "create_triggers", "note_writes"]


def create_outbox(outbox: str = OUTBOX) -> RunPython:
    """The operation of a migration that makes the outbox. Undone, it drops it.

    Args:
        outbox: its name.
    """
    return _operation(
        lambda dialect: outbox_statements(dialect, outbox),
        lambda dialect: drop_outbox_statements(outbox),
    )


def create_triggers(table: str, key: KeyColumns = "id", outbox: str = OUTBOX) -> RunPython:
    """The operation of a migration that has triggers of a table fill the outbox.

    They see what any program writes by any way: `save`, `bulk_create`, `update`, SQL.

    Args:
        table: its name in the database: `db_table`.
        key: the column that identifies a row, or the columns.
        outbox: the name of the outbox.

    In a migration: `operations = [create_outbox(), create_triggers("shop_order")]`.
    """
    return _operation(
        lambda dialect: trigger_statements(dialect, table, key, outbox),
        lambda dialect: drop_statements(dialect, table, outbox),
    )


def note_writes(*watched: Any, outbox: str = OUTBOX) -> None:
    """Have the outbox note which rows of some models are saved and deleted, also by a proxy.

    For a database where you may not make triggers; these see more: `bulk_create`, `bulk_update`,
    `update`, `delete` in the database (`DB_CASCADE`) and SQL send no signals. A model that is saved
    outside of a transaction is refused, before anything is written: the row and its note have to be
    committed together.

    Args:
        watched: the models, as they are mirrored: by their primary key.
        outbox: the name of the outbox.

    Raises:
        RuntimeError: later, at a `save` outside of `transaction.atomic`.
    """
    for each in watched:
        _watch(each._meta.concrete_model, outbox)


def _watch(model: Any, outbox: str) -> None:
    name, table = f"rhtmx {outbox} {model._meta.label}", model._meta.db_table
    key_name = model._meta.pk.attname

    def require(sender: Any, using: str, **_: object) -> None:
        if not connections[using].in_atomic_block:
            raise RuntimeError(
                f"{sender.__name__} is mirrored: save it within transaction.atomic(), "
                "or set ATOMIC_REQUESTS"
            )

    def note(sender: Any, instance: models.Model, using: str, **_: object) -> None:
        quote = connections[using].ops.quote_name
        place = ".".join(map(quote, str(TableName.of(outbox)).split(".")))
        with connections[using].cursor() as cursor:
            statement = f"INSERT INTO {place} (table_name, row_key) VALUES (%s, %s)"  # noqa: S608
            key = getattr(instance, key_name)
            cursor.execute(statement, [table, key_text(key if isinstance(key, tuple) else (key,))])

    def listen(sender: Any, **_: object) -> None:
        if issubclass(sender, model):
            # `delete` is a transaction of its own accord.
            signals.pre_save.connect(require, sender=sender, weak=False, dispatch_uid=name)
            for after in (signals.post_save, signals.post_delete):
                after.connect(note, sender=sender, weak=False, dispatch_uid=name)

    # A signal is of the class that is saved: a proxy writes the same table, and so does a model
    # that has the fields of this one. Some may be defined later.
    for each in _family(model):
        listen(each)
    signals.class_prepared.connect(listen, weak=False, dispatch_uid=name)


def _family(model: Any) -> Iterator[Any]:
    """A model, and all that inherit from it."""
    yield model
    for each in model.__subclasses__():
        yield from _family(each)


def _operation(do: Callable[[str], list[str]], undo: Callable[[str], list[str]]) -> RunPython:
    def run(make: Callable[[str], list[str]]) -> Callable[[Any, Any], None]:
        def change(apps: object, editor: Any) -> None:
            for each in make(editor.connection.vendor):
                editor.execute(each, None)  # `None`: `%` stands for itself

        return change

    return RunPython(run(do), run(undo))
