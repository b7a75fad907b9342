"""From an application's schema to what a server is told: entities, their rules, and forms.

Knows what a schema declares, and how a program declares it. Must not know what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rhtmx.schema.declared import Entity, Schema
from rhtmx_server.access.entity import Entity as DeclaredEntity
from rhtmx_server.forms.form import Form
from rhtmx_server.schema.engine import engine_of
from rhtmx_server.schema.forms import add_rules
from rhtmx_server.schema.merging import merge_of
from rhtmx_server.schema.records import RecordRules
from rhtmx_server.schema.rights import partitions_of, rules_of

__all__ = ["Declares", "declare", "require_nothing_said"]


class Declares(Protocol):
    """What a program says to a server."""

    def entity(
        self, name: str, *, fields: bool, merge: Any, partition: Any, conflicts: bool
    ) -> DeclaredEntity:
        """Declare an entity."""

    def form(self, name: str) -> Form:
        """Declare a form."""


def declare(
    app: Declares, schema: Schema, now: Callable[[], int], new_id: Callable[[], str]
) -> None:
    """Declare all that a schema has.

    Args:
        app: takes it.
        schema: as `rhtmx codegen` has generated it.
        now: nanoseconds since 1970.
        new_id: makes a UUID of version 7.

    Raises:
        TypeError: it is none.
        ValueError: something that cannot work, in words that say what to write.
        ImportError: what judges a rule is not installed.
    """
    if not isinstance(schema, Schema):
        raise TypeError(
            "App(schema=…): the `schema` of a package that `rhtmx codegen` has generated "
            f"expected, as `from app_schema import schema` gives it, got {schema!r:.60}"
        )
    for entity in schema.entities.values():
        engine = engine_of(schema, entity, "entity")
        _declare_entity(app, entity, RecordRules(entity, now, new_id, engine))
    for form in schema.forms.values():
        add_rules(app.form(form.name), form, now, engine_of(schema, form, "form"))


def require_nothing_said(
    entity: str, merge: object, partition: object, *, fields: bool, conflicts: bool
) -> None:
    """Refuse what is said once more of an entity that the schema declares.

    Raises:
        ValueError: something is.
    """
    if not fields or merge is not None or partition is not None or not conflicts:
        raise ValueError(
            f"entity {entity!r}: the schema says how it is kept, merged and divided: leave that "
            "out here"
        )


def _declare_entity(app: Declares, entity: Entity[Any], rules: RecordRules) -> None:
    declared = app.entity(
        entity.name,
        fields=not entity.whole,
        merge=None if entity.whole else merge_of(entity),
        partition=partitions_of(entity),
        conflicts=entity.conflicts,
    )
    rights = rules_of(entity)
    if rights:
        declared.access(
            read=rights["read"],
            create=rights["create"],
            update=rights["update"],
            delete=rights["delete"],
        )
    if rules.hidden:
        declared.hide(rules.hidden)
    if rules.fills:
        declared.prepare(rules.prepare)
    if rules.normalizes:
        declared.normalize = rules.normalize
    declared.judge, declared.judge_lost = rules.judge, rules.judge_lost
    declared.judge_is_ours = not rules.uses_engine
