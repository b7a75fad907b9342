"""Rules in CEL that an application writes: on a field, on a message, and those that it predefines.

Knows where `buf.validate` keeps them. Must not know CEL itself, nor how a row is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import message_factory

from rhtmx_codegen.cel import NOTHING, NotInSubset, compile_rule, option
from rhtmx_codegen.cel.types import ThisType
from rhtmx_codegen.model import Schema
from rhtmx_codegen.rules.standard import RuleError
from rhtmx_codegen.rules.table import CelRow

__all__ = ["custom_rows", "expressions", "predefined_rows"]

_PREDEFINED = 1160
"""The number of the option that makes an extension a rule."""


def custom_rows(options: Any, this: ThisType, schema: Schema) -> Iterator[CelRow | RuleError]:
    """The rules in CEL of a field or of a message.

    Args:
        options: `FieldRules` or `MessageRules`.
        this: what `this` is in them.
        schema: the schema.

    Yields:
        A row for each rule, or why there is none.
    """
    for rule in options.cel:
        yield _compiled(rule.id, rule.message, rule.expression, this, schema)
    for expression in options.cel_expression:
        yield _compiled(expression, "", expression, this, schema)


def predefined_rows(rules: Any, this: ThisType, schema: Schema) -> Iterator[CelRow | RuleError]:
    """The rules that an application has predefined, and of which a field makes use.

    Args:
        rules: one of `buf.validate`'s messages of rules, such as `StringRules`.
        this: what `this` is in them.
        schema: the schema.

    Yields:
        A row for each rule, or why there is none.
    """
    for descriptor, _ in rules.ListFields():
        if not descriptor.is_extension:
            continue
        found = list(expressions(descriptor))
        if not found:
            words = "it has no (buf.validate.predefined) that says what it means"
            yield RuleError(descriptor.full_name, words, is_rule=False)
        for rule in found:
            said = option(rules, descriptor)
            yield _compiled(
                rule.id, rule.message, rule.expression, this, schema, rule=said, rules=rules
            )


def expressions(extension: Any) -> Iterator[Any]:
    """The rules that an extension stands for.

    Args:
        extension: its descriptor.
    """
    # The library reads options by what the process's own pool knows; here, by the schema's.
    kind = extension.file.pool.FindMessageTypeByName("google.protobuf.FieldOptions")
    written = extension.GetOptions().SerializeToString()
    for descriptor, value in message_factory.GetMessageClass(kind).FromString(written).ListFields():
        if descriptor.is_extension and descriptor.number == _PREDEFINED:
            yield from value.cel


def _compiled(
    id: str,  # noqa: A002 (the schema's own word)
    message: str,
    text: str,
    this: ThisType,
    schema: Schema,
    *,
    rule: object = NOTHING,
    rules: object = None,
) -> CelRow | RuleError:
    name = id or text
    try:
        expression = compile_rule(text, this, schema, rule=rule, rules=rules)
    except NotInSubset as error:
        return RuleError(name, str(error))
    words = "" if expression.result == "string" else message or f"must satisfy {text}"
    return CelRow(name, words, expression)
