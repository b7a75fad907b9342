"""Tables of rules as TypeScript.

Knows how generated TypeScript writes a table: as data, without a call that would keep a bundler
from dropping it. Must not know where its rules come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rhtmx.patterns.pattern import compile_pattern
from rhtmx.schema.shown import shown_number
from rhtmx_codegen.emit_fields import MERGES
from rhtmx_codegen.emit_names import Names, table_name
from rhtmx_codegen.model import Enum, Field, Kind, Type
from rhtmx_codegen.python_layout import Call, Code, lines_of
from rhtmx_codegen.rules.table import (
    CelRow,
    FieldTable,
    KindTable,
    MessageTable,
    Nanoseconds,
    OneofRow,
    Row,
    ValueRules,
    Words,
)
from rhtmx_codegen.rules.traits import default_of
from rhtmx_codegen.words import camel

__all__ = ["enum_lines", "rules_name", "table_lines", "words_name"]

_REQUIRED, _PRESENCE, _IGNORE_ZERO = 1, 2, 4
_READ_ONLY, _IMMUTABLE, _SECRET, _ASKS = 8, 16, 32, 64
_SAFE = 2**53 - 1
_BETWEEN = frozenset(("gt_lt", "gt_lte", "gte_lt", "gte_lte"))
_SPELT = {"const": "equals"}
_BYTEWISE = frozenset(("const", "is_in", "not_in", "prefix", "suffix", "contains", "not_contains"))


def rules_name(name: str) -> str:
    """The name of the table of a message.

    Example:
        >>> rules_name("SignUp")
        'SIGN_UP_RULES'
    """
    return f"{table_name(name)[1:]}_RULES"


def words_name(name: str) -> str:
    """The name of the kind of an enum.

    Example:
        >>> words_name("Priority")
        'PRIORITY_WORDS'
    """
    return f"{table_name(name)[1:]}_WORDS"


def enum_lines(enum: Enum, names: Names) -> list[str]:
    """The statement of the kind of an enum.

    Args:
        enum: it.
        names: of everything in the schema.
    """
    words: list[Code] = [f"{_key(each.word)}: {each.number}" for each in enum.values]
    name = words_name(names.of(enum.full_name))
    start = f"export const {name}: s.EnumKind = /* @__PURE__ */ s.enumOf("
    return lines_of(Call(start + "{ ", words, " })"), suffix=";")


def table_lines(table: MessageTable, names: Names) -> list[str]:
    """The statement of the table of a message, without what only the server judges.

    Args:
        table: it.
        names: of everything in the schema.
    """
    return lines_of(_Writer(names).message(table), suffix=";")


class _Writer:
    """Writes tables of one schema."""

    def __init__(self, names: Names) -> None:
        self.names = names
        #: The field whose rules are written is secret.
        self.secret = False

    def message(self, table: MessageTable) -> Code:
        """The statement of a table."""
        name = self.names.of(table.message.full_name)
        shown = [each for each in table.fields if not _server_only(each.field)]
        hidden = {each.field.name for each in table.fields} - {each.field.name for each in shown}
        rules = [each for each in table.rules if hidden.isdisjoint(_reads(each))]
        asks = {at for at, _ in table.left} if table.message.form is not None else set()
        fields = [self.field(each, _ASKS * (each.field.name in asks)) for each in shown]
        items: list[Code] = [f"name: {_text(name)}", Call("fields: [", fields, "]")]
        if rules:
            secrets = {each.field.name for each in table.fields if each.is_secret}
            rows = [_message_rule(each, not secrets.isdisjoint(_reads(each))) for each in rules]
            items.append(Call("rules: [", rows, "]"))
        if "" in asks:
            items.append("asks: true")
        return Call(f"export const {rules_name(name)}: s.Message = {{", items, "}")

    def field(self, table: FieldTable, more: int) -> Code:
        """One field: name, kind, flags, rows, traits; without those at the end that say nothing."""
        self.secret = table.is_secret
        flags = _flags(table.rules) | _trait_flags(table.field) | more
        traits = list(_traits(table.field))
        kind = self.kind(table.kind)
        if table.kind.normalize and not table.kind.many:
            kind = _normalized(kind, table.kind.normalize)
        if table.rules.ignore:
            kind = Call("/* @__PURE__ */ s.unjudged(", [kind])
        items: list[Code] = [_text(table.field.name), kind]
        if flags or table.rules.rows or traits:
            items.append(str(flags))
        if table.rules.rows or traits:
            items.append(self.rows(table.rules))
        if traits:
            items.append(Call("{ ", traits, " }"))
        return Call("[", items, "]")

    def rows(self, rules: ValueRules) -> Code:
        """The rules of a value."""
        return Call("[", [self.row(each) for each in rules.rows], "]")

    def kind(self, table: KindTable) -> Code:
        """What a value is."""
        one = self.single(table.type)
        if not table.many:
            return one
        if table.normalize:
            one = _normalized(one, table.normalize)
        if table.items.ignore:
            one = Call("/* @__PURE__ */ s.unjudged(", [one])
        if table.many == "list":
            return Call(
                "/* @__PURE__ */ s.listOf(", _without_rest([one, *self.of_items(table.items)], 1)
            )
        assert table.key is not None
        keys, values = self.of_items(table.keys), self.of_items(table.items)
        items = [self.single(table.key), one, keys[0], values[0], keys[1], values[1]]
        return Call("/* @__PURE__ */ s.mapOf(", _without_rest(items, 2))

    def of_items(self, rules: ValueRules) -> list[Code]:
        """The rows and the flags of items, keys or values."""
        return [self.rows(rules), str(_flags(rules))]

    def single(self, value: Type) -> Code:
        """What a single value is."""
        if value.kind is Kind.ENUM:
            return words_name(self.names.of(value.name))
        if value.kind is Kind.MESSAGE:
            table = rules_name(self.names.of(value.name))
            return f"/* @__PURE__ */ s.messageOf(() => {table})"
        constant = f"s.{value.kind.name}"
        return f"/* @__PURE__ */ s.textOf({constant})" if value.text else constant

    def row(self, row: Row | CelRow) -> Code:
        """One rule of a value."""
        if isinstance(row, CelRow):
            function = _function(row, self.secret)
            return Call("[", ["s.celCheck", _text(row.id), _text(row.words), function], "]")
        start: list[Code] = [f"s.{camel(_SPELT.get(row.check, row.check))}"]
        if row.check == "gte_lte" and row.arguments[0] <= row.arguments[1]:
            start = ["s.inRange"]
        elif row.check in _BETWEEN:
            start = ["s.between", _text(row.check)]
        elif row.check in _BYTEWISE and _has_bytes(row.arguments):
            start = ["s.bytewise", *start]
        return Call("[", [*start, *(self.argument(each) for each in row.arguments)], "]")

    def argument(self, value: Any) -> Code:
        """One argument of a check."""
        if isinstance(value, Words):
            return words_name(self.names.of(str(value)))
        if isinstance(value, tuple):
            return Call("[", [self.argument(each) for each in value], "]")
        return _literal(value)


def _server_only(field: Field) -> bool:
    return field.traits is not None and bool(field.traits.server_only)


def _reads(rule: CelRow | OneofRow) -> frozenset[str]:
    return frozenset(rule.fields) if isinstance(rule, OneofRow) else rule.expression.reads


def _normalized(kind: Code, steps: tuple[str, ...]) -> Code:
    return Call("/* @__PURE__ */ s.normalized(", [kind, *map(_text, steps)])


def _without_rest(items: list[Code], least: int) -> list[Code]:
    """Arguments without those at the end that are left out."""
    while len(items) > least and (items[-1] == "0" or _is_empty(items[-1])):
        items = items[:-1]
    return items


def _is_empty(code: Code) -> bool:
    return isinstance(code, Call) and not code.items


def _flags(rules: ValueRules) -> int:
    return _REQUIRED * rules.required | _IGNORE_ZERO * rules.ignore_zero


def _trait_flags(field: Field) -> int:
    flags = _PRESENCE * field.presence
    said = field.traits
    if said is not None:
        flags |= _READ_ONLY * said.read_only | _IMMUTABLE * said.immutable
        flags |= _SECRET * said.secret | _ASKS * (getattr(said, "async") or said.deliverable)
    return flags


def _has_bytes(arguments: Any) -> bool:
    return any(
        _has_bytes(each) if isinstance(each, tuple) else isinstance(each, bytes)
        for each in arguments
    )


def _literal(value: Any) -> str:
    if isinstance(value, Nanoseconds):
        return f"{int(value)}n"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) <= _SAFE else f"{value}n"
    if isinstance(value, float):
        return shown_number(value)
    if isinstance(value, bytes):
        return '"' + "".join(map(_byte, value)) + '"'
    return _text(value)


def _byte(value: int) -> str:
    letter = chr(value)
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isascii() and letter.isprintable() else f"\\x{value:02x}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() and name != "__proto__" else _text(name)


def _function(row: CelRow, secret: bool) -> str:
    tables = {each: _text(compile_pattern(each).table) for each in row.expression.patterns}
    text = row.expression.typescript_function(tables)
    # What only compares with operators of the language does not fail.
    return f"/* @__PURE__ */ s.celDiscreet({text})" if secret and "s." in text else text


def _message_rule(row: CelRow | OneofRow, secret: bool) -> Code:
    reads = Call("[", [_text(each) for each in sorted(_reads(row))], "]")
    if isinstance(row, OneofRow):
        names = Call("[", [_text(each) for each in row.fields], "]")
        present = Call("[", [_text(each) for each in row.present], "]")
        items: list[Code] = (
            ["s.oneOf", names, _text(row.name)] if row.name else ["s.anyOf", names, present]
        )
        return Call("[", [*items, "true"] if row.required else items, "]")
    function = _function(row, secret)
    return Call("[", ["s.celRule", reads, _text(row.id), _text(row.words), function], "]")


def _traits(field: Field) -> Iterator[Code]:
    if field.key != field.name:
        yield f"key: {_text(field.key)}"
    if field.oneof:
        yield f"oneof: {_text(field.oneof)}"
    said = field.traits
    if said is None:
        return
    if said.message:
        words = [f"{_text(each)}: {_text(said.message[each])}" for each in sorted(said.message)]
        yield Call("words: {", list(words), "}")
    if said.merge:
        yield f"merge: {_text(MERGES[said.merge])}"
    if said.scale:
        yield f"scale: {said.scale}"
    if said.HasField("default"):
        source, text = default_of(said.default)
        yield f"default: {_text(source) if source else f'{{ value: {text} }}'}"
    for name in ("label", "help"):
        if getattr(said, name):
            yield f"{name}: {_text(getattr(said, name))}"
