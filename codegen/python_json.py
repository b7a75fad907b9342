"""Emits `wire/generated/json_glue.py`: messages to and from flat JSON.

Encoding: straight-line code makes a dict in the schema's order, msgspec writes it.
Decoding is in `python_json_read`.

Knows the JSON form. Must not know the binary one, nor any file.
"""

from __future__ import annotations

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.python_json_read import HEAD, Way, frame_union, read_message
from codegen.python_names import constant, module, snake

__all__ = ["emit_json_glue"]


def emit_json_glue(schema: Schema) -> str:
    """Emit the module with Structs, decoders and encoders of all messages."""
    names = {case.message: case.name for case in schema.cases}
    nested = {
        field.type_name
        for message in schema.wire_messages
        for field in message.fields
        if field.kind is Kind.MESSAGE
    }
    body = [HEAD]
    for message in schema.wire_messages:
        if message.name in nested:
            body += [*read_message(message, "", schema), *_encoder(message, "")]
        if message.name in names:
            tag = names[message.name]
            body += [*read_message(message, tag, schema), *_encoder(message, tag)]
    body += _dispatch(schema)
    return module("Messages as flat JSON: Structs, decoders, encoders.", _imports(schema), body)


def _imports(schema: Schema) -> list[str]:
    classes = sorted(message.name for message in schema.wire_messages)
    tables = sorted(
        f"{constant(enum.name)}_{table}"
        for enum in schema.wire_enums
        for table in ("SPELLINGS", "VALUES")
    )
    helpers = "NULL, absent, integral, plain_key, plain_value, raw_value"
    return [
        "from collections.abc import Callable",
        "from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar",
        "",
        "from msgspec import Meta, Raw, Struct",
        f"from rhtmx.messages import ({', '.join(classes)},)",
        f"from rhtmx.messages.tables import ({', '.join(tables)},)",
        f"from rhtmx.wire.fields import ({helpers},)",
        "from rhtmx.wire.limits import MAX_INTEGER",
        "from rhtmx.wire.times import from_text, to_utc",
        "from rhtmx.wire.embedded_json import Shallow",
        "",
    ]


def _encoder(message: Message, tag: str) -> list[str]:
    name = f"_to_{snake(message.name)}_{'frame' if tag else 'view'}"
    lead = [f'"type": "{tag}"'] if tag else []
    always = list(message.fields)
    # What is always there goes into the literal: one instruction builds it. From the first that
    # may be left out on, each is added, so that the order stays that of the schema.
    first = next((i for i, field in enumerate(always) if not _always_there(field)), len(always))
    literal = ", ".join(
        [*lead, *(f'"{field.name}": {_encode_field(field)}' for field in always[:first])]
    )
    lines = [
        f"def {name}(message: {message.name}) -> dict[str, Any]:",
        f"    out: dict[str, Any] = {{{literal}}}",
    ]
    for field in always[first:]:
        if not _always_there(field):
            falsy = field.label in (Label.REPEATED, Label.MAP) or field.kind is Kind.JSON
            test = "" if falsy else " is not None"
            lines.append(f"    if message.{field.name}{test}:")
            lines.append(f'        out["{field.name}"] = {_encode_field(field)}')
        else:
            lines.append(f'    out["{field.name}"] = {_encode_field(field)}')
    return [*lines, "    return out", "", ""]


def _always_there(field: Field) -> bool:
    return field.mandatory or (field.kind is Kind.JSON and not field.omittable)


def _encode_field(field: Field) -> str:
    value = f"message.{field.name}"
    if field.label is Label.REPEATED:
        # msgspec writes these as they are: the list is not copied.
        if field.kind in (Kind.STRING, Kind.BOOL, Kind.INT64):
            return value
        return f"[{_encode_one(field, 'item')} for item in {value}]"
    if field.label is Label.MAP:
        return f"{{key: {_encode_one(field, 'item')} for key, item in {value}.items()}}"
    one = _encode_one(field, value)
    if field.label is Label.REQUIRED:
        return f'{one} if {value} is not None else absent("{field.name}")'
    return one


def _encode_one(field: Field, value: str) -> str:
    match field.kind:
        case Kind.ENUM:
            return f"{constant(field.type_name)}_SPELLINGS[{value}]"
        case Kind.TIME:
            return f"to_utc({value})"
        case Kind.JSON:
            return f"Raw({value}) if {value} else None"
        case Kind.MESSAGE:
            return f"_to_{snake(field.type_name)}_view({value})"
        case _:
            return value


def _dispatch(schema: Schema) -> list[str]:
    names = [case.message for case in schema.cases]
    encoders = ", ".join(f"{name}: _to_{snake(name)}_frame" for name in names)
    lines = []
    for way, words in ((Way.PLAIN, "parsed"), (Way.RAW, "as they were written")):
        decoders = ", ".join(f"{name}Frame: _{way.value}_{snake(name)}_frame" for name in names)
        title = way.value.capitalize()
        lines += [
            f"{title}Frame: TypeAlias = {frame_union(way, schema)}",
            f'"""Any frame, told apart by `type`; embedded values {words}."""',
            "",
            f"{way.value.upper()}_DECODERS: dict[type[Any], Callable[[Any], Any]] = {{{decoders}}}",
            f'"""Struct of a `{title}Frame` → how it becomes a message."""',
            "",
        ]
    return [
        *lines,
        f"ENCODERS: dict[type[Any], Callable[[Any], dict[str, Any]]] = {{{encoders}}}",
        '"""Message class → how it becomes the dict of its frame."""',
    ]
