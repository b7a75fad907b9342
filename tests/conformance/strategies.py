"""Random messages and random JSON texts, made from the schema.

Knows the schema's model. Must not know the codecs.
"""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import rhtmx.messages
from codegen.descriptors import read_schema
from codegen.model import Field, Kind, Label, Message, Schema

__all__ = ["SCHEMA", "frames", "hostile_json", "json_values", "messages"]

SCHEMA: Schema = read_schema((Path(__file__).parents[1] / "vectors" / "schema.binpb").read_bytes())
MAX_INTEGER = 2**53 - 1
FORBIDDEN = ("__proto__", "constructor", "prototype")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
keys = texts.filter(lambda text: text not in FORBIDDEN)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.sampled_from([0, 1, 42, MAX_INTEGER])
times = st.datetimes(timezones=st.just(UTC))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def as_json(value: Any) -> bytes | None:
    """Write an embedded value as the oracle does; None for null."""
    if value is None:
        return None
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


PLAIN: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: texts,
    Kind.BOOL: st.booleans(),
    Kind.INT64: integers,
    Kind.TIME: times,
    Kind.JSON: json_values.map(as_json),
}


def _field(field: Field) -> st.SearchStrategy[Any]:
    if field.kind is Kind.MESSAGE:
        one = messages(SCHEMA.message(field.type_name))
    elif field.kind is Kind.ENUM:
        kind = getattr(rhtmx.messages, field.type_name)
        numbers = [value.number for value in SCHEMA.enum(field.type_name).spelled]
        one = st.sampled_from([kind(number) for number in numbers])
    else:
        one = PLAIN[field.kind]
    match field.label:
        case Label.REPEATED:
            return st.lists(one, max_size=3)
        case Label.MAP:
            return st.dictionaries(keys, one, max_size=3)
        case Label.OPTIONAL:
            return st.none() | one
        case _:
            return one


def messages(message: Message) -> st.SearchStrategy[Any]:
    """Random instances of one message class."""
    fields = {field.name: _field(field) for field in message.fields}
    return st.builds(getattr(rhtmx.messages, message.name), **fields)


frames = st.one_of([messages(message) for message in SCHEMA.case_messages])
"""Random instances of all messages that the envelope carries."""


spaces = st.sampled_from(["", "", "", " ", "\n", "\t "])
numbers = st.sampled_from(
    [
        "0",
        "-0",
        "7",
        "1.0",
        "1.5",
        "1e3",
        "1e-3",
        "1E400",
        "-1e400",
        "9007199254740993",
        "18446744073709551616",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        ".5",
        "1.",
    ]
) | st.sampled_from(["1" + "0" * 309, "9" * 400])
hostile_texts = st.sampled_from(
    ["a", "b", "__proto__", "constructor", "prototype", "proto", "é", "😀", ":", '":', "{", "[[["]
)
escapes = st.sampled_from(
    [
        r"\u0061",
        r"\u0000",
        r"\ud800",
        r"\udc00",
        r"\ud83d\ude00",
        r"\n",
        r"\/",
        r"\x",
        r"\u005f_proto__",
        r"constructo\u0072",
        r"\"",
        r"\\",
    ]
) | st.sampled_from(["\x00", "\x1f", "\ud83d"])


def _quoted(parts: list[str]) -> str:
    return '"' + "".join(part.replace('"', '\\"') if part == '":' else part for part in parts) + '"'


strings = st.lists(hostile_texts | hostile_texts | escapes, max_size=2).map(_quoted)
scalars = strings | numbers | st.sampled_from(["null", "true", "false", "nul", ""])


@st.composite
def _container(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    space = draw(spaces)
    items = draw(st.lists(inner, max_size=4))
    if draw(st.booleans()):
        return f"[{space}" + f",{space}".join(items) + "]"
    names = [draw(strings) for _ in items]
    pairs = [f"{name}{space}:{item}" for name, item in zip(names, items, strict=True)]
    return "{" + ",".join(pairs) + space + "}"


@st.composite
def _deep(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    depth = draw(st.integers(28, 36))
    if draw(st.booleans()):
        return "[" * depth + draw(inner) + "]" * depth
    return '{"k":' * depth + draw(inner) + "}" * depth


hostile_json: st.SearchStrategy[bytes] = st.recursive(
    scalars, lambda inner: _container(inner) | _deep(inner), max_leaves=10
).map(lambda text: text.encode("utf-8", "surrogatepass"))
