"""The rules of a form, from its schema: of each field, and of the form as a whole.

Knows tables and entries. Must not know requests, nor who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from rhtmx.errors import Violation
from rhtmx.schema import Field, Message, judge
from rhtmx.schema import message as table_of
from rhtmx.schema.declared import Form as DeclaredForm
from rhtmx.schema.entered import entered
from rhtmx.schema.text import TextError
from rhtmx.values.form_value import Entry
from rhtmx.values.json_value import Json
from rhtmx_server.forms.entries import FieldKind, FormValues, text
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.rule_set import Ruleset
from rhtmx_server.schema.deliverable import undeliverable
from rhtmx_server.schema.engine import Engine
from rhtmx_server.verdicts import Invalid

__all__ = ["add_rules"]


_Beyond: TypeAlias = Callable[[Field | None, Mapping[str, Json]], Iterable[Violation]]
"""What only the server finds in the values of a form: of one field, or of the form as a whole."""


def add_rules(
    form: Form,
    declared: DeclaredForm[object],
    now: Callable[[], int],
    engine: Engine | None = None,
) -> None:
    """Give a form what its schema says.

    Args:
        form: it takes the rules.
        declared: what the schema says of it.
        now: nanoseconds since 1970.
        engine: judges the rules that are not compiled; `None` if all are.
    """
    table, beyond = declared.rules, _beyond(engine)
    for field in table.fields:
        rules, kind = _rules_of(field, now, beyond), FieldKind(_is_many(field), False)
        normalize = field.kind.clean if _is_text(field) else None
        form.ready_made(field.key, rules, kind, normalize, _cleaner_of(field))
    if table.rules or engine is not None:
        form.ready_made_check(_check_of(table, now, beyond))


def _beyond(engine: Engine | None) -> _Beyond:
    def find(field: Field | None, values: Mapping[str, Json]) -> Iterator[Violation]:
        if field is not None and field.deliverable:
            yield from undeliverable([field], values)
        if engine is not None:
            yield from engine.judge(values, fields=("" if field is None else field.name,))

    return find


def _is_text(field: Field) -> bool:
    return field.kind.word == "string"


def _is_many(field: Field) -> bool:
    return field.kind.item is not None


def _rules_of(field: Field, now: Callable[[], int], beyond: _Beyond) -> Ruleset:
    alone = table_of("", field)

    def check(entries: Sequence[Entry]) -> str | None:
        try:
            value = entered(field, [text(each) for each in entries])
        except TextError as wrong:
            return wrong.words
        values = {} if value is None else {field.key: value}
        found = [*judge(alone, values, now=now())] or [*beyond(field, values)]
        return found[0].message if found else None

    return check


def _cleaner_of(field: Field) -> Callable[[Sequence[Entry]], Json]:
    return lambda entries: entered(field, [text(each) for each in entries])


def _check_of(
    table: Message, now: Callable[[], int], beyond: _Beyond
) -> Callable[[FormValues], None]:
    fields = table_of("", *table.fields)

    def check(form: FormValues) -> None:
        try:
            values = _values(table, form)
        except TextError:
            return  # the field says so
        found = judge(table, values, now=now())
        # What the fields have to say comes first, and is said by them.
        own = found[len(judge(fields, values, now=now())) :]
        _refuse([*own, *beyond(None, values)])

    return check


def _values(table: Message, form: FormValues) -> dict[str, Json]:
    values: dict[str, Json] = {}
    for field in table.fields:
        value = entered(field, [text(each) for each in form.entries[field.key]])
        if value is not None:
            values[field.key] = value
    return values


def _refuse(found: Sequence[Violation]) -> None:
    if found:
        raise Invalid.several(
            Invalid(each.message, field=each.field, code=each.code) for each in found
        )
