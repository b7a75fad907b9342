"""The rules of a form, from its schema: of each field, and of the form as a whole.

Knows tables and entries. Must not know requests, nor who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
from rhtmx_server.verdicts import Invalid

__all__ = ["add_rules"]


def add_rules(form: Form, declared: DeclaredForm[object], now: Callable[[], int]) -> None:
    """Give a form what its schema says.

    Args:
        form: it takes the rules.
        declared: what the schema says of it.
        now: nanoseconds since 1970.
    """
    table = declared.rules
    for field in table.fields:
        form.ready_made(field.key, _rules_of(field, now), FieldKind(_is_many(field), False))
    if table.rules:
        form.check(blocking=False)(_check_of(table, now))


def _is_many(field: Field) -> bool:
    return field.kind.item is not None


def _rules_of(field: Field, now: Callable[[], int]) -> Ruleset:
    alone = table_of("", field)

    def check(entries: Sequence[Entry]) -> str | None:
        try:
            value = entered(field, [text(each) for each in entries])
        except TextError as wrong:
            return wrong.words
        found = judge(alone, {} if value is None else {field.key: value}, now=now())
        return found[0].message if found else None

    return check


def _check_of(table: Message, now: Callable[[], int]) -> Callable[[FormValues], None]:
    fields = table_of("", *table.fields)

    def check(form: FormValues) -> None:
        try:
            values = _values(table, form)
        except TextError:
            return  # the field says so
        found = judge(table, values, now=now())
        # What the fields have to say comes first, and is said by them.
        _refuse(found[len(judge(fields, values, now=now())) :])

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
