"""The check of every message: any object in, a right message out.

Knows which function of `wire/check.ts` checks which kind of field. Must not
know the binary format.
"""

from __future__ import annotations

from codegen.model import Case, Field, Kind, Label, Message, Schema
from codegen.typescript_cases import SIDES, sent_by
from codegen.typescript_layout import call, constant, header, imports

__all__ = ["emit_check"]

MESSAGES = ("ClientMessage", "ServerMessage")

CHECKS = {
    Kind.STRING: "text",
    Kind.BOOL: "flag",
    Kind.INT32: "integer",
    Kind.INT64: "integer",
    Kind.JSON: "json",
    Kind.TIME: "time",
    Kind.ENUM: "spelled",
    Kind.MESSAGE: "message",
}


def emit_check(schema: Schema) -> str:
    """Make `check.ts`: one function per message, and a table of them by type."""
    cases = {case.message: case for case in schema.cases}
    fields = [field for message in schema.wire_messages for field in message.fields]
    head = [
        header("Checks every message and returns it in its normal form."),
        imports(_used(fields), "../check.ts"),
        imports([constant(each.name) for each in schema.wire_enums], "../../messages/tables.ts"),
        imports(["CheckMessage", "Checks"], "../check.ts", types=True),
        imports(
            [*MESSAGES, *(message.name for message in schema.wire_messages)],
            "../../messages/types.ts",
            types=True,
        ),
    ]
    functions = [_function(each, cases.get(each.name)) for each in schema.wire_messages]
    tables = [_table(schema, side) for side in SIDES]
    return "".join(head) + "\n" + "\n".join([*functions, *tables])


def _used(fields: list[Field]) -> set[str]:
    used = {CHECKS[field.kind] for field in fields if field.label is not Label.MAP}
    for field in fields:
        if field.label is Label.REPEATED:
            used.add("optionalList" if field.omittable else "list")
        elif field.label is Label.MAP:
            used.add("map")
        if _lacks(field) and field.label is not Label.REPEATED:
            used.add("optional")
    return used


def _lacks(field: Field) -> bool:
    """Whether the key may be missing; embedded JSON sees to that itself."""
    return field.kind is not Kind.JSON and (field.label is Label.OPTIONAL or field.omittable)


def _function(message: Message, case: Case | None) -> str:
    declared = f"const {_name(message.name)}: CheckMessage<{message.name}>"
    lines = [f'  type: "{case.name}",\n'] if case else []
    lines += [_line(field) for field in message.fields]
    if not message.fields:
        body = "".join(lines).strip().rstrip(",")
        return f"{declared} = () => ({{ {body} }});\n"
    return f"{declared} = (from, at) => ({{\n{''.join(lines)}}});\n"


def _line(field: Field) -> str:
    chain = []
    if field.label is Label.REPEATED:
        chain.append("optionalList" if field.omittable else "list")
    elif _lacks(field):
        chain.append("optional")
    chain.append("map" if field.label is Label.MAP else CHECKS[field.kind])
    arguments = ["from", "at", f'"{field.name}"', *chain[1:]]
    if field.kind is Kind.ENUM:
        arguments.append(constant(field.type_name))
    elif field.kind is Kind.MESSAGE:
        arguments.append(_name(field.type_name))
    return call(f"  {field.name}: {chain[0]}", arguments, ",")


def _name(message: str) -> str:
    return f"check{message}"


def _table(schema: Schema, side: str) -> str:
    rows = "".join(f"  {case.name}: {_name(case.message)},\n" for case in sent_by(schema, side))
    return (
        f"/** The check of each message that a {side} sends, by its `type`. */\n"
        f"export const CHECK_{side.upper()}: Checks<{side.capitalize()}Message> = {{\n{rows}}};\n"
    )
