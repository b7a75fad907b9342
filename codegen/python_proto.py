"""Emits `wire/generated/proto_glue.py`: messages to and from binary protobuf.

The official library parses and serialises; straight-line code copies between
its objects and the messages and refuses what the library lets pass.

Knows the binary form. Must not know the JSON one, nor any file.
"""

from __future__ import annotations

from collections.abc import Sequence

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.python_build import NEW, build
from codegen.python_names import constant, module, snake

__all__ = ["emit_proto_glue"]

ENVELOPE = "Envelope"
NESTED = (Kind.MESSAGE, Kind.TIME)
MOST_BRANCHES = 9  # in one function

CODEC = '''
class Codec(NamedTuple):
    """How one message class travels without an envelope."""

    parser: Any
    decode: Callable[[Any, str], Any]
    fill: Callable[[Any, Any], None]
    has_maps: bool
    """Their keys have to be sorted, which makes serialising twice as long."""


Direct: TypeAlias = tuple[str, Callable[[bytes], Any], Callable[[Any, str], Any]]
"""A case of the envelope: its name, parser and decoder."""
'''


def emit_proto_glue(schema: Schema) -> str:
    """Emit the module with decoders and encoders of all messages, gRPC's too."""
    messages = schema.ordered_messages
    body = [
        f'{message.name} = engine_class("{schema.package}.{message.name}")' for message in messages
    ]
    for enum in schema.wire_enums:
        table = f"{constant(enum.name)}_SPELLINGS"
        body.append(f"_{constant(enum.name)} = {{int(value): value for value in {table}}}")
    body += [NEW, CODEC, ""]
    for message in messages:
        if message.name == ENVELOPE:
            body += _envelope()
        else:
            body += [*_decoder(message), *_filler(message)]
    body += _dispatch(schema)
    return module("Messages as binary protobuf: decoders, encoders.", _imports(schema), body)


def _imports(schema: Schema) -> list[str]:
    tables = sorted(f"{constant(enum.name)}_SPELLINGS" for enum in schema.wire_enums)
    helpers = "absent, check_map_key, embedded, in_range, missing, refuse_enum, time"
    return [
        "from collections.abc import Callable",
        "from typing import Any, NamedTuple, TypeAlias",
        "",
        "from rhtmx import messages",
        f"from rhtmx.messages.tables import ({', '.join(tables)},)",
        "from rhtmx.wire.engine import engine_class",
        f"from rhtmx.wire.fields import ({helpers},)",
        "from rhtmx.wire.limits import MAX_INTEGER, MIN_INTEGER",
        "from rhtmx.wire.times import fill_timestamp",
        "",
    ]


def _decoder(message: Message) -> list[str]:
    name = f"_from_{snake(message.name)}"
    lines = [f"def {name}(source: Any, where: str) -> messages.{message.name}:"]
    if any(_has_presence(field) for field in message.fields):
        lines.append("    has = source.HasField")
    values = [(field.name, _decode_field(field)) for field in message.fields]
    return [*lines, *build(f"messages.{message.name}", values)]


def _has_presence(field: Field) -> bool:
    return field.label in (Label.OPTIONAL, Label.REQUIRED)


def _decode_field(field: Field) -> str:
    value = f"source.{field.name}"
    if field.label is Label.REPEATED:
        if field.kind in (Kind.STRING, Kind.BOOL):
            return f"list({value})"
        place = f'f"{{where}}.{field.name}[{{index}}]"'
        return f"[{_decode_one(field, 'item', place)} for index, item in enumerate({value})]"
    if field.label is Label.MAP:
        place = f'f"{{where}}.{field.name}[{{key!r}}]"'
        key = f'check_map_key(key, where, "{field.name}")'
        return f"{{{key}: {_decode_one(field, 'item', place)} for key, item in {value}.items()}}"
    one = _decode_one(field, value, f'f"{{where}}.{field.name}"')
    if field.kind is Kind.JSON:
        # Nearly always there: asking for the value first saves a question.
        at = f'where, "{field.name}"'
        return f'embedded(data, {at}) if (data := {value}) or has("{field.name}") else None'
    if field.label is Label.OPTIONAL:
        return f'{one} if has("{field.name}") else None'
    if field.label is Label.REQUIRED:
        return f'{one} if has("{field.name}") else missing(where, "{field.name}")'
    return one


def _decode_one(field: Field, value: str, place: str) -> str:
    at = f'where, "{field.name}"'
    match field.kind:
        case Kind.INT64:
            # In line, the call only for what is wrong: a function call costs more than the test.
            test = f"MIN_INTEGER <= (number := {value}) <= MAX_INTEGER"
            return f"(number if {test} else in_range(number, {at}))"
        case Kind.ENUM:
            name = constant(field.type_name)
            # `or`: the numbers that may be sent are above 0, and so their members are true.
            refuse = f"refuse_enum({name}_SPELLINGS, {value}, {at})"
            return f"(_{name}.get({value}) or {refuse})"
        case Kind.TIME:
            return f"time({value}, {at})"
        case Kind.JSON:
            return f"embedded({value}, {at})"
        case Kind.MESSAGE:
            return f"_from_{snake(field.type_name)}({value}, {place})"
        case _:
            return value


def _filler(message: Message) -> list[str]:
    # Filled in place: the parent has made the message already, and nothing is copied into it.
    # Without `SetInParent` an empty message inside another one would be absent.
    first = () if _always_writes(message) else ("    out.SetInParent()",)
    return _filling(f"_fill_{snake(message.name)}", message, message.fields, first)


def _filling(
    name: str, message: Message, fields: Sequence[Field], first: Sequence[str] = ()
) -> list[str]:
    """Emit a function that fills these fields, and others where one would be too complex."""
    lines = [f"def {name}(message: messages.{message.name}, out: Any) -> None:", *first]
    branches = 0
    for index, field in enumerate(fields):
        filled = _fill_field(field)
        branches += len(filled) > 1
        if branches > MOST_BRANCHES:
            rest = f"{name}_from_{field.name}"
            lines.append(f"    {rest}(message, out)")
            return [*lines, "", "", *_filling(rest, message, fields[index:])]
        lines += [f"    {line}" for line in filled]
    return [*lines, "", ""]


def _always_writes(message: Message) -> bool:
    return any(field.label is Label.PLAIN for field in message.fields)


def _has_maps(message: Message, schema: Schema) -> bool:
    return any(
        field.label is Label.MAP
        or (field.kind is Kind.MESSAGE and _has_maps(schema.message(field.type_name), schema))
        for field in message.fields
    )


def _fill_field(field: Field) -> list[str]:
    value = f"message.{field.name}"
    target = f"out.{field.name}"
    match field.label:
        case Label.REPEATED if field.kind in NESTED:
            return [
                f"for item in {value}:",
                f"    {_fill_nested(field, 'item', f'{target}.add()')}",
            ]
        case Label.REPEATED:
            item = _fill_value(field, "item")
            source = value if item == "item" else f"[{item} for item in {value}]"
            return [f"{target}.extend({source})"]
        case Label.MAP:
            loop = f"for key, item in {value}.items():"
            if field.kind in NESTED:
                return [loop, f"    {_fill_nested(field, 'item', f'{target}[key]')}"]
            return [loop, f"    {target}[key] = {_fill_value(field, 'item')}"]
        case Label.REQUIRED:
            return [
                f"if {value} is None:",
                f'    absent("{field.name}")',
                _fill_nested(field, value, target),
            ]
        case Label.OPTIONAL if field.kind in NESTED:
            return [f"if {value} is not None:", f"    {_fill_nested(field, value, target)}"]
        case Label.OPTIONAL:
            test = value if field.kind is Kind.JSON else f"{value} is not None"
            return [f"if {test}:", f"    {target} = {_fill_value(field, value)}"]
        case _:
            return [f"{target} = {_fill_value(field, value)}"]


def _fill_nested(field: Field, value: str, target: str) -> str:
    function = "fill_timestamp" if field.kind is Kind.TIME else f"_fill_{snake(field.type_name)}"
    return f"{function}({value}, {target})"


def _fill_value(field: Field, value: str) -> str:
    return f"_{constant(field.type_name)}[{value}]" if field.kind is Kind.ENUM else value


def _envelope() -> list[str]:
    return [
        "def _from_envelope(source: Any, where: str) -> messages.Envelope:",
        '    case = source.WhichOneof("message")',
        "    if case is None:",
        '        missing(where, "message")',
        "    inner = CASE_DECODERS[case](getattr(source, case), case)",
        "    return messages.Envelope(**{case: inner})",
        "",
        "",
        "def _fill_envelope(message: messages.Envelope, out: Any) -> None:",
        "    for case in CASE_DECODERS:",
        "        inner = getattr(message, case)",
        "        if inner is not None:",
        "            CODECS[type(inner)].fill(inner, getattr(out, case))",
        "            return",
        '    raise ValueError("the envelope is empty")',
        "",
        "",
    ]


def _tag(number: int) -> int:
    """The bytes of the tag of a message field, at most two, as one number, the first lowest."""
    # Wire type 2, "length-delimited" (the encoding guide of Protocol Buffers).
    tag = number << 3 | 2
    return tag if tag < 128 else (tag & 127 | 128) | (tag >> 7) << 8


def _dispatch(schema: Schema) -> list[str]:
    decoders = ", ".join(f'"{case.name}": _from_{snake(case.message)}' for case in schema.cases)
    codecs = ", ".join(
        f"messages.{each.name}: "
        f"Codec({each.name}, _from_{snake(each.name)}, _fill_{snake(each.name)}, "
        f"{_has_maps(each, schema)})"
        for each in schema.ordered_messages
    )
    direct = ", ".join(
        f"{_tag(case.number)}: "
        f'("{case.name}", {case.message}.FromString, _from_{snake(case.message)})'
        for case in schema.cases
    )
    return [
        f"DIRECT: dict[int, Direct] = {{{direct}}}",
        '"""First bytes of an envelope → the case that follows, its parser and decoder."""',
        "",
        f"CASE_DECODERS: dict[str, Callable[[Any, str], Any]] = {{{decoders}}}",
        '"""Case of the envelope → how its content becomes a message."""',
        "",
        f"CODECS: dict[type[Any], Codec] = {{{codecs}}}",
        '"""Message class → how it travels without an envelope."""',
    ]
