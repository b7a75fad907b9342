"""What a user gave for a message is checked before it is sent, the same for both formats.

Knows the field tables of the schema. Must not know formats. A server that cannot read a
message cannot always say which one it was, and ends the connection after some of them: so
what no server can read is refused where the user calls. An embedded JSON value was checked
when it was made, and enums are never the user's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from rhtmx import messages
from rhtmx.messages.tables import CASES, SHAPES
from rhtmx.wire.embedded_json import check_key, check_text
from rhtmx.wire.limits import MAX_INTEGER, MAX_ITEMS, MAX_NAME
from rhtmx.wire.refusal import bad_message, expected
from rhtmx.wire.times import to_utc

__all__ = ["check_integer", "check_time", "checked"]

M = TypeVar("M")

_NAMES = {kind: name for name, kind in CASES.items()}


def checked(message: M, where: str = "") -> M:
    """A message of a client, if a server can read it.

    Args:
        message: it, or a part of one.
        where: its path, for the error; its own name, if left out.

    Raises:
        RhtmxError: `bad_message`, with the path of the first field that is wrong.

    Example:
        >>> from rhtmx.messages import ChangeAction, Push
        >>> checked(Push("users", "7", ChangeAction.DELETE, base_version=2**53))
        Traceback (most recent call last):
        rhtmx.errors.RhtmxError: push.base_version: an integer from 0 to 9007199254740991 ...
    """
    kind: Any = type(message)
    _check_fields(message, kind, where or _NAMES.get(kind, kind.__name__))
    return message


def _check_fields(message: object, kind: type, where: str) -> None:
    if type(message) is not kind:
        raise expected(where, f"a {kind.__name__}", message)
    for name, check, label, of in _plan(kind):
        value = getattr(message, name)
        if value is None and label == "optional":
            continue
        if label == "repeated":
            if len(value) > MAX_ITEMS:
                words = f"at most {MAX_ITEMS} items expected, got {len(value)}"
                raise bad_message(f"{where}.{name}", words)
            for index, item in enumerate(value):
                check(item, of, f"{where}.{name}[{index}]")
        elif label == "map":
            for key, item in value.items():
                check(item, of, f"{where}.{name}['{key}']")
        else:
            check(value, of, f"{where}.{name}")


def _check_string(value: object, of: type, where: str) -> None:
    if not isinstance(value, str):
        raise expected(where, "a text", value)
    if not value.isascii() or "\0" in value:
        check_text(value, where)


def _check_name(value: object, of: type, where: str) -> None:
    _check_string(value, of, where)
    size = len(str(value).encode())
    if not 1 <= size <= MAX_NAME:
        raise bad_message(where, f"1 to {MAX_NAME} bytes expected, got {size}")


def _check_key(value: object, of: type, where: str) -> None:
    _check_name(value, of, where)
    check_key(str(value), where)


def _check_integer(value: object, of: type, where: str) -> None:
    check_integer(value, where)


def _check_time(value: object, of: type, where: str) -> None:
    check_time(value, where)


def check_integer(value: object, where: str) -> None:
    """Refuse what is no integer of a client: versions, numbers of writes, sizes, from 0 on.

    Raises:
        RhtmxError: `bad_message`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise expected(where, f"an integer from 0 to {MAX_INTEGER}", value)


def check_time(value: object, where: str) -> None:
    """Refuse what is no point in time that both formats hold.

    Raises:
        RhtmxError: `bad_message`.
    """
    if not isinstance(value, datetime):
        raise expected(where, "a datetime with a zone", value)
    try:
        to_utc(value)
    except ValueError as error:
        raise bad_message(where, str(error)) from None


_Check = Callable[[object, type, str], None]
_CHECKS: dict[str, _Check] = {
    "string": _check_string,
    "int64": _check_integer,
    "time": _check_time,
    "message": _check_fields,
}

_NAMED = frozenset({"client_id", "entity_id", "form", "form_instance", "secret"})
"""Fields that hold a name."""

_KEYS = frozenset({"entities", "entity", "field"})
"""Fields that hold a name which is a key of an object, too: of a record, or of `since`."""

_PLANS: dict[type, list[tuple[str, _Check, str, type]]] = {}


def _check_of(kind: type, field: str, what: str) -> _Check:
    """The check of one field."""
    if kind is messages.FormFieldValue:  # the controls of a page may be called anything
        return _CHECKS[what]
    if field in _KEYS and kind is not messages.ValidateField:
        return _check_key
    return _check_name if field in _NAMED | _KEYS else _CHECKS[what]


def _plan(kind: type) -> list[tuple[str, _Check, str, type]]:
    """What is to be checked of a message: field, check, label, and the class of what is in it."""
    plan = _PLANS.get(kind)
    if plan is None:
        plan = _PLANS[kind] = [
            (
                name,
                _check_of(kind, name, shape.kind),
                shape.label,
                getattr(messages, shape.type_name) if shape.kind == "message" else kind,
            )
            for name, shape in SHAPES[kind.__name__].items()
            if shape.kind in _CHECKS
        ]
    return plan
