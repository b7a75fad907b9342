"""The messages as one terse table, which the TypeScript codec works from.

Knows how a message, its fields and its enums are written in the table: as few
bytes as gzip makes of them, since every page loads it. Must not know what the
codec does with the table: `clients/typescript/src/wire/plan.ts` reads it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from codegen.model import Enum, Field, Kind, Label, Schema
from codegen.typescript_layout import LINE_LENGTH, header, imports

__all__ = ["emit_descriptor"]

FIRST = ord("0")
"""The character of the first field; those before it divide and fill."""

GAP = "!"
"""Stands for a number without a field."""

KINDS = (
    Kind.BOOL,
    Kind.ENUM,
    Kind.INT64,
    Kind.STRING,
    Kind.JSON,
    Kind.TIME,
    Kind.MESSAGE,
)
"""The kinds by their digit: first those that are a varint, last those that are a message."""

OMITTABLE, LIST, MAP, UNWRITTEN = 1, 2, 4, 8
CLIENT, SERVER = 1, 2

FieldTable = dict[int, tuple[str, str]]
"""The fields of one message by number: what stands before the name, and the name."""

ERROR_ENUM = "ErrorCode"
ERROR_CODES = '["", ...Object.keys(ERRORS)]'


def emit_descriptor(schema: Schema) -> str:
    """Make `descriptor.ts`: the fields, the messages and the enums."""
    rows = _rows(schema)
    fields = _fields([row for _, row in rows])
    enums = _enums(schema.wire_enums)
    return "\n".join(
        [
            header("What the messages are, for the codec; `../plan.ts` reads it.")
            + (imports(["ERRORS"], "../../messages/tables.ts") if ERROR_CODES in enums else ""),
            _groups(fields),
            _messages(rows, fields, schema),
            enums,
        ]
    )


@dataclass(frozen=True)
class _Places:
    """Where each message stands in the table, and each enum in its own."""

    messages: dict[str, int]
    entries: dict[str, int]
    """The entries of a map, by the message that is their value."""
    timestamp: int
    enums: dict[str, int]

    def head(self, field: Field) -> str:
        """What stands before the name of a field."""
        reference: int | str = ""
        if field.kind is Kind.TIME:
            reference = self.timestamp
        elif field.kind is Kind.ENUM:
            reference = self.enums[field.type_name]
        elif field.kind is Kind.MESSAGE:
            kept = self.entries if field.label is Label.MAP else self.messages
            reference = kept[field.type_name]
        many = {Label.REPEATED: LIST, Label.MAP: MAP}.get(field.label, 0)
        lacks = 0 if field.mandatory else OMITTABLE
        if field.kind is Kind.JSON and field.omittable:
            lacks |= UNWRITTEN
        return f"{many | lacks}{KINDS.index(field.kind)}{reference}"


def _rows(schema: Schema) -> list[tuple[str, FieldTable]]:
    """All messages with their names: a case at its number, the others behind the last."""
    cases = {case.number: case.message for case in schema.cases}
    # Numbers without a case keep their place, so that a case is found by its number.
    names = [cases.get(number, "") for number in range(max(cases) + 1)]
    names += [each.name for each in schema.wire_messages if each.name not in names]
    fields = [field for message in schema.wire_messages for field in message.fields]
    maps = dict.fromkeys(field.type_name for field in fields if field.label is Label.MAP)
    places = _Places(
        {name: place for place, name in enumerate(names) if name},
        {name: place for place, name in enumerate(maps, len(names))},
        len(names) + len(maps),
        {each.name: place for place, each in enumerate(schema.wire_enums)},
    )
    text, number, message = (KINDS.index(k) for k in (Kind.STRING, Kind.INT64, Kind.MESSAGE))
    rows: list[tuple[str, FieldTable]] = []
    for name in names:
        own = schema.message(name).fields if name else ()
        rows.append((name, {field.number: (places.head(field), field.name) for field in own}))
    for name in maps:
        value = f"{OMITTABLE}{message}{places.messages[name]}"
        row = {1: (f"{OMITTABLE}{text}", "key"), 2: (value, "value")}
        rows.append((f"an entry of a map to {name}", row))
    row = {1: (f"0{number}", "seconds"), 2: (f"0{number}", "nanos")}
    return [*rows, ("google.protobuf.Timestamp", row)]


def _fields(rows: list[FieldTable]) -> list[tuple[str, str]]:
    """Every field once, those of one kind together.

    The most used come last, where their characters are small letters: these are
    frequent in the rest of the code too, so gzip makes them short.
    """
    uses = Counter(field for row in rows for field in row.values())
    heads = Counter(head for row in rows for head, _ in row.values())
    return sorted(uses, key=lambda field: (heads[field[0]], field[0], uses[field]))


def _groups(fields: list[tuple[str, str]]) -> str:
    words: list[str] = []
    last = ""
    for head, name in fields:
        if head != last:
            words.append(f"{';' if words else ''}{head}")
        words.append(f" {name}")
        last = head
    return (
        "/**\n"
        " * Every field, those of one kind together. Before them stand a digit (1: may be left\n"
        " * out, 2: a list, 4: a map, 8: is left out where it is null, or their sum), a digit for\n"
        " * the kind (0 a boolean, 1 an enum, 2 an integer, 3 a string, 4 JSON, 5 a time, 6 a\n"
        " * message), and the place of that enum or message.\n"
        " */\n"
        f"export const FIELDS =\n{_text(words)};\n"
    )


def _messages(
    rows: list[tuple[str, FieldTable]], fields: list[tuple[str, str]], schema: Schema
) -> str:
    cases = {case.number: case for case in schema.cases}
    lines = []
    for place, (name, row) in enumerate(rows):
        numbers = range(1, max(row, default=0) + 1)
        text = "".join(
            chr(FIRST + fields.index(row[number])) if number in row else GAP for number in numbers
        )
        if case := cases.get(place):
            text = f"{CLIENT * case.from_client | SERVER * case.from_server}{case.name},{text}"
        elif name:
            text = f",{text}"
        last = place == len(rows) - 1
        literal = json.dumps(text if last else f"{text} ")
        lines.append(f"  {literal}{';' if last else ' +'} // {place}{f' {name}' if name else ''}\n")
    return (
        "/**\n"
        " * Each message, those of the envelope at their number there: who sends it (1 a client,\n"
        " * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,\n"
        " * from 1. A character is the place of the field in `FIELDS`, counted from\n"
        f" * `{chr(FIRST)}`; `{GAP}` is a number without a field.\n"
        " */\n"
        f"export const MESSAGES =\n{''.join(lines)}"
    )


def _enums(enums: tuple[Enum, ...]) -> str:
    lines = [f"  {_spellings(each)},\n" for each in enums]
    return (
        "/** The spellings of each enum, by their number in protobuf. */\n"
        f"export const ENUMS: readonly (readonly string[])[] = [\n{''.join(lines)}];\n"
    )


def _spellings(each: Enum) -> str:
    spellings = {value.number: value.spelling for value in each.spelled}
    words = [spellings.get(number, "") for number in range(max(spellings) + 1)]
    # The table of errors has the codes already, unless one was taken back.
    if each.name == ERROR_ENUM and all(words[1:]):
        return ERROR_CODES
    literal = json.dumps(",".join(words))
    if len(literal) < LINE_LENGTH - len('  .split(","),'):
        return f'{literal}.split(",")'
    return (
        json.dumps(words[:1])[:-1]
        + "".join(f",\n    {json.dumps(word)}" for word in words[1:])
        + ",\n  ]"
    )


def _text(words: list[str]) -> str:
    """Write one long text, broken between the words into lines that fit."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > LINE_LENGTH - len('  "" +'):
            lines.append("")
        lines[-1] += word
    return " +\n".join(f"  {json.dumps(line)}" for line in lines)
