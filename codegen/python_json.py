"""Emits `wire/generated/json_glue.py`: messages to and from flat JSON.

Decoding: msgspec reads a frame into a Struct chosen by `type` and checks every
type on the way; straight-line code copies it into the message. Embedded values
come parsed (`Any`) or as they were written (`Raw`): the Structs are generic in
that. Encoding: straight-line code makes a dict in the schema's order, msgspec
writes it.

Knows the JSON form. Must not know the binary one, nor any file.
"""

from __future__ import annotations

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.python_names import constant, module, snake

__all__ = ["emit_json_glue"]

HEAD = '''
Integer: TypeAlias = (
    Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | Annotated[float, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
)
"""A JSON number that must be integral; `1.0` and `1e3` arrive as floats."""

NULL = Raw(b"null")
"""Stands for an embedded value that is absent."""

J = TypeVar("J")
"""How embedded values come: `Raw` or `Any`."""

Value: TypeAlias = Callable[[Any], bytes | None]
"""How an embedded value becomes bytes; None for null or absent."""
'''

PLAIN_TYPES = {
    Kind.STRING: "str",
    Kind.BOOL: "bool",
    Kind.INT64: "Integer",
    Kind.TIME: "str",
    Kind.JSON: "J",
}


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
            body += [*_struct(message, "", schema), *_encoder(message, "")]
            body += _decoder(message, "View", schema)
        if message.name in names:
            body += [*_struct(message, names[message.name], schema)]
            body += [*_encoder(message, names[message.name]), *_decoder(message, "Frame", schema)]
    body += _dispatch(schema)
    return module("Messages as flat JSON: Structs, decoders, encoders.", _imports(schema), body)


def _imports(schema: Schema) -> list[str]:
    classes = sorted(message.name for message in schema.wire_messages)
    tables = sorted(
        f"{constant(enum.name)}_{table}"
        for enum in schema.wire_enums
        for table in ("SPELLINGS", "VALUES")
    )
    return [
        "from collections.abc import Callable",
        "from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar",
        "",
        "from msgspec import Meta, Raw, Struct",
        f"from rhtmx.messages import ({', '.join(classes)},)",
        f"from rhtmx.messages.tables import ({', '.join(tables)},)",
        "from rhtmx.wire.fields import integral, required",
        "from rhtmx.wire.limits import MAX_INTEGER",
        "from rhtmx.wire.times import from_text, to_utc",
        "",
    ]


def _struct(message: Message, tag: str, schema: Schema) -> list[str]:
    name = f"{message.name}{'Frame' if tag else 'View'}"
    generic = ", Generic[J]" if _holds_json(message, schema) else ""
    tagged = f', tag_field="type", tag="{tag}"' if tag else ""
    lines = [
        f"class {name}(Struct{generic}, kw_only=True, gc=False, omit_defaults=True{tagged}):",
        f'    """`{message.name}` as JSON{" frame" if tag else " inside another message"}."""',
        "",
    ]
    return [*lines, *(f"    {_annotation(field, schema)}" for field in message.fields), "", ""]


def _holds_json(message: Message, schema: Schema) -> bool:
    return any(
        field.kind is Kind.JSON
        or (field.kind is Kind.MESSAGE and _holds_json(schema.message(field.type_name), schema))
        for field in message.fields
    )


def _annotation(field: Field, schema: Schema) -> str:
    one = PLAIN_TYPES.get(field.kind, f"{field.type_name}View")
    if field.kind is Kind.MESSAGE and _holds_json(schema.message(field.type_name), schema):
        one += "[J]"
    if field.kind is Kind.ENUM:
        spellings = (value.spelling for value in schema.enum(field.type_name).spelled)
        one = "Literal[" + ", ".join(f'"{spelling}"' for spelling in spellings) + "]"
    if field.kind is Kind.JSON:
        return f"{field.name}: J | Raw = NULL"
    if field.label is Label.REPEATED:
        one = f"list[{one}]"
    elif field.label is Label.MAP:
        one = f"dict[str, {one}]"
    return f"{field.name}: {one}" if field.mandatory else f"{field.name}: {one} | None = None"


def _decoder(message: Message, suffix: str, schema: Schema) -> list[str]:
    name = f"_from_{snake(message.name)}_{suffix.lower()}"
    kind = f"{message.name}{suffix}" + ("[Any]" if _holds_json(message, schema) else "")
    # By position: half the price of keywords, and betterproto2 keeps the order.
    arguments = "".join(f"{_decode_field(field)}, " for field in message.fields)
    return [
        f"def {name}(view: {kind}, value: Value) -> {message.name}:",
        f"    return {message.name}({arguments})",
        "",
        "",
    ]


def _decode_field(field: Field) -> str:
    value = f"view.{field.name}"
    if field.label is Label.REPEATED:
        source = value if field.mandatory else f"({value} or [])"
        if field.kind in (Kind.STRING, Kind.BOOL):
            return value if field.mandatory else f"{value} or []"
        return f"[{_decode_one(field, 'item')} for item in {source}]"
    if field.label is Label.MAP:
        source = value if field.mandatory else f"({value} or {{}})"
        return f"{{key: {_decode_one(field, 'item')} for key, item in {source}.items()}}"
    one = _decode_one(field, value)
    absent_needs_care = field.kind in (Kind.ENUM, Kind.TIME, Kind.MESSAGE)
    if field.label is Label.OPTIONAL and absent_needs_care:
        return f"None if {value} is None else {one}"
    return one


def _decode_one(field: Field, value: str) -> str:
    match field.kind:
        case Kind.INT64:
            return f"integral({value}) if isinstance({value}, float) else {value}"
        case Kind.ENUM:
            return f"{constant(field.type_name)}_VALUES[{value}]"
        case Kind.TIME:
            return f"from_text({value})"
        case Kind.JSON:
            return f"value({value})"
        case Kind.MESSAGE:
            return f"_from_{snake(field.type_name)}_view({value}, value)"
        case _:
            return value


def _encoder(message: Message, tag: str) -> list[str]:
    name = f"_to_{snake(message.name)}_{'frame' if tag else 'view'}"
    lead = [f'"type": "{tag}"'] if tag else []
    always = list(message.fields)
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
            test = "" if field.label in (Label.REPEATED, Label.MAP) else " is not None"
            lines.append(f"    if message.{field.name}{test}:")
            lines.append(f'        out["{field.name}"] = {_encode_field(field)}')
        else:
            lines.append(f'    out["{field.name}"] = {_encode_field(field)}')
    return [*lines, "    return out", "", ""]


def _always_there(field: Field) -> bool:
    return field.mandatory or field.kind is Kind.JSON


def _encode_field(field: Field) -> str:
    value = f"message.{field.name}"
    if field.label is Label.REPEATED:
        if field.kind in (Kind.STRING, Kind.BOOL, Kind.INT64):
            return value
        return f"[{_encode_one(field, 'item')} for item in {value}]"
    if field.label is Label.MAP:
        return f"{{key: {_encode_one(field, 'item')} for key, item in {value}.items()}}"
    if field.label is Label.REQUIRED:
        value = f'required({value}, "{field.name}")'
    return _encode_one(field, value)


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
    decoders = ", ".join(f"{name}Frame: _from_{snake(name)}_frame" for name in names)
    encoders = ", ".join(f"{name}: _to_{snake(name)}_frame" for name in names)
    return [
        f"RawFrame: TypeAlias = {_union(schema, 'Raw')}",
        '"""Any frame, told apart by `type`; embedded values as they were written."""',
        "",
        f"ParsedFrame: TypeAlias = {_union(schema, 'Any')}",
        '"""Any frame, told apart by `type`; embedded values parsed."""',
        "",
        f"DECODERS: dict[type[Any], Callable[[Any, Value], Any]] = {{{decoders}}}",
        '"""Struct of a frame → how it becomes a message."""',
        "",
        f"ENCODERS: dict[type[Any], Callable[[Any], dict[str, Any]]] = {{{encoders}}}",
        '"""Message class → how it becomes the dict of its frame."""',
    ]


def _union(schema: Schema, value: str) -> str:
    def frame(message: Message) -> str:
        return f"{message.name}Frame" + (f"[{value}]" if _holds_json(message, schema) else "")

    return f"({' | '.join(frame(message) for message in schema.case_messages)})"
