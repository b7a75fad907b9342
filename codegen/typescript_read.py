"""Reads every message from protobuf, unchecked.

Knows which method of `wire/reader.ts` reads which kind of field. Must not know
what is a right message: the check does.
"""

from __future__ import annotations

from codegen.model import Case, Field, Kind, Label, Message, Schema
from codegen.typescript_cases import SIDES, sent_by
from codegen.typescript_layout import LINE_LENGTH, constant, header, imports

__all__ = ["emit_read"]

VARINT, LENGTH = 0, 2

METHODS = {
    Kind.STRING: "text()",
    Kind.BOOL: "flag()",
    Kind.INT32: "int32()",
    Kind.INT64: "int()",
    Kind.JSON: "json()",
    Kind.TIME: "time()",
}
DEFAULTS = {
    Kind.STRING: '""',
    Kind.BOOL: "false",
    Kind.INT32: "0",
    Kind.INT64: "0",
    Kind.ENUM: "0",
}


def emit_read(schema: Schema) -> str:
    """Make `read.ts`: one function per message, and a table of them by case."""
    cases = {case.message: case for case in schema.cases}
    messages = schema.wire_messages
    helpers = {"append"} if _has(messages, Label.REPEATED) else set()
    helpers |= {"put"} if _has(messages, Label.MAP) else set()
    head = [
        header("Reads every message from protobuf; `check.ts` checks what comes out."),
        imports(helpers, "../reader.ts") if helpers else "",
        imports([constant(each.name) for each in schema.wire_enums], "../../messages/tables.ts"),
        imports(["Read", "Reads"], "../reader.ts", types=True),
        "\n",
    ]
    functions = [_function(each, cases.get(each.name)) for each in messages]
    return "".join(head) + "\n".join([*functions, *(_table(schema, side) for side in SIDES)])


def _has(messages: tuple[Message, ...], label: Label) -> bool:
    return any(field.label is label for message in messages for field in message.fields)


def _function(message: Message, case: Case | None) -> str:
    start = [f'type: "{case.name}"'] if case else []
    start += [
        f"{field.name}: {default}"
        for field in message.fields
        if (default := _default(field)) is not None
    ]
    steps = "".join(_step(field, bool(index)) for index, field in enumerate(message.fields))
    steps += "    else from.skip(tag);\n" if steps else "    from.skip(tag);\n"
    return (
        f"{_opening(message, start)}"
        f"  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {{\n{steps}  }}\n"
        "  return to;\n};\n"
    )


def _opening(message: Message, start: list[str]) -> str:
    initial = f"{{ {', '.join(start)} }}" if start else "{}"
    line = f"const {_name(message.name)}: Read = (from, to = {initial}) => {{\n"
    if len(line) <= LINE_LENGTH:
        return line
    body = "".join(f"    {each},\n" for each in start)
    return f"const {_name(message.name)}: Read = (\n  from,\n  to = {{\n{body}  }},\n) => {{\n"


def _default(field: Field) -> str | None:
    """Say what the field is when protobuf leaves it out; None: absent."""
    if field.label is Label.REPEATED:
        return "[]"
    return DEFAULTS.get(field.kind) if field.label is Label.PLAIN else None


def _step(field: Field, follows: bool) -> str:
    numeric = field.kind in (Kind.BOOL, Kind.INT32, Kind.INT64, Kind.ENUM)
    tag = field.number << 3 | (VARINT if numeric else LENGTH)
    word = "else if" if follows else "if"
    return f"    {word} (tag === {tag}) {_store(field)};\n"


def _store(field: Field) -> str:
    if field.label is Label.MAP:
        return f'put(to, "{field.name}", from.entry({_name(field.type_name)}))'
    if field.label is Label.REPEATED:
        return f'append(to, "{field.name}", {_read(field, merge=False)})'
    return f"to.{field.name} = {_read(field, merge=True)}"


def _read(field: Field, *, merge: bool) -> str:
    if field.kind is Kind.MESSAGE:
        before = f", to.{field.name}" if merge else ""
        return f"from.message({_name(field.type_name)}{before})"
    if field.kind is Kind.ENUM:
        return f"from.spelled({constant(field.type_name)})"
    return f"from.{METHODS[field.kind]}"


def _name(message: str) -> str:
    return f"read{message}"


def _table(schema: Schema, side: str) -> str:
    rows = "".join(f"  {case.number}: {_name(case.message)},\n" for case in sent_by(schema, side))
    return (
        f"/** Reads what a {side} sends, by the number of the case in the envelope. */\n"
        f"export const READ_{side.upper()}: Reads = {{\n{rows}}};\n"
    )
