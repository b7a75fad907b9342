"""Records as generated dataclasses, and as the JSON that is sent, stored and judged.

Knows what a dataclass is made of, by its shape. Must not know clients, servers, nor rules.

A record was written by somebody, perhaps long ago, under another schema. So reading is kind:

- a field that is not there is its zero value, or `None` if it has presence, whatever a rule
  says (of a required message, too: rules say what may be written, not what was);
- keys that the schema does not have are kept in `extra`, and written back;
- words of enums that the schema does not have are kept.

What is there, and is something else than the schema says, cannot be read: `Unreadable`.

Texts are written as they are kept: normalised, where their field asks for that.

Written are all fields without presence, zero or not, so that whoever divides an entity by a
field finds it in every record; those with presence, if they are not `None`; and `extra`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rhtmx.errors import ErrorCode, Invalid, RhtmxError, Violation
from rhtmx.schema.codecs import Codec, Misfit
from rhtmx.schema.declared import Shape, shape_of
from rhtmx.schema.kinds import UNREADABLE
from rhtmx.schema.message import Field
from rhtmx.values.json_value import Json

__all__ = ["Unreadable", "from_json", "normal", "record_of", "to_json"]

R = TypeVar("R")


class Unreadable(RhtmxError):  # noqa: N818 (what a record is)
    """A record has something else in a field than the schema says. Its code is `INVALID_DATA`.

    Args:
        record: which one, `tasks/7`; empty if nobody said.
        field: the path of what cannot be read; empty for the record as a whole.
        kind: what was expected there: "a whole number".

    Example:
        >>> str(Unreadable("tasks/7", "votes", "a whole number"))
        'tasks/7: votes: a whole number expected'
    """

    def __init__(self, record: str, field: str, kind: str) -> None:
        self.record = record
        self.field = field
        self.kind = kind
        place = "".join(f"{each}: " for each in (record, field) if each)
        super().__init__(ErrorCode.INVALID_DATA, f"{place}{kind} expected")


def from_json(cls: type[R], data: Json, *, record: str = "") -> R:
    """Read a record.

    Args:
        cls: a generated dataclass.
        data: the record as JSON has it.
        record: which one it is, for the error.

    Raises:
        Unreadable: a field has something else than the schema says.
    """
    try:
        return _read(shape_of(cls), data)
    except Misfit as misfit:
        raise Unreadable(record, misfit.path.removeprefix("."), misfit.kind) from None


def to_json(record: object) -> dict[str, Json]:
    """Write a record: an object of JSON with all that it has.

    Args:
        record: of a generated dataclass.

    Raises:
        Invalid: an attribute has something else than the schema says.
    """
    written, wrong = _write(shape_of(type(record)), record)
    if wrong:
        raise Invalid(each.violation for each in wrong)
    return written


def normal(field: Field, value: Json) -> Json:
    """A value as it is kept: normalised, if its field asks for that.

    Args:
        field: its row in the table of the rules.
        value: it, as JSON.
    """
    return value if field.kind.clean is None else field.kind.clean(value)


def record_of(cls: Callable[[], type[R]]) -> Codec[R]:
    """A record within another one, as the kind of a field.

    Args:
        cls: gives its dataclass, which may not be there yet.
    """

    def read(data: Json) -> R:
        return _read(shape_of(cls()), data, seen=True)

    def write(record: R) -> Json:
        if not isinstance(record, cls()):
            raise Misfit(f"a {cls().__name__}")
        written, wrong = _write(shape_of(cls()), record)
        for each in wrong:
            raise each
        return written

    return Codec("an object", read, write, lambda: read({}))


def _read(shape: Shape[R], data: Json, *, seen: bool = False) -> R:
    """Make a record. What is within one has been seen to be of its kind together with it."""
    if not isinstance(data, dict):
        raise Misfit("an object")
    values: dict[str, Any] = {}
    for member in shape.members:
        value = data.get(member.rules.key)
        if value is None:
            values[member.attribute] = member.absent()
            continue
        if not seen and value.__class__ is not member.rules.exact:
            _check(member.rules, value)
        values[member.attribute] = member.codec.read(value)
    keys = shape.keys
    make: Callable[..., R] = shape.cls
    return make(**values, extra={key: data[key] for key in data if key not in keys})


def _check(field: Field, value: Json) -> None:
    """Refuse a value of another kind, or out of the range of its own, as whoever judges it does."""
    if field.read(value, "", None, 0, {}) is UNREADABLE:
        found: list[Violation] = []
        field.read(value, f".{field.name}", found, 0, {})
        told = next(each for each in found if each.code in _OF_READING)
        raise Misfit(told.message.removeprefix("must be "), told.field)


_OF_READING = ("type", "range")


def _write(shape: Shape[R], record: R) -> tuple[dict[str, Json], list[Misfit]]:
    """A record as JSON, and what is wrong with it."""
    extra: dict[str, Json] = getattr(record, "extra")  # noqa: B009 (generated: nothing types it)
    written: dict[str, Json] = {key: extra[key] for key in extra if key not in shape.keys}
    wrong: list[Misfit] = []
    for member in shape.members:
        value = getattr(record, member.attribute)
        if value is None and member.rules.presence:
            continue
        try:
            written[member.rules.key] = normal(member.rules, member.codec.write(value))
        except Misfit as misfit:
            wrong.append(misfit.within(f".{member.name}"))
    return written, wrong
