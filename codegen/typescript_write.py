"""Writes every message as protobuf.

Knows which method of `wire/writer.ts` writes which kind of field. Must not
know what is a right message: what arrives here has passed the check.
"""

from __future__ import annotations

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.typescript_cases import SIDES, sent_by
from codegen.typescript_layout import constant, header, imports

__all__ = ["emit_write"]

METHODS = {
    Kind.STRING: "text",
    Kind.BOOL: "flag",
    Kind.INT32: "int",
    Kind.INT64: "int",
    Kind.JSON: "json",
    Kind.TIME: "time",
    Kind.ENUM: "int",
}


def emit_write(schema: Schema) -> str:
    """Make `write.ts`: one function per message, and a table of them by type."""
    head = [
        header("Writes every message as protobuf."),
        imports([constant(each.name) for each in schema.wire_enums], "../../messages/tables.ts"),
        imports(["Write", "Writes"], "../writer.ts", types=True),
        imports(
            ["ClientMessage", "ServerMessage", *(message.name for message in schema.wire_messages)],
            "../../messages/types.ts",
            types=True,
        ),
        "\n",
    ]
    functions = [_function(message) for message in schema.wire_messages]
    return "".join(head) + "\n".join([*functions, *(_table(schema, side) for side in SIDES)])


def _function(message: Message) -> str:
    if not message.fields:
        return f"const {_name(message.name)}: Write<{message.name}> = () => {{}};\n"
    body = "".join(f"  {_line(field)};\n" for field in message.fields)
    return f"const {_name(message.name)}: Write<{message.name}> = (to, from) => {{\n{body}}};\n"


def _line(field: Field) -> str:
    source = f"from.{field.name}"
    if field.label is Label.MAP:
        return f"to.map({field.number}, {_name(field.type_name)}, {source})"
    if field.label is Label.REPEATED:
        items = f"{source} ?? []" if field.omittable else source
        return f"for (const item of {items}) {_write(field, 'item')}"
    return _write(field, source)


def _write(field: Field, source: str) -> str:
    if field.kind is Kind.MESSAGE:
        return f"to.message({field.number}, {_name(field.type_name)}, {source})"
    return f"to.{METHODS[field.kind]}({field.number}, {_value(field, source)})"


def _value(field: Field, source: str) -> str:
    if field.kind is Kind.ENUM:
        lookup = f"{constant(field.type_name)}[{source}]"
        return f"{source} && {lookup}" if field.label is Label.OPTIONAL else lookup
    if field.label is Label.PLAIN and field.kind is not Kind.JSON:
        # Protobuf leaves out the zero value of a field that is never absent.
        return f"{source} || undefined"
    return source


def _name(message: str) -> str:
    return f"write{message}"


def _table(schema: Schema, side: str) -> str:
    rows = "".join(
        f"  {case.name}: [{case.number}, {_name(case.message)}],\n"
        for case in sent_by(schema, side)
    )
    message = f"{side.capitalize()}Message"
    return (
        f"/** The case in the envelope and the writer of what a {side} sends, by its `type`. */\n"
        f"export const WRITE_{side.upper()}: Writes<{message}> = {{\n{rows}}};\n"
    )
