"""What an operation makes of the value of a field. Pure.

Knows JSON values. Must not know records, clocks, or who writes what. Server and client
follow the same rules, so that what a client shows is what the server will say; the vectors
`tests/vectors/operations.json` say so for both languages.

A field that is absent or `null` counts as nothing: 0, an empty list, an empty object. To a decimal
number an empty text is nothing as well: it is what a schema has where nobody said any.
Numbers are what they mean: `7`, `7.0` and `70e-1` are one integer. An operand that no field
could take is `BAD_MESSAGE`; a field that this operation cannot be applied to is
`INVALID_DATA`. Their violation has the field, and `operation.operand`, `operation.value` or
`operation.too_large` as its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError, Violation, violation_details
from rhtmx.messages import FieldAction
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS

__all__ = ["MOST_ITEMS", "OPERATIONS", "Element", "apply", "decimals", "element_text", "elements"]

MOST_ITEMS = 1_000
"""Elements of a list or a set that is changed by operations, and keys of such an object."""

_LARGEST = 2**53 - 1
_MOST_DIGITS = 38
_NULL = b"null"
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)

Element: TypeAlias = str | int | bool
"""What a set may contain."""

_parse = msgspec.json.Decoder().decode
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def apply(
    action: FieldAction, stored: bytes | None, operand: bytes | None, where: str
) -> bytes | None:
    """Return the JSON text of a field after an operation.

    Args:
        action: which one: a key of `OPERATIONS`.
        stored: the field's value as JSON; `None`: it is absent or `null`.
        operand: the operation's operand as JSON.
        where: the name of the field, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, the operand is none; `INVALID_DATA`, the field has a
            value that this operation cannot be applied to, or would become too large.

    Example:
        >>> apply(FieldAction.INCREMENT, b"3", b"4", "votes")
        b'7'
        >>> apply(FieldAction.ADD, b'["b"]', b'["c", "a"]', "labels")
        b'["a","b","c"]'
    """
    given = None if stored is None or stored == _NULL else stored
    return OPERATIONS[action](_Operands(action, given, operand or _NULL, where))


def elements(value: bytes | None) -> list[Element] | None:
    """The elements of a set, in its order, each once; `None` if this is none.

    Example:
        >>> elements(b'["b", 2, true, "a", 2.0]')
        [True, 2, 'a', 'b']
    """
    found = [] if value is None or value == _NULL else _parse(value)
    if not isinstance(found, list):
        return None
    kept: dict[tuple[int, Element], Element] = {}
    for each in found:
        element = _whole(each) if isinstance(each, float) else each
        if not isinstance(element, str | int):
            return None
        kept[_rank(element), element] = element
    return [kept[key] for key in sorted(kept)]


def element_text(element: Element) -> str:
    """The one text of an element: two are the same if these are.

    Example:
        >>> element_text(True), element_text(1), element_text("1")
        ('true', '1', '"1"')
    """
    return str(_encode(element), "utf-8")


def decimals(value: object) -> int | None:
    """How many decimals the text of a decimal number has; `None` if it is no such text.

    Example:
        >>> decimals("10.50"), decimals("-3"), decimals("1e3")
        (2, 0, None)
    """
    found = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if found is None or len(found[0]) > _MOST_DIGITS + 2:
        return None
    return len(found[1] or "")


class _Operands:
    """One operation: what it is applied to, and with what."""

    __slots__ = ("action", "given", "operand", "where")

    def __init__(
        self, action: FieldAction, given: bytes | None, operand: bytes, where: str
    ) -> None:
        self.action, self.given, self.operand, self.where = action, given, operand, where

    @property
    def value(self) -> Any:
        """The operand as a Python value."""
        return _parse(self.operand)

    @property
    def field(self) -> Any:
        """The field as a Python value; `None` for nothing."""
        return None if self.given is None else _parse(self.given)

    def wrong(self, expected: str) -> RhtmxError:
        """The operand is none."""
        name = FIELD_ACTION_SPELLINGS[self.action]
        return self._error(
            ErrorCode.BAD_MESSAGE,
            "operation.operand",
            f"{name} of '{self.where[:40]}': {expected} expected, got {_kind(self.value)}",
        )

    def misfit(self, expected: str) -> RhtmxError:
        """The field cannot take it."""
        name = FIELD_ACTION_SPELLINGS[self.action]
        return self._error(
            ErrorCode.INVALID_DATA,
            "operation.value",
            f"'{self.where[:40]}' is {_kind(self.field)}: {name} needs {expected}",
        )

    def too_large(self, words: str) -> RhtmxError:
        """What came of it would be too large."""
        name = FIELD_ACTION_SPELLINGS[self.action]
        message = f"{name} of '{self.where[:40]}': it would have {words}"
        return self._error(ErrorCode.INVALID_DATA, "operation.too_large", message)

    def _error(self, code: ErrorCode, rule: str, message: str) -> RhtmxError:
        details = _encode(violation_details([Violation(self.where, rule, message)]))
        return RhtmxError(code, message, details=details)


def _increment(it: _Operands) -> bytes:
    by = it.value
    if isinstance(by, str):
        return _increment_decimal(it, by)
    by = _whole(by)
    if by is None or abs(by) > _LARGEST:
        raise it.wrong(
            "an integer between -(2^53 - 1) and 2^53 - 1, or a decimal number as a string,"
        )
    before = 0 if it.given is None else _whole(it.field)
    if before is None or abs(before) > _LARGEST:
        raise it.misfit("an integer between -(2^53 - 1) and 2^53 - 1")
    if abs(before + by) > _LARGEST:
        raise it.too_large(f"the value {before + by}, between -(2^53 - 1) and 2^53 - 1 is allowed")
    return b"%d" % (before + by)


def _increment_decimal(it: _Operands, by: str) -> bytes:
    scale = decimals(by)
    if scale is None:
        raise it.wrong(f'a decimal number like "10.50", of at most {_MOST_DIGITS} digits,')
    held = None if it.field == "" else it.field
    before = by if held is None else held
    if decimals(before) != scale:
        raise it.misfit(f'a decimal number with {scale} decimals, as "{by[:40]}" has')
    total = int(by.replace(".", ""))
    if held is not None:
        total += int(before.replace(".", ""))
    digits = f"{abs(total):0{scale + 1}}"
    if len(digits) > _MOST_DIGITS:
        raise it.too_large(f"{len(digits)} digits, {_MOST_DIGITS} are allowed")
    whole, rest = digits[: len(digits) - scale], digits[len(digits) - scale :]
    text = f"{'-' if total < 0 else ''}{whole}{'.' if scale else ''}{rest}"
    return b'"%s"' % text.encode()


def _add(it: _Operands) -> bytes:
    return _set(it, lambda held, named: [*held, *named])


def _remove(it: _Operands) -> bytes | None:
    if it.given is None:
        _named(it)
        return None
    return _set(it, lambda held, named: [e for e in held if not _among(e, named)])


def _set(it: _Operands, change: Callable[[list[Element], list[Element]], list[Element]]) -> bytes:
    named, held = _named(it), elements(it.given)
    if held is None:
        raise it.misfit("a list of strings, integers and booleans")
    after = elements(_encode(change(held, named))) or []
    if len(after) > max(MOST_ITEMS, len(held)):
        raise it.too_large(f"{len(after)} elements, {MOST_ITEMS} are allowed")
    return _encode(after)


def _named(it: _Operands) -> list[Element]:
    named = elements(it.operand) if it.operand != _NULL else None
    if not named:
        raise it.wrong("a list of strings, integers and booleans")
    return named


def _among(element: Element, others: list[Element]) -> bool:
    # To Python, 1 and True are equal.
    return any(each == element and type(each) is type(element) for each in others)


def _larger(it: _Operands) -> bytes:
    return _outermost(it, lambda one, other: bool(one > other))


def _smaller(it: _Operands) -> bytes:
    return _outermost(it, lambda one, other: bool(one < other))


def _outermost(it: _Operands, beats: Callable[[Any, Any], bool]) -> bytes:
    operand = it.value
    is_text = isinstance(operand, str)
    if not is_text and not _is_number(operand):
        raise it.wrong("a number or a string")
    if it.given is None:
        return it.operand
    field = it.field
    if not (isinstance(field, str) if is_text else _is_number(field)):
        raise it.misfit("a string" if is_text else "a number")
    return it.operand if beats(operand, field) else it.given


def _append(it: _Operands) -> bytes:
    if not isinstance(it.value, list) or not it.value:
        raise it.wrong("a list with the elements to append")
    if it.given is not None and not isinstance(it.field, list):
        raise it.misfit("a list")
    after = [*([] if it.given is None else _items(it.given)), *_items(it.operand)]
    if len(after) > MOST_ITEMS:
        raise it.too_large(f"{len(after)} elements, {MOST_ITEMS} are allowed")
    return _encode(after)


def _set_key(it: _Operands) -> bytes:
    if not isinstance(it.value, dict) or not it.value:
        raise it.wrong("an object with the keys to set")
    if it.given is not None and not isinstance(it.field, dict):
        raise it.misfit("an object")
    before = {} if it.given is None else _split(it.given)
    after = {**before, **_split(it.operand)}
    if len(after) > max(MOST_ITEMS, len(before)):
        raise it.too_large(f"{len(after)} keys, {MOST_ITEMS} are allowed")
    return _encode(after)


def _delete_key(it: _Operands) -> bytes | None:
    named = it.value
    if not isinstance(named, list) or not named or not all(isinstance(each, str) for each in named):
        raise it.wrong("a list with the keys to delete")
    if it.given is None:
        return None
    if not isinstance(it.field, dict):
        raise it.misfit("an object")
    return _encode({key: text for key, text in _split(it.given).items() if key not in named})


OPERATIONS: Mapping[FieldAction, Callable[[_Operands], bytes | None]] = MappingProxyType(
    {
        FieldAction.INCREMENT: _increment,
        FieldAction.ADD: _add,
        FieldAction.REMOVE: _remove,
        FieldAction.MAX: _larger,
        FieldAction.MIN: _smaller,
        FieldAction.APPEND: _append,
        FieldAction.SET_KEY: _set_key,
        FieldAction.DELETE_KEY: _delete_key,
    }
)
"""The actions that are operations, and what each of them does."""


def _whole(value: object) -> int | None:
    """The integer that a number is; `None` if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rank(element: Element) -> int:
    """The place of a kind of element: what is of one kind can be compared."""
    return 0 if isinstance(element, bool) else 1 if isinstance(element, int) else 2


def _kind(value: object) -> str:
    """A value in words that tell nothing of what it is."""
    if isinstance(value, float):
        return "a number with a fraction"
    if isinstance(value, list):
        return "a list with other values" if value else "an empty list"
    for kind, words in _KINDS.items():
        if isinstance(value, kind):
            return words
    return "null"


_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    str: "a string",
    dict: "an object",
}
