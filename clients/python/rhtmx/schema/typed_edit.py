"""What an edit of a typed record writes, and what the record would be: told by its shape.

Knows declared fields, and operations on them. Must not know clients, servers, queues or the wire:
an application writes typed records with either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rhtmx.errors import ErrorCode, Invalid, RhtmxError, Violation
from rhtmx.schema.codecs import (
    DOUBLE,
    FLOAT,
    INTEGER,
    INTEGER_TEXT,
    OBJECT,
    TEXT,
    Codec,
    Misfit,
    keys_of,
)
from rhtmx.schema.convert import normal
from rhtmx.schema.declared import Member, Shape
from rhtmx.schema.ownership import not_yours
from rhtmx.schema.same_value import same_value
from rhtmx.values.field_operations import (
    Add,
    Append,
    DeleteKey,
    FieldOperation,
    Increment,
    Max,
    Min,
    Remove,
    SetKey,
    operand_text,
)
from rhtmx.values.json_value import Json, from_json, to_json
from rhtmx.values.operations import apply, decimals

__all__ = ["TypedEdit", "changed_of", "created", "edit_of", "part_of", "said_of"]


@dataclass(frozen=True, slots=True)
class TypedEdit:
    """What is written of a record.

    Attributes:
        values: new values and operations, by key.
        deletes: the keys that go.
        names: the fields that the edit is about, as the schema calls them.
    """

    values: Mapping[str, Json | FieldOperation]
    deletes: tuple[str, ...]
    names: frozenset[str]

    def operated(self, shape: Shape[Any]) -> frozenset[str]:
        """The fields of which it says what is to be done, instead of what they are to be."""
        return frozenset(
            shape.keys[key].name
            for key, value in self.values.items()
            if isinstance(value, FieldOperation)
        )

    def applied(self, data: Mapping[str, Json]) -> dict[str, Json]:
        """A record as it is with this edit.

        Args:
            data: the record before, as JSON.

        Raises:
            Invalid: an operation cannot be applied to what the record has there.
        """
        after = {key: data[key] for key in data if key not in self.deletes}
        wrong: list[Violation] = []
        for key, value in self.values.items():
            if not isinstance(value, FieldOperation):
                after[key] = value
                continue
            try:
                _operate(after, key, value)
            except RhtmxError as error:
                wrong += error.violations
        if wrong:
            raise Invalid(wrong)
        return after


def _operate(data: dict[str, Json], key: str, operation: FieldOperation) -> None:
    operand = operand_text(operation, key, key)
    made = apply(operation.action, to_json(data.get(key), key), operand, key)
    if made is not None:
        data[key] = from_json(made)


def edit_of(
    shape: Shape[Any],
    fields: Mapping[str, Any],
    *,
    whole: bool = False,
    trusted: bool = False,
) -> TypedEdit:
    """Read what an application wants to write.

    Args:
        shape: of the record.
        fields: new values and operations by attribute; `None`: it goes.
        whole: the record is written as a whole, so that nobody is told which fields were named:
            `changed_of` says what may not become another value.
        trusted: the program of the server writes, which may write every field.

    Raises:
        TypeError: there is no such field, or none at all.
        Invalid: a value is not what the schema says, or nobody may write it here.
    """
    if not fields:
        raise TypeError("edit: at least one field expected")
    values: dict[str, Json | FieldOperation] = {}
    deletes: dict[str, None] = {}
    wrong: list[Violation] = []
    members = [_member(shape, attribute) for attribute in fields]
    for member, given in zip(members, fields.values(), strict=True):
        judged = not trusted and (member.rules.server_only or not whole)
        if judged and (refused := not_yours(member.rules)):
            wrong.append(refused)
            continue
        try:
            if given is None and member.rules.presence:
                deletes[member.rules.key] = None
                continue
            values[member.rules.key] = _written(member, given)
        except Misfit as misfit:
            wrong.append(misfit.within(member.name).violation)
            continue
        # A oneof is one field for whoever merges: what is set takes all others away.
        deletes.update({each.rules.key: None for each in shape.others_of(member)})
    if wrong:
        raise Invalid(wrong)
    gone = tuple(key for key in deletes if key not in values)
    names = {each.name for each in members} | {shape.keys[key].name for key in gone}
    return TypedEdit(values, gone, frozenset(names))


def _member(shape: Shape[Any], attribute: str) -> Member:
    member = shape.attributes.get(attribute)
    if member is None:
        raise TypeError(f"edit: {shape.cls.__name__} has no field '{attribute}'")
    return member


def changed_of(
    shape: Shape[Any], before: Mapping[str, Json], after: Mapping[str, Json]
) -> frozenset[str]:
    """The fields that have another value in a record that is written as a whole.

    Args:
        shape: of the record.
        before: it as it is, as JSON.
        after: it as it would be.

    Raises:
        Invalid: nobody may change one of these here. That it is spelt in another way is no change.
    """
    both = [each for each in shape.members if _differs(each.rules.key, before, after)]
    others = (each.rules for each in both if not same_value(each.rules, before, after))
    wrong = [refused for each in others if (refused := not_yours(each))]
    if wrong:
        raise Invalid(wrong)
    return frozenset(each.name for each in both)


def _differs(key: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    if (key in before) != (key in after):
        return True
    return key in before and to_json(before[key], key) != to_json(after[key], key)


def _written(member: Member, value: Any) -> Json | FieldOperation:
    """A value, or an operation that fits with its operand, as JSON has it."""
    codec = member.codec
    if not isinstance(value, FieldOperation):
        return normal(member.rules, codec.write(value))
    if not _fits(member, value):
        raise Misfit(f"{codec.kind}: {type(value).__name__} does not fit it", code="operation")
    scale = member.rules.scale
    if scale and isinstance(value, Increment) and decimals(value.by) != scale:
        raise Misfit(f'incremented by a text like "{0:.{scale}f}"', code="operation.decimals")
    return _with_operand(codec, value)


def _fits(member: Member, operation: FieldOperation) -> bool:
    """Whether a field of this kind takes an operation."""
    codec = member.codec
    if not isinstance(operation, _TAKES.get(member.rules.merge, FieldOperation)):
        return False
    match operation:
        case Increment():
            counted = codec is TEXT and member.rules.merge == "counter"
            return counted or codec in (INTEGER, INTEGER_TEXT)
        case Max() | Min():
            return codec in (INTEGER, FLOAT, DOUBLE, TEXT)
        case Add() | Remove() | Append():
            return codec.item is not None and codec.key is None
        case _:
            return codec.key is not None or codec is OBJECT


_TAKES: Mapping[str, type[FieldOperation] | tuple[type[FieldOperation], ...]] = {
    "counter": Increment,
    "set": (Add, Remove),
}
"""What the server takes of a field that is declared to be of one kind."""


def _with_operand(codec: Codec[Any], operation: FieldOperation) -> FieldOperation:
    match operation:
        case Increment(by=by) if codec is INTEGER_TEXT:
            return Increment(str(by))
        case Max() | Min():
            return replace(operation, value=codec.write(operation.value))
        case Add() | Remove() | Append():
            item = codec.item or codec
            return type(operation)(*map(item.write, operation.elements))
        case SetKey(values=values):
            return SetKey(codec.write(dict(values)))
        case DeleteKey(keys=keys):
            return DeleteKey(*keys_of(codec, keys))
        case _:
            return operation


def created(
    shape: Shape[Any], data: Mapping[str, Json], *, trusted: bool = False
) -> dict[str, Json]:
    """What is written of a record that is new: without what the server fills in.

    Args:
        shape: of the record.
        data: all of it, as JSON.
        trusted: the program of the server writes, which may write every field.

    Raises:
        Invalid: a field that only the server writes has a value.
    """
    written = dict(data)
    wrong: list[Violation] = []
    for member in shape.members:
        key = member.rules.key
        if key not in written:
            continue
        nothing = not member.rules.presence and written[key] == member.codec.write(member.absent())
        if nothing and (member.of_server or member.rules.default is not None):
            del written[key]
        elif not trusted and member.of_server and (refused := not_yours(member.rules)):
            wrong.append(refused)
    if wrong:
        raise Invalid(wrong)
    return written


def said_of(shape: Shape[Any], data: Mapping[str, Json]) -> frozenset[str]:
    """The fields of a new record that a client can judge: not those that the server fills in.

    Args:
        shape: of the record.
        data: what is written of it.
    """
    return frozenset(
        each.name
        for each in shape.members
        if each.rules.key in data or not (each.of_server or each.rules.default is not None)
    )


def part_of(shape: Shape[Any], where: Mapping[str, Any]) -> dict[str, Any]:
    """A part as `Client.collection` takes it, of one by the schema's names.

    Args:
        shape: of the records.
        where: a value, or a list of them, by field.

    Raises:
        RhtmxError: `BAD_MESSAGE`, there is no such field, or that is none of its values.
    """
    names = {each.name: each for each in shape.members}
    part = {}
    for name, given in where.items():
        member = names.get(name)
        if member is None:
            raise _no_part(shape, f"{shape.cls.__name__} has no field '{name}'")
        try:
            many = [member.codec.write(each) for each in _listed(given)]
        except Misfit as misfit:
            raise _no_part(shape, f"'{name}': {misfit.kind} expected") from None
        part[member.rules.key] = many if isinstance(given, list | tuple) else many[0]
    return part


def _listed(given: Any) -> Sequence[Any]:
    return given if isinstance(given, list | tuple) else [given]


def _no_part(shape: Shape[Any], words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"where of '{shape.name}': {words}")
