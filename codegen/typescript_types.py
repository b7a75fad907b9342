"""The messages as TypeScript types.

Knows how each kind of field looks in TypeScript. Must not know the wire.
"""

from __future__ import annotations

from collections.abc import Iterable

from codegen.model import Case, Enum, Field, Kind, Label, Message, Schema
from codegen.typescript_cases import SIDES, known_words, sent_by
from codegen.typescript_layout import LINE_LENGTH, comment, header

__all__ = ["emit_types"]

SCALARS = {
    Kind.STRING: "string",
    Kind.BOOL: "boolean",
    Kind.INT32: "number",
    Kind.INT64: "number",
    Kind.JSON: "JsonValue",
    Kind.TIME: "string",
}

BREAK = "\n  | "

JSON_VALUE = """\
/** Any JSON value; an integer that a number cannot hold to the digit is a bigint. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One of the words that this client knows, or one that a newer server says. */
export type Open<T extends string> = T | (string & {});
"""


def emit_types(schema: Schema) -> str:
    """Make `types.ts`: an interface per message, a union per enum and direction."""
    cases = {case.message: case for case in schema.cases}
    parts = [
        header("The messages of the protocol, as they look in JSON."),
        JSON_VALUE,
        *(_enum(each) for each in schema.wire_enums),
        *(_interface(message, cases.get(message.name), schema) for message in schema.wire_messages),
        *(
            _union(f"What a {side} may send.", f"{side.capitalize()}Message", sent_by(schema, side))
            for side in SIDES
        ),
        _union("What is asked.", "Question", [asked for asked, _ in schema.questions]),
        _union(
            "What answers that, with the same `request_id`.",
            "Answer",
            [answer for _, answer in schema.questions],
        ),
        _union(
            "What is told to those whom it concerns now, and never stored.",
            "Ephemeral",
            schema.ephemeral,
        ),
        "/** Any message; `type` tells which. */\n"
        "export type Message = ClientMessage | ServerMessage;\n",
    ]
    return "\n".join(parts)


def _enum(each: Enum) -> str:
    body = "".join(
        f'{comment(value.comment, "  ")}  | "{value.spelling}"\n' for value in each.spelled
    )
    return f"{comment(each.comment)}export type {each.name} =\n{body.rstrip()};\n"


def _interface(message: Message, case: Case | None, schema: Schema) -> str:
    tag = ""
    if case:
        described = comment("Which message it is.", "  ")
        tag = f'{described}  readonly type: "{case.name}";\n'
    grows = message.name not in known_words(schema)
    body = "".join(_property(field, grows=grows) for field in message.fields)
    return f"{comment(message.comment)}export interface {message.name} {{\n{tag}{body}}}\n"


def _property(field: Field, *, grows: bool) -> str:
    may_lack = field.label is Label.OPTIONAL or field.omittable
    described = comment(field.comment, "  ")
    if field.kind is Kind.JSON and not field.omittable:
        return f"{described}  readonly {field.name}: JsonValue;\n"
    if may_lack:
        kind = f"Open<{field.type_name}>" if grows and field.kind is Kind.ENUM else _type(field)
        return f"{described}  readonly {field.name}?: {kind} | undefined;\n"
    return f"{described}  readonly {field.name}: {_type(field)};\n"


def _type(field: Field) -> str:
    single = SCALARS.get(field.kind, field.type_name)
    if field.label is Label.REPEATED:
        return f"readonly {single}[]"
    if field.label is Label.MAP:
        return f"{{ readonly [key: string]: {single} }}"
    return single


def _union(purpose: str, name: str, cases: Iterable[Case]) -> str:
    names = list(dict.fromkeys(case.message for case in cases))
    line = f"export type {name} = {' | '.join(names) or 'never'};\n"
    if len(line) > LINE_LENGTH:
        line = f"export type {name} ={''.join(f'{BREAK}{each}' for each in names)};\n"
    return comment(purpose) + line
