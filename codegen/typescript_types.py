"""The messages as TypeScript types.

Knows how each kind of field looks in TypeScript. Must not know the wire.
"""

from __future__ import annotations

from codegen.model import Case, Enum, Field, Kind, Label, Message, Schema
from codegen.typescript_cases import SIDES, sent_by
from codegen.typescript_layout import comment, header

__all__ = ["emit_types"]

SCALARS = {
    Kind.STRING: "string",
    Kind.BOOL: "boolean",
    Kind.INT32: "number",
    Kind.INT64: "number",
    Kind.JSON: "JsonValue",
    Kind.TIME: "string",
}

JSON_VALUE = """\
/** Any JSON value, as `JSON.parse` returns it. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
"""


def emit_types(schema: Schema) -> str:
    """Make `types.ts`: an interface per message, a union per enum and direction."""
    cases = {case.message: case for case in schema.cases}
    parts = [
        header("The messages of the protocol, as they look in JSON."),
        JSON_VALUE,
        *(_enum(each) for each in schema.wire_enums),
        *(_interface(message, cases.get(message.name)) for message in schema.wire_messages),
        *(_union(schema, side) for side in SIDES),
        "/** Any message; `type` tells which. */\n"
        "export type Message = ClientMessage | ServerMessage;\n",
    ]
    return "\n".join(parts)


def _enum(each: Enum) -> str:
    body = "".join(
        f'{comment(value.comment, "  ")}  | "{value.spelling}"\n' for value in each.spelled
    )
    return f"{comment(each.comment)}export type {each.name} =\n{body.rstrip()};\n"


def _interface(message: Message, case: Case | None) -> str:
    tag = f'  readonly type: "{case.name}";\n' if case else ""
    body = "".join(_property(field) for field in message.fields)
    return f"{comment(message.comment)}export interface {message.name} {{\n{tag}{body}}}\n"


def _property(field: Field) -> str:
    may_lack = field.label is Label.OPTIONAL or field.omittable
    described = comment(field.comment, "  ")
    if field.kind is Kind.JSON:
        return f"{described}  readonly {field.name}: JsonValue;\n"
    if may_lack:
        return f"{described}  readonly {field.name}?: {_type(field)} | undefined;\n"
    return f"{described}  readonly {field.name}: {_type(field)};\n"


def _type(field: Field) -> str:
    single = SCALARS.get(field.kind, field.type_name)
    if field.label is Label.REPEATED:
        return f"readonly {single}[]"
    if field.label is Label.MAP:
        return f"{{ readonly [key: string]: {single} }}"
    return single


def _union(schema: Schema, side: str) -> str:
    members = "".join(f"\n  | {case.message}" for case in sent_by(schema, side))
    return f"/** What a {side} may send. */\nexport type {side.capitalize()}Message ={members};\n"
