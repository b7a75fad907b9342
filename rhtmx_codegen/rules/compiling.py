"""From the messages of a schema to tables of rules.

Knows which rules a value has, and which cannot be: each is a problem with its place. Must not
know single rules, nor how a table is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rhtmx_codegen.cel.types import ThisType
from rhtmx_codegen.emit_fields import has_secrets
from rhtmx_codegen.model import Field, Kind, Message, Schema, Type
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.rules.custom import custom_rows, predefined_rows
from rhtmx_codegen.rules.ids import field_ids
from rhtmx_codegen.rules.standard import RuleError, rows_of
from rhtmx_codegen.rules.table import (
    CelRow,
    FieldTable,
    KindTable,
    MessageTable,
    OneofRow,
    Row,
    ValueRules,
)

__all__ = ["Compiled", "compile_message", "compile_schema"]

_IGNORE_ZERO, _IGNORE_ALWAYS = 1, 3
_NORMALIZE = {1: "trim", 2: "nfc"}
_WITHOUT_RULES = frozenset((Kind.MESSAGE, Kind.VALUE, Kind.STRUCT, Kind.LIST_VALUE))


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of a schema.

    Attributes:
        tables: of each message, by its full name.
        problems: what is wrong with them, in the order of the source.
    """

    tables: dict[str, MessageTable]
    problems: tuple[Problem, ...]


def compile_schema(schema: Schema) -> Compiled:
    """Compile the rules of all messages of a schema."""
    found = {name: compile_message(schema, each) for name, each in schema.messages.items()}
    return Compiled(
        {name: table for name, (table, _) in found.items()},
        tuple(sorted({each for _, problems in found.values() for each in problems})),
    )


def compile_message(schema: Schema, message: Message) -> tuple[MessageTable, tuple[Problem, ...]]:
    """Compile the rules of one message.

    Args:
        schema: of which it is.
        message: it.

    Returns:
        Its table, and what is wrong with its rules; a rule with a problem is not in the table.
    """
    return _Compiler(schema, message).run()


class _Compiler:
    """Compiles one message."""

    def __init__(self, schema: Schema, message: Message) -> None:
        self.schema = schema
        self.message = message
        self.problems: list[Problem] = []
        options = [each for each in (message.entity, message.form) if each is not None]
        self.allowed = {name for each in options for name in each.server_only_rules}
        self.left: dict[tuple[str, str], None] = {}

    def run(self) -> tuple[MessageTable, tuple[Problem, ...]]:
        """Compile it."""
        grouped = set(self._grouped())
        fields = tuple(self._field(each, each.name in grouped) for each in self.message.fields)
        rules = tuple(self._message_rules())
        self._check_allowed()
        table = MessageTable(self.message, fields, rules, tuple(self.left))
        return table, tuple(self.problems)

    def _problem(self, location: Any, words: str) -> None:
        self.problems.append(Problem(location, words))

    def _check_allowed(self) -> None:
        for name in sorted(self.allowed - {name for _, name in self.left}):
            self._problem(
                self.message.location,
                f"server_only_rules: {name} is compiled, or no rule: take it out of the list",
            )

    def _kept(
        self, rows: Iterable[Row | CelRow | RuleError], location: Any, field: str = ""
    ) -> Iterator[Row | CelRow]:
        """The rows that are some; the others are problems, or left to the server."""
        for row in rows:
            if isinstance(row, RuleError):
                if row.id in self.allowed and row.is_rule:
                    self.left[field, row.id] = None
                else:
                    self._problem(location, f"rule {row.id}: {row.words}")
            elif isinstance(row, CelRow) or row.check:
                yield row

    # Messages

    def _grouped(self) -> Iterator[str]:
        """The fields that rules like those of oneofs name: their zero is as if it was not there."""
        rules = self.message.rules
        for each in rules.oneof if rules is not None else ():
            yield from each.fields

    def _message_rules(self) -> Iterator[CelRow | OneofRow]:
        rules, place = self.message.rules, self.message.location
        if rules is not None:
            for row in self._kept(custom_rows(rules, self.message, self.schema), place):
                assert isinstance(row, CelRow)
                yield row
            for each in rules.oneof:
                yield from self._fields_rule(each)
        for oneof in self.message.oneofs:
            yield OneofRow(oneof.name, oneof.fields, oneof.required)

    def _fields_rule(self, rule: Any) -> Iterator[OneofRow]:
        names = {each.name: each for each in self.message.fields}
        unknown = [each for each in rule.fields if each not in names]
        if not rule.fields:
            self._problem(self.message.location, "rule message.oneof: it names no field")
        elif unknown:
            words = f"rule message.oneof: {self.message.name} has no field {unknown[0]}"
            self._problem(self.message.location, words)
        elif len(set(rule.fields)) < len(rule.fields):
            self._problem(self.message.location, "rule message.oneof: it names a field twice")
        else:
            present = tuple(each for each in rule.fields if names[each].presence)
            yield OneofRow("", tuple(rule.fields), rule.required, present)

    # Fields

    def _field(self, field: Field, grouped: bool) -> FieldTable:
        kind, rules = self._kind(field), ValueRules()
        if field.rules is not None:
            this: ThisType = field
            rules = self._value(field.rules, _word(field), field.type, this, field)
        is_link = field.traits is not None and field.traits.web_url
        extra = (Row("web_url"),) if is_link else ()
        if grouped and field.rules is None:
            rules = ValueRules(ignore_zero=True)
        elif grouped and not field.rules.HasField("ignore"):
            rules = replace(rules, ignore_zero=True)
        if extra and kind.many:
            kind = replace(kind, items=replace(kind.items, rows=(*kind.items.rows, *extra)))
        elif extra:
            rules = replace(rules, rows=(*rules.rows, *extra))
        table = FieldTable(field, kind, rules, has_secrets(field, self.schema.messages))
        self._check_words(table)
        return table

    def _check_words(self, table: FieldTable) -> None:
        """Refuse words of the application for a rule that the field does not have."""
        traits = table.field.traits
        known = field_ids(table) | self.allowed
        for name in sorted(traits.message if traits is not None else ()):
            if name not in known:
                self._problem(
                    table.field.location,
                    f"message: no violation of field {table.field.name} has the id {name!r}, so "
                    f"that nobody would be told it: it has {', '.join(sorted(known))}",
                )

    def _kind(self, field: Field) -> KindTable:
        traits = field.traits
        normalize = tuple(
            _NORMALIZE[each] for each in (traits.normalize if traits is not None else ()) if each
        )
        options = field.rules
        word = options.WhichOneof("type") if options is not None else None
        if field.map_key:
            keys, values = ValueRules(), ValueRules()
            if word == "map":
                key_type = field.map_key
                keys = self._nested(options.map, "keys", key_type, field)
                values = self._nested(options.map, "values", field.type, field)
            return KindTable(field.type, field.map_key, "map", values, keys, normalize)
        if field.repeated:
            items = ValueRules()
            if word == "repeated":
                items = self._nested(options.repeated, "items", field.type, field)
            return KindTable(field.type, None, "list", items, normalize=normalize)
        return KindTable(field.type, normalize=normalize)

    def _nested(self, rules: Any, name: str, value: Type, field: Field) -> ValueRules:
        """The rules of items, keys or values."""
        if not rules.HasField(name):
            return ValueRules()
        if getattr(rules, name).required:
            self._problem(
                field.location,
                f"rule required: it says nothing of {name}, which always are there: "
                "write another rule, such as min_len",
            )
        return self._value(getattr(rules, name), _single(value), value, value, field)

    def _value(
        self, options: Any, word: str, value: Type, this: ThisType, field: Field
    ) -> ValueRules:
        """The rules of one value.

        Args:
            options: `FieldRules`.
            word: what its rules have to be of, `string`; empty if there are none for it.
            value: its type; of a list or map, of what is in it.
            this: what `this` is in its rules in CEL.
            field: where it is.
        """
        if options.ignore == _IGNORE_ALWAYS:
            return ValueRules(ignore=True)
        custom = custom_rows(options, this, self.schema)
        rows = [*self._kept(custom, field.location, field.name)]
        said = options.WhichOneof("type")
        if said is not None and said != word:
            self._problem(field.location, f"rule {said}: {_mismatch(said, word)}")
        elif said is not None:
            rules = getattr(options, said)
            rows += self._kept(rows_of(rules, said, value), field.location, field.name)
            predefined = predefined_rows(rules, this, self.schema)
            rows += self._kept(predefined, field.location, field.name)
        return ValueRules(tuple(rows), options.required, options.ignore == _IGNORE_ZERO)


def _word(field: Field) -> str:
    """What the rules of a field have to be of."""
    if field.map_key:
        return "map"
    return "repeated" if field.repeated else _single(field.type)


def _single(value: Type) -> str:
    return "" if value.kind in _WITHOUT_RULES else value.kind.value


def _mismatch(said: str, word: str) -> str:
    if not word:
        return f"the value is none of which {said} could be said: write a rule in CEL"
    return f"the value is of {word}: write {word} in its place"
