"""One message, in JSON Schema: its fields, and the rules across them.

Knows oneofs and rules like those, and which rules only the server can judge. Must not know how a
field is described, nor the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rhtmx_codegen.json_schema import extras
from rhtmx_codegen.json_schema.fields import Described, Describer
from rhtmx_codegen.rules.table import CelRow, MessageTable, OneofRow
from rhtmx_codegen.visible import Hidden

__all__ = ["message_schema"]


def message_schema(table: MessageTable, describer: Describer, hidden: Hidden) -> dict[str, Any]:
    """The definition of a message.

    Args:
        table: of it.
        describer: describes its fields.
        hidden: what is not to be seen.
    """
    message = table.message
    seen = {each.name for each in hidden.seen(message)}
    fields = {
        each.field.name: describer.field(each) for each in table.fields if each.field.name in seen
    }
    schema: dict[str, Any] = {"type": "object"}
    if message.comment:
        schema["description"] = message.comment
    schema["properties"] = {each.key: each.schema for each in fields.values()}
    required = [each.key for each in fields.values() if each.required]
    if required:
        schema["required"] = required
    whole = [part for row in table.rules for part in _across(row, fields)]
    if whole:
        schema["allOf"] = whole
    schema["additionalProperties"] = True
    keys = {each.name: each.key for each in message.fields}
    extra = extras.of_message(message, keys)
    if rules := list(_unsaid(table, hidden, keys)):
        extra["rules"] = rules
    if table.server_rules:
        said = [each for each in table.server_rules if not _is_hidden(table, each, hidden)]
        extra |= {"server_rules": said} if said else {}
    return {**schema, "x-rhtmx": extra} if extra else schema


def _across(row: CelRow | OneofRow, fields: dict[str, Described]) -> Iterator[dict[str, Any]]:
    """A rule about how many of some fields are there."""
    if isinstance(row, CelRow):
        return
    seen = [each for each in row.fields if each in fields]
    # A field that nobody sees may be the one that is there.
    required = row.required and len(seen) == len(row.fields)
    present = row.fields if row.name else row.present
    there = [_there(fields[each], zero=each not in present) for each in seen]
    if required:
        yield {"oneOf": there} if len(there) > 1 else there[0]
    elif len(there) > 1:
        yield {"oneOf": [*there, {"not": {"anyOf": there}}]}


def _there(field: Described, *, zero: bool) -> dict[str, Any]:
    """A field is there: it is not null, and if it shall not be, not zero."""
    nothing: list[dict[str, Any]] = [{"type": "null"}]
    if zero and field.zero is not None:
        nothing.append(field.zero)
    no = nothing[0] if len(nothing) == 1 else {"anyOf": nothing}
    return {"required": [field.key], "properties": {field.key: {"not": no}}}


def _unsaid(table: MessageTable, hidden: Hidden, keys: dict[str, str]) -> Iterator[dict[str, Any]]:
    for row in table.rules:
        if isinstance(row, CelRow) and not _is_hidden(table, row.id, hidden):
            (found,) = extras.of_rules([row], "")
            yield {**found, "reads": [keys[each] for each in sorted(row.expression.reads)]}


def _is_hidden(table: MessageTable, name: str, hidden: Hidden) -> bool:
    """Whether a rule in CEL speaks of a field that is not to be seen."""
    rules, owner = table.message.rules, table.message.full_name
    if rules is None:
        return False
    said = [*((each.id, each.expression) for each in rules.cel)]
    said += [(each, each) for each in rules.cel_expression]
    return any(hidden.mentions(text, owner) for known, text in said if name in (known, text))
