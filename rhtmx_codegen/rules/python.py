"""Tables of rules as Python.

Knows how generated Python writes a table. Must not know where its rules come from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from rhtmx.patterns.pattern import compile_pattern
from rhtmx_codegen.emit_fields import MERGES
from rhtmx_codegen.emit_names import Names, table_name
from rhtmx_codegen.model import Field, Kind, Type
from rhtmx_codegen.python_layout import Call, Code, keyword, lines_of, quoted
from rhtmx_codegen.rules.table import (
    CelRow,
    FieldTable,
    KindTable,
    MessageTable,
    OneofRow,
    Row,
    ValueRules,
    Words,
)
from rhtmx_codegen.rules.traits import default_of

__all__ = ["table_lines"]


def table_lines(table: MessageTable, names: Names) -> list[str]:
    """The statement of the table of a message.

    Args:
        table: it.
        names: of everything in the schema.
    """
    return lines_of(_Writer(names).message(table))


class _Writer:
    """Writes tables of one schema."""

    def __init__(self, names: Names) -> None:
        self.names = names
        #: The field whose rules are written is secret.
        self.secret = False

    def message(self, table: MessageTable) -> Code:
        """The statement of a table."""
        name = self.names.of(table.message.full_name)
        items: list[Code] = [quoted(name), *(self.field(each) for each in table.fields)]
        if table.rules:
            secrets = {each.field.name for each in table.fields if each.is_secret}
            rules = [_message_rule(each, secrets) for each in table.rules]
            items.append(keyword("rules", Call("(", rules)))
        if table.server_rules:
            listed = Call("(", [quoted(each) for each in table.server_rules])
            items.append(keyword("server_rules", listed))
        return Call(f"{table_name(name)}: _s.Message = _s.message(", items)

    def field(self, table: FieldTable) -> Code:
        """One field, with its rules and traits."""
        field = table.field
        self.secret = table.is_secret
        items: list[Code] = [quoted(field.name), self.kind(table.kind)]
        items += [self.row(each) for each in table.rules.rows]
        if field.key != field.name:
            items.append(f"key={quoted(field.key)}")
        if field.presence:
            items.append("presence=True")
        items += _flags(table.rules)
        if field.oneof:
            items.append(f"oneof={quoted(field.oneof)}")
        items += _traits(field)
        if table.kind.normalize and not table.kind.many:
            steps = Call("(", [quoted(each) for each in table.kind.normalize])
            items.append(keyword("normalize", steps))
        return Call("_s.field(", items)

    def kind(self, table: KindTable) -> Code:
        """What a value is."""
        one = self.single(table.type)
        if table.normalize and table.many:
            one = Call("_s.normalized(", [one, *(quoted(each) for each in table.normalize)])
        if table.many == "list":
            rows = [self.row(each) for each in table.items.rows]
            return Call("_s.list_of(", [one, *rows, *_flags(table.items)])
        if table.many == "map":
            assert table.key is not None
            if table.items.ignore:
                one = Call("_s.unjudged(", [one])
            items: list[Code] = [self.single(table.key), one]
            items += self.rules("keys", table.keys)
            items += self.rules("values", table.items)
            return Call("_s.map_of(", items)
        return one

    def single(self, value: Type) -> Code:
        """What a single value is."""
        if value.kind is Kind.ENUM:
            return self.enum(value.name)
        if value.kind is Kind.MESSAGE:
            return f"_s.message_of(lambda: {table_name(self.names.of(value.name))})"
        constant = f"_s.{value.kind.name}"
        return f"_s.text_of({constant})" if value.text else constant

    def enum(self, full_name: str) -> str:
        """The kind of an enum."""
        name = self.names.of(full_name)
        return f"_s.enum({quoted(name)}, {name}.numbers)"

    def rules(self, name: str, rules: ValueRules) -> Iterator[Code]:
        """The rules of keys or values, if there are some."""
        items: list[Code] = [*(self.row(each) for each in rules.rows), *_flags(rules)]
        if items and not rules.ignore:
            yield keyword(name, Call("_s.rules(", items))

    def row(self, row: Row | CelRow) -> Code:
        """One rule of a value."""
        if isinstance(row, CelRow):
            function = _function(row, self.secret)
            return Call("(", ["_s.cel_check", quoted(row.id), quoted(row.words), function])
        return Call("(", [f"_s.{row.check}", *(self.argument(each) for each in row.arguments)])

    def argument(self, value: Any) -> Code:
        """One argument of a check."""
        if isinstance(value, Words):
            return self.enum(str(value))
        if isinstance(value, tuple):
            return Call("(", [self.argument(each) for each in value])
        return _literal(value)


def _flags(rules: ValueRules) -> Iterator[Code]:
    for name in ("required", "ignore_zero", "ignore"):
        if getattr(rules, name):
            yield f"{name}=True"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bytes):
        return 'b"' + "".join(map(_byte, value)) + '"'
    if isinstance(value, float):
        text = repr(value)
        return text if text[-1].isdigit() else f'float("{text}")'
    return repr(int(value)) if not isinstance(value, bool) else repr(value)


def _byte(value: int) -> str:
    letter = chr(value)
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isascii() and letter.isprintable() else f"\\x{value:02x}"


def _function(row: CelRow, secret: bool) -> str:
    tables = {each: quoted(compile_pattern(each).table) for each in row.expression.patterns}
    text = row.expression.python_function(tables)
    # What only compares with operators of the language does not fail.
    return f"_s.cel_discreet({text})" if secret and "_s." in text else text


def _message_rule(row: CelRow | OneofRow, secrets: Collection[str]) -> Code:
    if isinstance(row, OneofRow):
        names = Call("(", [quoted(each) for each in row.fields])
        items: list[Code] = [quoted(row.name), names] if row.name else [names]
        if row.present:
            items.append(keyword("present", Call("(", [quoted(each) for each in row.present])))
        if row.required:
            items.append("required=True")
        return Call("_s.one_of(" if row.name else "_s.any_of(", items)
    reads = Call("(", [quoted(each) for each in sorted(row.expression.reads)])
    function = _function(row, not row.expression.reads.isdisjoint(secrets))
    return Call("_s.cel_rule(", [quoted(row.id), quoted(row.words), reads, function])


def _traits(field: Field) -> Iterator[Code]:
    said = field.traits
    if said is None:
        return
    if said.message:
        words = [f"{quoted(each)}: {quoted(said.message[each])}" for each in sorted(said.message)]
        yield keyword("words", Call("{", words, "}"))
    if said.merge:
        yield f"merge={quoted(MERGES[said.merge])}"
    if said.scale:
        yield f"scale={said.scale}"
    if said.HasField("default"):
        source, text = default_of(said.default)
        made = repr(json.loads(text)) if not source else f"source={quoted(source)}"
        yield f"default=_s.Default({made})"
    for name in ("label", "help"):
        if getattr(said, name):
            yield f"{name}={quoted(getattr(said, name))}"
    for name, spelt in _SWITCHES.items():
        if getattr(said, name):
            yield f"{spelt}=True"


_SWITCHES = {
    "read_only": "read_only",
    "server_only": "server_only",
    "immutable": "immutable",
    "secret": "secret",
    "async": "asks",
    "deliverable": "deliverable",
}
"""Traits that are on or off, and what tables call them."""
