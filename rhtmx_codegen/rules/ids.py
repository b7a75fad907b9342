"""The ids of rules: what violations have for their code.

Knows which codes the checks of a field can say. Must not know what a rule means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rhtmx.schema import form_checks
from rhtmx_codegen.emit_fields import is_immutable, is_server_only
from rhtmx_codegen.rules.table import CelRow, FieldTable, Row, ValueRules

__all__ = ["field_ids", "field_word", "row_id"]

_CODES = {"is_in": "in", "length": "len", "length_bytes": "len_bytes"}
_PREFIXES = ("any_", "paths_", "loose_")
_HEADERS = ("header_name", "header_value")
_READ = ("type", "range", "safe_integer", "finite")
"""What is said of a value that is none of its kind."""


def field_word(table: FieldTable) -> str:
    """What the ids of the rules of a field's whole value begin with."""
    many = {"list": "repeated", "map": "map"}
    return many.get(table.kind.many, table.kind.type.kind.value)


def row_id(check: str, word: str) -> str:
    """The id of a standard rule.

    Args:
        check: the name of its check.
        word: what the ids of its kind begin with.

    Example:
        >>> row_id("is_in", "string"), row_id("ip_bytes", "bytes")
        ('string.in', 'bytes.ip')
    """
    if check in _CODES:
        return f"{word}.{_CODES[check]}"
    for each in _PREFIXES:
        check = check.removeprefix(each)
    if word == "bytes":
        check = check.removesuffix("_bytes")
    return f"{word}.well_known_regex.{check}" if check in _HEADERS else f"{word}.{check}"


def field_ids(table: FieldTable) -> frozenset[str]:
    """All ids that a violation of a field can have, of its items, keys and values, too.

    Args:
        table: of the field.
    """
    kind, field = table.kind, table.field
    found = {*_READ, *_of(table.rules, field_word(table)), *_of(kind.items, kind.type.kind.value)}
    if kind.key is not None:
        found |= set(_of(kind.keys, kind.key.kind.value))
    if field.traits is not None and field.traits.read_only:
        found.add("read_only")
    if field.traits is not None and field.traits.deliverable:
        found.add("deliverable")
    if is_immutable(field):
        found.add("immutable")
    if is_server_only(field):
        found.add("server_only")
    return frozenset(found)


def _of(rules: ValueRules, word: str) -> Iterator[str]:
    if rules.required:
        yield "required"
    yield from _of_rows(rules.rows, word)


def _of_rows(rows: Iterable[Row | CelRow], word: str) -> Iterator[str]:
    for row in rows:
        if isinstance(row, CelRow):
            yield row.id
            continue
        name = row_id(row.check, word)
        if len(row.arguments) == 2 and "_" in row.check and row.arguments[0] > row.arguments[1]:
            name += "_exclusive"
        yield name
        if row.check in form_checks.__all__:
            yield f"{name}_empty"
