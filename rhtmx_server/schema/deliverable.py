"""Addresses that mail could reach from anywhere: a rule that only the server judges. Pure.

Knows the rule of hand-written forms. Must not know other rules, nor where a record comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from rhtmx.errors import Violation
from rhtmx.schema.message import Field
from rhtmx.values.json_value import Json
from rhtmx_server.forms.rules import email

__all__ = ["undeliverable"]

_CODE = "deliverable"
_WORDS = "must be an email address that can receive mail"


def undeliverable(
    fields: Iterable[Field], data: Mapping[str, Json], changed: Collection[str] | None = None
) -> Iterator[Violation]:
    """Find the addresses that are none.

    Args:
        fields: those of addresses.
        data: what has them, as JSON.
        changed: the names of the fields that were written; `None` for all.

    Yields:
        A violation for each. What is no text, or required and not there, has one already.
    """
    for field in fields:
        if changed is not None and field.name not in changed:
            continue
        json = data.get(field.key)
        value = field.absent if json is None else field.read(json, "", None, 0, {})
        if isinstance(value, str) and _is_judged(field, value) and email(value) is not None:
            yield Violation(field.name, _CODE, field.words.get(_CODE, _WORDS))


def _is_judged(field: Field, value: str) -> bool:
    rules = field.rules
    return bool(value) or field.presence or not (rules.required or rules.ignore_zero)
