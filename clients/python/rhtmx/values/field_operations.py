"""Operations on fields as an application writes them: `Increment(1)`, `Add("urgent")`.

Knows the operations and their operands, and how they are written in a message. Must not
know what comes of them (`operations` does), nor records.

An operation says what is to be done instead of what the field is to be, so that none of two
concurrent ones is lost. It takes the place of a value, in `Collection.patch` and wherever
else fields are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction
from rhtmx.values.json_value import Json, from_json, to_json
from rhtmx.values.operations import Element, apply

__all__ = [
    "Add",
    "Append",
    "DeleteKey",
    "FieldOperation",
    "Increment",
    "Max",
    "Min",
    "Remove",
    "SetKey",
    "operand_text",
    "operation_of",
]


class FieldOperation:
    """What is written instead of a value. Make one of its kinds.

    Attributes:
        action: the word for it on the wire.
    """

    __slots__ = ()

    action: ClassVar[FieldAction]

    @property
    def operand(self) -> Json:
        """What stands in the place of the value in a message."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Increment(FieldOperation):
    """Add to a number; of a field that is not there, to 0.

    Two clients that count at the same time are both counted, and a write that is sent again
    counts once.

    Args:
        by: how much: an integer, below zero to count down; or a decimal number, as `Decimal`
            or as a string, for a field that is kept as such a string: with as many decimals
            as the field has.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is a float: those are not exact.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"votes": Increment(2), "cost": Increment("0.50")})
        >>> tasks.get("1").data["votes"], tasks.get("1").data["cost"]  # it shows already
        (2, '0.50')
        >>> from decimal import Decimal
        >>> Increment(Decimal("-0.50"))
        Increment(by='-0.50')
    """

    action = FieldAction.INCREMENT
    by: int | str | Decimal = 1

    def __post_init__(self) -> None:
        if isinstance(self.by, Decimal):
            object.__setattr__(self, "by", format(self.by, "f"))
        elif not isinstance(self.by, int | str):
            words = f"Increment: use an int, a Decimal or a string, got {type(self.by).__name__}"
            raise RhtmxError(ErrorCode.BAD_MESSAGE, words)

    @property
    def operand(self) -> Json:
        """What is added."""
        return self.by


@dataclass(frozen=True, slots=True, init=False, repr=False)
class _OfElements(FieldOperation):
    elements: tuple[Any, ...]

    def __init__(self, *elements: Any) -> None:
        object.__setattr__(self, "elements", elements)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.elements))})"

    @property
    def operand(self) -> Json:
        """The list of them."""
        return list(self.elements)


class Add(_OfElements):
    """Add elements to a set, kept as a list in its order, with each of them once.

    Args:
        elements: strings, integers and booleans.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"labels": Add("urgent", "big")})
        >>> tasks.get("1").data["labels"]
        ['big', 'urgent']
    """

    __slots__ = ()
    action = FieldAction.ADD

    def __init__(self, *elements: Element) -> None:
        super().__init__(*elements)


class Remove(_OfElements):
    """Remove elements from a set, as far as their author has seen them.

    What somebody else adds at the same time stays. To have seen an element is to have read
    the record at a version that has it: `Collection.patch` says which, and without a
    `base_version` everything that is there counts as seen.

    Args:
        elements: strings, integers and booleans; it is no error if one is not there.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"labels": Add("urgent", "big")})
        >>> writing = tasks.patch("1", {"labels": Remove("urgent")})
        >>> tasks.get("1").data["labels"]
        ['big']
    """

    __slots__ = ()
    action = FieldAction.REMOVE

    def __init__(self, *elements: Element) -> None:
        super().__init__(*elements)


class Append(_OfElements):
    """Put elements at the end of a list of at most 1,000, in the order of arrival.

    Args:
        elements: any JSON values.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"log": Append({"by": "Ada", "did": "opened it"})})
        >>> tasks.get("1").data["log"]
        [{'by': 'Ada', 'did': 'opened it'}]
    """

    __slots__ = ()
    action = FieldAction.APPEND


@dataclass(frozen=True, slots=True)
class Max(FieldOperation):
    """Let a field have a value, unless it has a larger one.

    Args:
        value: a number, for a field with a number; or a string, which is compared by its
            code points, so that dates like `2026-11-29` are compared as dates.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"best": Max(70), "seen": Max("2026-11-29")})
        >>> writing = tasks.patch("1", {"best": Max(50), "seen": Max("2026-11-30")})
        >>> tasks.get("1").data["best"], tasks.get("1").data["seen"]
        (70, '2026-11-30')
    """

    action = FieldAction.MAX
    value: float | str

    @property
    def operand(self) -> Json:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Min(FieldOperation):
    """Let a field have a value, unless it has a smaller one; see `Max`.

    Args:
        value: a number or a string.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"fastest": Min(9.8)})
        >>> writing = tasks.patch("1", {"fastest": Min(10.2)})
        >>> tasks.get("1").data["fastest"]
        9.8
    """

    action = FieldAction.MIN
    value: float | str

    @property
    def operand(self) -> Json:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class SetKey(FieldOperation):
    """Set keys of an object in a field, and leave its other keys.

    A key that somebody else wrote at the same time is replaced, which is a conflict with that
    `key`: the author can look at both values, and decide otherwise.

    Args:
        values: the new values by key; any JSON values.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"notes": SetKey({"mon": "rain", "tue": "sun"})})
        >>> writing = tasks.patch("1", {"notes": SetKey({"mon": "hail"})})
        >>> tasks.get("1").data["notes"]
        {'mon': 'hail', 'tue': 'sun'}
    """

    action = FieldAction.SET_KEY
    values: Mapping[str, Json]

    @property
    def operand(self) -> Json:
        """The object."""
        return dict(self.values) if isinstance(self.values, Mapping) else self.values


@dataclass(frozen=True, slots=True, init=False, repr=False)
class DeleteKey(FieldOperation):
    """Delete keys of an object in a field, as far as their author has seen them; see `Remove`.

    Args:
        keys: which; it is no error if one is not there.

    Example:
        >>> await tasks.synced()
        >>> writing = tasks.patch("1", {"notes": SetKey({"mon": "rain", "tue": "sun"})})
        >>> writing = tasks.patch("1", {"notes": DeleteKey("mon")})
        >>> tasks.get("1").data["notes"]
        {'tue': 'sun'}
    """

    action = FieldAction.DELETE_KEY
    keys: tuple[str, ...]

    def __init__(self, *keys: str) -> None:
        object.__setattr__(self, "keys", keys)

    def __repr__(self) -> str:
        return f"DeleteKey({', '.join(map(repr, self.keys))})"

    @property
    def operand(self) -> Json:
        """The list of them."""
        return list(self.keys)


def operand_text(operation: FieldOperation, field: str, where: str) -> bytes | None:
    """The operand of an operation as JSON, if some field could take it.

    Args:
        operation: which.
        field: the name of the field, for the error.
        where: path of the value in the message, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is none, or cannot be JSON; `INVALID_DATA`, it is too
            large for any field.

    Example:
        >>> operand_text(Add("urgent"), "labels", "value")
        b'["urgent"]'
    """
    text = to_json(operation.operand, where)
    apply(operation.action, None, text, field)
    return text


def operation_of(action: FieldAction, text: bytes | None) -> FieldOperation:
    """The operation that a message has, as an application writes it.

    Args:
        action: which: a key of `operations.OPERATIONS`.
        text: its operand, as JSON.

    Example:
        >>> operation_of(FieldAction.ADD, b'["urgent"]')
        Add('urgent')
    """
    return _KINDS[action](from_json(text))


_KINDS: Mapping[FieldAction, Callable[[Any], FieldOperation]] = MappingProxyType(
    {
        FieldAction.INCREMENT: Increment,
        FieldAction.ADD: lambda elements: Add(*elements),
        FieldAction.REMOVE: lambda elements: Remove(*elements),
        FieldAction.MAX: Max,
        FieldAction.MIN: Min,
        FieldAction.APPEND: lambda elements: Append(*elements),
        FieldAction.SET_KEY: SetKey,
        FieldAction.DELETE_KEY: lambda keys: DeleteKey(*keys),
    }
)
