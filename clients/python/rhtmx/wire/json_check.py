"""The JSON form of a message, checked exactly, to say what is wrong and where.

Knows the field tables of the schema. Must not know how messages are built: the
fast decoder does that, and asks here when it fails or is not certain.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.messages.tables import CASES, ENUM_VALUES, SHAPES, Shape
from rhtmx.wire.embedded_json import Pairs, check_key, check_text, check_value, members, parse
from rhtmx.wire.limits import MAX_INTEGER
from rhtmx.wire.refusal import bad_message, expected, show
from rhtmx.wire.times import from_text

__all__ = ["check_frame"]


def check_frame(data: bytes) -> None:
    """Check a whole JSON message, field by field.

    Raises:
        RhtmxError: `bad_message`, with the path of the first field that is wrong.
    """
    frame = parse(data, "message")
    if not isinstance(frame, Pairs):
        raise expected("message", "an object", frame)
    fields = members(frame, "message")
    if "type" not in fields:
        raise bad_message("type", "required, but missing")
    case = fields["type"]
    if not isinstance(case, str):
        raise expected("type", "a string", case)
    if case not in CASES:
        raise bad_message("type", f"unknown message {show(case)}")
    _check_fields(fields, CASES[case].__name__, case)


def _check_fields(fields: dict[str, object], message: str, where: str) -> None:
    for name, shape in SHAPES[message].items():
        path = f"{where}.{name}"
        value = fields.get(name)
        if value is None:
            if shape.mandatory:
                got = "null" if name in fields else "missing"
                raise bad_message(path, f"required, but {got}")
        elif shape.label == "repeated":
            _check_items(value, shape, path)
        elif shape.label == "map":
            _check_entries(value, shape, path)
        else:
            _CHECKS[shape.kind](value, shape, path)


def _check_items(value: object, shape: Shape, where: str) -> None:
    if type(value) is not list:
        raise expected(where, "a list", value)
    for index, item in enumerate(value):
        _CHECKS[shape.kind](item, shape, f"{where}[{index}]")


def _check_entries(value: object, shape: Shape, where: str) -> None:
    if not isinstance(value, Pairs):
        raise expected(where, "an object", value)
    for key, item in members(value, where).items():
        check_key(key, where)
        _CHECKS[shape.kind](item, shape, f"{where}[{show(key)}]")


def _check_message(value: object, shape: Shape, where: str) -> None:
    if not isinstance(value, Pairs):
        raise expected(where, "an object", value)
    _check_fields(members(value, where), shape.type_name, where)


def _check_string(value: object, shape: Shape, where: str) -> None:
    if not isinstance(value, str):
        raise expected(where, "a string", value)
    check_text(value, where)


def _check_bool(value: object, shape: Shape, where: str) -> None:
    if not isinstance(value, bool):
        raise expected(where, "true or false", value)


def _check_integer(value: object, shape: Shape, where: str) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) <= MAX_INTEGER
        or value != int(value)
    ):
        raise expected(where, f"an integer from {-MAX_INTEGER} to {MAX_INTEGER}", value)


def _check_enum(value: object, shape: Shape, where: str) -> None:
    values = ENUM_VALUES[shape.type_name]
    if not isinstance(value, str) or value not in values:
        raise expected(where, f"one of {', '.join(values)}", value)


def _check_time(value: object, shape: Shape, where: str) -> None:
    try:
        valid = isinstance(value, str) and from_text(value) is not None
    except ValueError:
        valid = False
    if not valid:
        raise expected(where, "an RFC 3339 time", value)


def _check_json(value: object, shape: Shape, where: str) -> None:
    check_value(value, where)


_CHECKS: dict[str, Callable[[object, Shape, str], None]] = {
    "message": _check_message,
    "string": _check_string,
    "bool": _check_bool,
    "int64": _check_integer,
    "enum": _check_enum,
    "time": _check_time,
    "json": _check_json,
}
