"""Emits the reading half of `wire/generated/json_glue.py`: Structs and decoders.

msgspec reads a frame into a Struct chosen by `type` and checks every type on the
way; straight-line code copies it into the message. There are two ways through one
set of Structs, which are generic in what differs:

| | plain, for canonical text | raw, for any other |
|---|---|---|
| embedded value | parsed, nested a few levels at most | `Raw`: as it was written |
| integer | `int` | `int`, or a `float` without a fraction |

Knows the JSON form. Must not know the binary one, nor any file.
"""

from __future__ import annotations

import enum

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.python_build import NEW, build
from codegen.python_names import constant, snake

__all__ = ["HEAD", "Way", "frame_union", "read_message"]

HEAD = f'''
{NEW}
Whole: TypeAlias = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""An integer of the protocol."""

Integer: TypeAlias = Whole | Annotated[float, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""A JSON number that must be integral; `1.0` and `1e3` arrive as floats."""

J = TypeVar("J")
"""How embedded values come: `Shallow` or `Raw`."""

N = TypeVar("N")
"""How integers come: `Whole` or `Integer`."""
'''

TYPES = {Kind.STRING: "str", Kind.BOOL: "bool", Kind.INT64: "N", Kind.TIME: "str", Kind.JSON: "J"}


class Way(enum.Enum):
    """One of the two ways to read a frame."""

    PLAIN = "plain"
    RAW = "raw"


ARGUMENTS = {
    Way.PLAIN: {"J": "Shallow", "N": "Whole"},
    Way.RAW: {"J": "Raw", "N": "Integer"},
}


def read_message(message: Message, tag: str, schema: Schema) -> list[str]:
    """Emit the Struct of a message and its decoders for both ways.

    Args:
        message: which one.
        tag: value of `type`; empty for a message inside another one.
        schema: where it is from.
    """
    lines = _struct(message, tag, schema)
    for way in Way:
        lines += _decoder(message, "Frame" if tag else "View", way, schema)
    return lines


def frame_union(way: Way, schema: Schema) -> str:
    """Spell the type of any frame, read in one way."""
    frames = (_spelled(message, "Frame", way, schema) for message in schema.case_messages)
    return f"({' | '.join(frames)})"


def _struct(message: Message, tag: str, schema: Schema) -> list[str]:
    name = f"{message.name}{'Frame' if tag else 'View'}"
    parameters = _parameters(message, schema)
    generic = f", Generic[{', '.join(parameters)}]" if parameters else ""
    tagged = f', tag_field="type", tag="{tag}"' if tag else ""
    lines = [
        f"class {name}(Struct{generic}, kw_only=True, gc=False, omit_defaults=True{tagged}):",
        f'    """`{message.name}` as JSON{" frame" if tag else " inside another message"}."""',
        "",
    ]
    return [*lines, *(f"    {_annotation(field, schema)}" for field in message.fields), "", ""]


def _parameters(message: Message, schema: Schema) -> list[str]:
    """What the Struct of a message is generic in."""
    found = set()
    for field in message.fields:
        if field.kind is Kind.MESSAGE:
            found.update(_parameters(schema.message(field.type_name), schema))
        else:
            found.add(TYPES.get(field.kind, ""))
    return [parameter for parameter in "JN" if parameter in found]


def _spelled(message: Message, suffix: str, way: Way, schema: Schema) -> str:
    arguments = [ARGUMENTS[way][each] for each in _parameters(message, schema)]
    return f"{message.name}{suffix}" + (f"[{', '.join(arguments)}]" if arguments else "")


def _annotation(field: Field, schema: Schema) -> str:
    one = TYPES.get(field.kind, f"{field.type_name}View")
    if field.kind is Kind.MESSAGE and (
        parameters := _parameters(schema.message(field.type_name), schema)
    ):
        one += f"[{', '.join(parameters)}]"
    if field.kind is Kind.ENUM:
        spellings = (value.spelling for value in schema.enum(field.type_name).spelled)
        one = "Literal[" + ", ".join(f'"{spelling}"' for spelling in spellings) + "]"
    if field.kind is Kind.JSON:
        return f"{field.name}: J = NULL"
    if field.label is Label.REPEATED:
        one = f"list[{one}]"
    elif field.label is Label.MAP:
        one = f"dict[str, {one}]"
    return f"{field.name}: {one}" if field.mandatory else f"{field.name}: {one} | None = None"


def _decoder(message: Message, suffix: str, way: Way, schema: Schema) -> list[str]:
    name = f"_{way.value}_{snake(message.name)}_{suffix.lower()}"
    view = _spelled(message, suffix, way, schema)
    values = [(field.name, _decode_field(field, way)) for field in message.fields]
    return [f"def {name}(view: {view}) -> {message.name}:", *build(message.name, values)]


def _decode_field(field: Field, way: Way) -> str:
    value = f"view.{field.name}"
    if field.label is Label.REPEATED:
        # JSON `null` stands for "not there", as in ProtoJSON.
        source = value if field.mandatory else f"({value} or [])"
        if field.kind in (Kind.STRING, Kind.BOOL):
            return value if field.mandatory else f"{value} or []"
        return f"[{_decode_one(field, 'item', way)} for item in {source}]"
    if field.label is Label.MAP:
        source = value if field.mandatory else f"({value} or {{}})"
        # The raw way looks at all keys of the frame at once.
        key = "plain_key(key)" if way is Way.PLAIN else "key"
        return f"{{{key}: {_decode_one(field, 'item', way)} for key, item in {source}.items()}}"
    one = _decode_one(field, value, way)
    # The others are the same on both sides, and so is their absence.
    absent_needs_care = field.kind in (Kind.ENUM, Kind.TIME, Kind.MESSAGE)
    if field.label is Label.OPTIONAL and absent_needs_care:
        return f"None if {value} is None else {one}"
    return one


def _decode_one(field: Field, value: str, way: Way) -> str:
    match field.kind:
        # Only there may `1.0` arrive: the plain way leaves such a frame to the raw one.
        case Kind.INT64 if way is Way.RAW:
            return f"integral({value}) if isinstance({value}, float) else {value}"
        case Kind.ENUM:
            return f"{constant(field.type_name)}_VALUES[{value}]"
        case Kind.TIME:
            return f"from_text({value})"
        case Kind.JSON:
            return f"{way.value}_value({value})"
        case Kind.MESSAGE:
            return f"_{way.value}_{snake(field.type_name)}_view({value})"
        case _:
            return value
