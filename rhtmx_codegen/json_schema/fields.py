"""One field of a message, in JSON Schema.

Knows lists, maps, presence, zero values, and what is said of a field for people. Must not know
rules across fields.

Null and a missing key are the same. Where a field without presence is missing, its zero value is
judged: so it may be missing if the rules take that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from rhtmx import schema as checks
from rhtmx_codegen.emit_fields import is_secret
from rhtmx_codegen.emit_names import Names
from rhtmx_codegen.json_schema import extras
from rhtmx_codegen.json_schema.values import (
    Said,
    base_of,
    combined,
    described,
    not_zero,
    nullable,
    said_of,
    said_of_many,
    zero_of,
)
from rhtmx_codegen.model import Enum, Field, Kind, Schema, Type
from rhtmx_codegen.rules.ids import field_word
from rhtmx_codegen.rules.table import CelRow, FieldTable, KindTable, Row, ValueRules, Words
from rhtmx_codegen.types import INTEGERS
from rhtmx_codegen.visible import Hidden

__all__ = ["Described", "Describer"]

_NOTHING: dict[str, Any] = {"list": [], "map": {}, "": 0}
_ZEROS: dict[Kind, Any] = {Kind.STRING: "", Kind.BOOL: False, Kind.BYTES: b""}


@dataclass(frozen=True, slots=True)
class Described:
    """A field, described.

    Attributes:
        key: of it in JSON.
        schema: what its value is.
        required: it may neither be missing nor null.
        zero: what counts as nothing, for rules like those of oneofs.
    """

    key: str
    schema: dict[str, Any]
    required: bool
    zero: dict[str, Any] | None


class Describer:
    """Describes the fields of a schema's messages.

    Args:
        schema: it.
        names: what its messages are called.
        hidden: what is not to be seen.
    """

    def __init__(self, schema: Schema, names: Names, hidden: Hidden) -> None:
        self._messages = schema.messages
        self._hidden = hidden
        self._enums = schema.enums
        self._names = names

    def field(self, table: FieldTable) -> Described:
        """Describe a field.

        Args:
            table: of it.
        """
        field, kind = table.field, table.kind
        schema, listed, form = self._whole(table)
        zero = self._zero(kind)
        required = self._is_needed(table)
        if not field.presence and not table.rules.ignore and zero is not None:
            if table.rules.required:
                schema = combined(schema, self._something(kind))
            elif table.rules.ignore_zero:
                base, rules = self._apart(table)
                schema = combined(base, {"anyOf": [zero, rules]}) if rules else base
        if not required:
            schema = nullable(schema)
        others = extras.of_rules(
            listed, field_word(table), _pattern(field.rules, field_word(table))
        )
        return Described(field.key, self._told(field, schema, form, others), required, zero)

    # The value

    def _whole(self, table: FieldTable) -> tuple[dict[str, Any], list[Row | CelRow], str]:
        """What a value is, with its rules; those that are not in it; and its format."""
        base, rules = self._apart(table)
        said = self._said(table)
        return described(base, rules), said.listed, said.format

    def _apart(self, table: FieldTable) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a value is, and its rules."""
        kind, options = table.kind, table.field.rules
        if kind.many == "list":
            items = self._one(kind, kind.type, kind.items, _inner(options, "repeated", "items"))
            base: dict[str, Any] = {"type": "array", "items": items}
        elif kind.many == "map":
            base = self._map(kind, options)
        elif table.rules.ignore:
            base = self._unjudged(kind.type)
        else:
            base = self._base(kind.type)
        return base, self._said(table).schema

    def _said(self, table: FieldTable) -> Said:
        kind, rows = table.kind, table.rules.rows
        if kind.many:
            return said_of_many(rows, kind.type)
        return self._rules(kind, kind.type, rows, table.field.rules)

    def _map(self, kind: KindTable, options: Any) -> dict[str, Any]:
        assert kind.key is not None
        values = self._one(kind, kind.type, kind.items, _inner(options, "map", "values"))
        base: dict[str, Any] = {"type": "object", "additionalProperties": values}
        keys = self._keys(kind, _inner(options, "map", "keys"))
        return {**base, "propertyNames": keys} if keys else base

    def _keys(self, kind: KindTable, options: Any) -> dict[str, Any]:
        """What the keys of a map are: texts, all of them."""
        key = kind.key
        assert key is not None
        rows = () if kind.keys.ignore else kind.keys.rows
        listed: Iterable[Row | CelRow] = rows
        schema: dict[str, Any] = {}
        if key.kind is Kind.BOOL:
            schema = {"enum": ["true", "false"]}
        elif key.kind in INTEGERS:
            schema = base_of(Type(key.kind, text=True), None)
        else:
            said = said_of(rows, key, None, _pattern(options, "string"))
            schema, listed = said.schema, said.listed
            if kind.keys.ignore_zero and schema:
                schema = {"anyOf": [{"const": ""}, schema]}
        rules = extras.of_rules(listed, key.kind.value, _pattern(options, key.kind.value))
        return {**schema, "x-rhtmx": {"rules": rules}} if rules else schema

    def _one(self, kind: KindTable, value: Type, rules: ValueRules, options: Any) -> dict[str, Any]:
        """An item of a list, or a value of a map."""
        if rules.ignore:
            return self._unjudged(value)
        said = self._rules(kind, value, rules.rows, options)
        base, schema = self._base(value), said.schema
        if rules.ignore_zero and value.kind is Kind.MESSAGE:
            base = {"anyOf": [self._empty(value), base]}
        elif rules.ignore_zero and schema:
            schema = {"anyOf": [zero_of(value, self._enum(value)), schema]}
        base = described(base, schema)
        if said.format:
            base["format"] = said.format
        word = value.kind.value
        listed = extras.of_rules(said.listed, word, _pattern(options, word))
        return {**_beside(base), "x-rhtmx": {"rules": listed}} if listed else base

    def _rules(
        self, kind: KindTable, value: Type, rows: Iterable[Row | CelRow], options: Any
    ) -> Said:
        if kind.normalize:  # what is judged is another text
            return Said({}, listed=list(rows))
        return said_of(rows, value, self._enum(value), _pattern(options, value.kind.value))

    def _base(self, value: Type) -> dict[str, Any]:
        name = self._names.of(value.name) if value.kind is Kind.MESSAGE else ""
        return base_of(value, self._enum(value), name)

    def _unjudged(self, value: Type) -> dict[str, Any]:
        """What a value is of which no rule is judged: only what reading implies."""
        if value.kind is not Kind.MESSAGE:
            return self._base(value)
        return {"type": "object", "x-rhtmx": {"unjudged": self._names.of(value.name)}}

    def _enum(self, value: Type) -> Enum | None:
        return self._enums[value.name] if value.kind is Kind.ENUM else None

    def _empty(self, value: Type) -> dict[str, Any]:
        """A message of which all fields are as if they were not there."""
        properties = {}
        for field in self._hidden.seen(self._messages[value.name]):
            kinds: list[dict[str, Any]] = [{"type": "null"}]
            if not field.presence:
                kinds.append(self._zero_of_field(field))
            properties[field.key] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        return {"type": "object", "properties": properties}

    # Presence

    def _zero_of_field(self, field: Field) -> dict[str, Any]:
        if field.repeated or field.map_key is not None:
            return {"const": {} if field.map_key is not None else []}
        return zero_of(field.type, self._enum(field.type))

    def _zero(self, kind: KindTable) -> dict[str, Any] | None:
        if kind.many:
            return {"const": _NOTHING[kind.many]}
        if kind.type.kind in _WITHOUT_ZERO:
            return None
        return zero_of(kind.type, self._enum(kind.type))

    def _something(self, kind: KindTable) -> dict[str, Any]:
        if kind.many:
            return {"minItems" if kind.many == "list" else "minProperties": 1}
        return not_zero(kind.type, self._enum(kind.type))

    def _is_needed(self, table: FieldTable) -> bool:
        """Whether the field may neither be missing nor null."""
        rules = table.rules
        if rules.ignore:
            return False
        if table.field.presence or rules.required:
            return rules.required
        return not rules.ignore_zero and self._is_zero_wrong(table)

    def _is_zero_wrong(self, table: FieldTable) -> bool:
        kind = table.kind
        zero = _NOTHING[kind.many] if kind.many else _ZEROS.get(kind.type.kind, 0)
        return any(
            getattr(checks, row.check)(zero, self._argument(row)) is not None
            for row in table.rules.rows
            if isinstance(row, Row)
        )

    def _argument(self, row: Row) -> Any:
        """The arguments of a check as the one that the judge gives it."""
        found = [
            SimpleNamespace(numbers={each.number: each.word for each in self._enums[value].values})
            if isinstance(value, Words)
            else value
            for value in row.arguments
        ]
        return tuple(found) if len(found) > 1 else found[0] if found else None

    # What is said of it

    def _told(
        self, field: Field, schema: dict[str, Any], form: str, rules: list[dict[str, Any]]
    ) -> dict[str, Any]:
        told: dict[str, Any] = {}
        traits = field.traits
        if traits is not None and traits.label:
            told["title"] = traits.label
        if field.comment:
            told["description"] = field.comment
        if is_secret(field) and field.type.kind is Kind.STRING and _is_one(field):
            form = "password"
        if form:
            told["format"] = form
        told |= _access(field)
        extra = extras.of_field(field)
        if rules:
            extra["rules"] = rules
        if extra:
            told["x-rhtmx"] = schema.get("x-rhtmx", {}) | extra
        return {**_beside(schema), **told} if told else schema


_WITHOUT_ZERO = frozenset(
    (
        Kind.MESSAGE,
        Kind.TIMESTAMP,
        Kind.DURATION,
        Kind.ANY,
        Kind.FIELD_MASK,
        Kind.VALUE,
        Kind.STRUCT,
        Kind.LIST_VALUE,
    )
)
"""Kinds whose fields are there or not, whatever they hold."""


def _beside(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema beside which others can stand: earlier drafts see nothing beside a reference."""
    return {"allOf": [schema]} if "$ref" in schema else schema


def _access(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {}
    traits = field.traits
    if traits is not None and traits.read_only:
        found["readOnly"] = True
    if traits is not None and traits.default.WhichOneof("value") == "json":
        found["default"] = extras.of_field(field)["default"]["value"]
    if field.deprecated:
        found["deprecated"] = True
    return found


def _is_one(field: Field) -> bool:
    return not field.repeated and field.map_key is None


def _inner(options: Any, word: str, name: str) -> Any:
    """The options of items, keys or values."""
    if options is None or options.WhichOneof("type") != word:
        return None
    return getattr(getattr(options, word), name)


def _pattern(options: Any, word: str) -> str:
    """The text of the pattern that options have for a text, or for bytes."""
    if options is None or word not in ("string", "bytes") or options.WhichOneof("type") != word:
        return ""
    return str(getattr(options, word).pattern)
