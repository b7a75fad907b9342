"""A small schema for rules of CEL, built by hand."""

from __future__ import annotations

from rhtmx_codegen.cel import Expression, compile_rule
from rhtmx_codegen.model import Enum, EnumValue, Field, Kind, Message, Schema, Type
from rhtmx_codegen.problems import Location

PLACE = Location("app.proto", 1)


def field(
    name: str,
    kind: Kind,
    *,
    repeated: bool = False,
    map_key: Kind | None = None,
    presence: bool = False,
    of: str = "",
    wrapper: bool = False,
) -> Field:
    """A field."""
    return Field(
        name=name,
        key=name,
        number=1,
        type=Type(kind, of, wrapper),
        repeated=repeated,
        map_key=Type(map_key) if map_key else None,
        presence=presence,
        oneof="",
        rules=None,
        traits=None,
        deprecated=False,
        comment="",
        location=PLACE,
    )


def message(name: str, *fields: Field) -> Message:
    """A message."""
    return Message(name, f"app.{name}", "app.proto", fields, (), None, None, None, "", PLACE)


STEP = message(
    "Step",
    field("name", Kind.STRING),
    field("count", Kind.INT32, presence=True),
    field("next", Kind.MESSAGE, presence=True, of="app.Step"),
)
TASK = message(
    "Task",
    field("title", Kind.STRING),
    field("note", Kind.STRING, presence=True),
    field("small", Kind.INT32),
    field("other", Kind.INT32),
    field("maybe", Kind.INT32, presence=True),
    field("votes", Kind.INT64),
    field("size", Kind.UINT32),
    field("total", Kind.UINT64),
    field("price", Kind.DOUBLE),
    field("rate", Kind.DOUBLE, presence=True),
    field("done", Kind.BOOL),
    field("blob", Kind.BYTES),
    field("level", Kind.ENUM, of="app.Level"),
    field("start", Kind.TIMESTAMP, presence=True),
    field("due", Kind.TIMESTAMP, presence=True),
    field("took", Kind.DURATION, presence=True),
    field("labels", Kind.STRING, repeated=True),
    field("points", Kind.INT32, repeated=True),
    field("prices", Kind.DOUBLE, repeated=True),
    field("steps", Kind.MESSAGE, repeated=True, of="app.Step"),
    field("step", Kind.MESSAGE, presence=True, of="app.Step"),
    field("names", Kind.STRING, map_key=Kind.STRING),
    field("counts", Kind.INT64, map_key=Kind.INT32),
    field("limit", Kind.INT32, presence=True, wrapper=True),
    field("mask", Kind.FIELD_MASK, presence=True),
    field("meta", Kind.STRUCT, presence=True),
)
LEVEL = Enum(
    "Level",
    "app.Level",
    "app.proto",
    (EnumValue("LEVEL_LOW", 1, "low", "", PLACE),),
    "",
    PLACE,
)
SCHEMA = Schema(
    {"app.Task": TASK, "app.Step": STEP}, {"app.Level": LEVEL}, ("app.proto",), 1, 0, b""
)


def rule(text: str) -> Expression:
    """A rule of a task, compiled."""
    return compile_rule(text, TASK, SCHEMA)


def both(text: str) -> tuple[str, str]:
    """A rule of a task in Python and in TypeScript."""
    found = rule(text)
    names = {pattern: f"PATTERN_{at}" for at, pattern in enumerate(found.patterns)}
    return found.python(names), found.typescript(names)
