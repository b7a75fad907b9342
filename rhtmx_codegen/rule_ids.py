"""The ids of the rules that a message has, as far as somebody can name them.

Knows the layout of `buf.validate`'s options. Must not know what a rule means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rhtmx_codegen.model import Message

__all__ = ["field_rule_ids", "rule_ids"]

_PREDEFINED = 1160
"""The number of the option that makes an extension a rule."""


def rule_ids(message: Message) -> frozenset[str]:
    """The ids of all rules of a message and of its fields."""
    found = set(_of_cel(message.rules)) if message.rules is not None else set[str]()
    for field in message.fields:
        if field.rules is not None:
            found |= field_rule_ids(field.rules)
    return frozenset(found)


def field_rule_ids(rules: Any) -> frozenset[str]:
    """The ids of the rules of a field, and of its items, keys and values.

    Args:
        rules: `buf.validate.FieldRules`.
    """
    found = set(_of_cel(rules))
    if rules.required:
        found.add("required")
    kind = rules.WhichOneof("type")
    if kind is not None:
        for descriptor, value in getattr(rules, kind).ListFields():
            if getattr(descriptor.message_type, "name", "") == "FieldRules":
                found |= field_rule_ids(value)
            elif descriptor.is_extension:
                found |= set(_predefined(descriptor))
            else:
                found.add(f"{kind}.{descriptor.name}")
    return frozenset(found)


def _of_cel(rules: Any) -> Iterator[str]:
    """Rules in CEL; one that is written as an expression only has that for its id."""
    yield from (rule.id for rule in rules.cel)
    yield from getattr(rules, "cel_expression", ())


def _predefined(extension: Any) -> Iterator[str]:
    for descriptor, value in extension.GetOptions().ListFields():
        if descriptor.is_extension and descriptor.number == _PREDEFINED:
            yield from _of_cel(value)
