"""What a JSON value can be: how it is read, and how a value is shown to people.

Knows each kind of a single value, its zero, and the rules that reading implies. Must not know
rules that an application writes, nor fields.
"""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from rhtmx.errors import Violation
from rhtmx.schema import times
from rhtmx.schema.float32 import FLOAT_BITS, shortest_float
from rhtmx.schema.shown import shown_number, shown_text

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "FIELD_MASK",
    "FIXED32",
    "FIXED64",
    "FLOAT",
    "INT32",
    "INT64",
    "LIST_VALUE",
    "NOT_FINITE",
    "SAFE",
    "SFIXED32",
    "SFIXED64",
    "SINT32",
    "SINT64",
    "STRING",
    "STRUCT",
    "TIMESTAMP",
    "UINT32",
    "UINT64",
    "UNREADABLE",
    "VALUE",
    "Enum",
    "Found",
    "Kind",
    "Read",
    "Words",
    "enum",
    "report",
    "text_of",
]

SAFE: Final = 2**53 - 1
"""Up to here, a browser tells every whole number from the next."""

Found: TypeAlias = list[Violation] | None
"""Where violations go; `None` where a value is only read, not judged."""

Words: TypeAlias = Mapping[str, str]
"""Words of the application for a rule, by its id."""

Read: TypeAlias = Callable[[Any, str, Found, int, Words], Any]
"""Reads a JSON value that is not null: (json, its path, where violations go, now, words)."""


class _Unreadable:
    """What a value is that could not be read. There is one."""

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE: Final = _Unreadable()
"""What is read of a value of another kind; why it is, has been reported."""


class Kind:
    """What a JSON value can be.

    Attributes:
        word: what the ids of its rules begin with, `string`.
        zero: what it is where JSON has nothing, in a field without presence.
        exact: the class of a JSON value that is its own rule value, without any more reading; or
            `None`.
        read: makes the rule value of a JSON value, or `UNREADABLE`.
        show: says a value of it, as a rule has it, for people.
        item: of a list, the kind of its items.
        in_text: JSON has it as a text, though it is a number.
        empty: of a message, whether a value of it has nothing but zeros.
        clean: what is kept in the place of a JSON value, where texts in it are normalised; the
            value itself, if it is so already.
        within: of what holds messages, the table of these.
    """

    __slots__ = (
        "clean",
        "empty",
        "exact",
        "in_text",
        "item",
        "read",
        "show",
        "within",
        "word",
        "zero",
    )

    def __init__(
        self,
        word: str,
        zero: Any,
        read: Read,
        *,
        exact: type | None = None,
        show: Callable[[Any], str] = shown_text,
        item: Kind | None = None,
        in_text: bool = False,
        empty: Callable[[Any], bool] | None = None,
        clean: Callable[[Any], Any] | None = None,
        within: Callable[[], Any] | None = None,
    ) -> None:
        self.clean = clean
        self.within = within
        self.empty = empty
        self.item = item
        self.in_text = in_text
        self.word = word
        self.zero = zero
        self.read = read
        self.exact = exact
        self.show = show

    def __repr__(self) -> str:
        return f"<Kind {self.word}>"


def report(found: Found, path: str, code: str, message: str, words: Words) -> None:
    """Note a violation, in the application's words if it has some for the rule.

    Args:
        found: where it goes; nothing is noted if it is `None`.
        path: of what is wrong.
        code: the id of the rule.
        message: the usual words.
        words: those of the application.
    """
    if found is not None:
        found.append(Violation(path, code, words.get(code, message) if words else message))


def _type(article: str) -> Callable[[Found, str, Words], _Unreadable]:
    """Reports a value of another type."""
    message = f"must be {article}"

    def wrong(found: Found, path: str, words: Words) -> _Unreadable:
        report(found, path, "type", message, words)
        return UNREADABLE

    return wrong


_not_whole = _type("a whole number")
_not_number = _type("a number")
_not_bytes = _type("bytes in base64")
_not_word = _type("one of the known words")


# Texts, booleans, and what stays as it is


def _instance(article: str, kind: type) -> Read:
    wrong = _type(article)

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        return json if isinstance(json, kind) else wrong(found, path, words)

    return read


def _as_it_is(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    return json


def _read_any(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    if isinstance(json, Mapping) and isinstance(json.get("@type"), str):
        return json
    return _not_any(found, path, words)


_not_any = _type('an object with "@type"')

STRING: Final = Kind("string", "", _instance("a text", str), exact=str)
"""A text."""

BOOL: Final = Kind("bool", False, _instance("true or false", bool), exact=bool)
"""True or false."""

VALUE: Final = Kind("value", None, _as_it_is)
"""Any JSON value."""

STRUCT: Final = Kind("struct", None, _instance("an object", Mapping), exact=dict)
"""Any JSON object."""

LIST_VALUE: Final = Kind("list_value", None, _instance("a list", list), exact=list)
"""Any JSON array."""

ANY: Final = Kind("any", None, _read_any)
"""A message of whichever type: an object that says so in "@type"."""


# Whole numbers


def _whole(json: Any) -> int | None:
    """The whole number that a JSON number is; 1.0 and 1e2 are such."""
    if isinstance(json, int):
        return None if isinstance(json, bool) else json
    return int(json) if isinstance(json, float) and json.is_integer() else None


def _integer(word: str, low: int, high: int) -> Kind:
    """A kind of whole numbers. Those that a browser cannot hold are a violation."""
    out_of_range = f"must be between {low} and {high}"
    safe_low, safe_high = max(low, -SAFE), min(high, SAFE)
    unsafe = f"must be between {safe_low} and {safe_high}"

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if json.__class__ is int and safe_low <= json <= safe_high:
            return json
        value = _whole(json)
        if value is None:
            return _not_whole(found, path, words)
        if not low <= value <= high:
            report(found, path, "range", out_of_range, words)
            return UNREADABLE
        if not safe_low <= value <= safe_high:
            report(found, path, "safe_integer", unsafe, words)
        return value

    return Kind(word, 0, read, show=str)


INT32: Final = _integer("int32", -(2**31), 2**31 - 1)
"""A whole number of 32 bits; those below, too."""
SINT32: Final = _integer("sint32", -(2**31), 2**31 - 1)
SFIXED32: Final = _integer("sfixed32", -(2**31), 2**31 - 1)
UINT32: Final = _integer("uint32", 0, 2**32 - 1)
FIXED32: Final = _integer("fixed32", 0, 2**32 - 1)
INT64: Final = _integer("int64", -(2**63), 2**63 - 1)
"""A whole number of 64 bits, of which a browser can hold 53; those below, too."""
SINT64: Final = _integer("sint64", -(2**63), 2**63 - 1)
SFIXED64: Final = _integer("sfixed64", -(2**63), 2**63 - 1)
UINT64: Final = _integer("uint64", 0, 2**64 - 1)
FIXED64: Final = _integer("fixed64", 0, 2**64 - 1)

_DIGITS_OF_64_BITS = 21  # with a sign


def _decimal(text: Any) -> int | None:
    """The whole number that a text is in the one way in which it is written."""
    if not isinstance(text, str) or not 0 < len(text) <= _DIGITS_OF_64_BITS:
        return None
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        return None
    value = int(text)
    return value if str(value) == text else None


_RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
for _word, _same in {
    "int32": ("sint32", "sfixed32"),
    "uint32": ("fixed32",),
    "int64": ("sint64", "sfixed64"),
    "uint64": ("fixed64",),
}.items():
    _RANGES.update(dict.fromkeys(_same, _RANGES[_word]))


def text_of(kind: Kind) -> Kind:
    """A whole number that is a text in JSON, `"9007199254740993"`.

    Args:
        kind: of the number, such as `INT64`.
    """
    wrong = _type("a whole number as a text")
    low, high = _RANGES[kind.word]

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        value = _decimal(json)
        if value is None:
            return wrong(found, path, words)
        if not low <= value <= high:
            report(found, path, "range", f"must be between {low} and {high}", words)
            return UNREADABLE
        return value

    return Kind(kind.word, 0, read, show=str, in_text=True)


# Numbers

NOT_FINITE: Final[Mapping[str, float]] = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
"""The numbers that JSON has as texts."""


def _number(json: Any, path: str, found: Found, words: Words) -> Any:
    """The number that JSON has, as a double; what is not finite is a violation."""
    value = NOT_FINITE.get(json) if isinstance(json, str) else json
    if value.__class__ is int:
        try:
            return float(value)
        except OverflowError:
            report(found, path, "range", "must be a number of 64 bits", words)
            return UNREADABLE
    if not isinstance(value, float):
        return _not_number(found, path, words)
    if value - value != 0:
        report(found, path, "finite", "must be a finite number", words)
    return value


def _read_double(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    if json.__class__ is float and json - json == 0:
        return json
    return _number(json, path, found, words)


def _read_float(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    value = _number(json, path, found, words)
    if value is UNREADABLE:
        return UNREADABLE
    try:
        return FLOAT_BITS.unpack(FLOAT_BITS.pack(value))[0]
    except OverflowError:
        report(found, path, "range", "must be a number of 32 bits", words)
        return UNREADABLE


def _show_float(value: float) -> str:
    return shown_number(shortest_float(value) if value - value == 0 else value)


DOUBLE: Final = Kind("double", 0.0, _read_double, show=shown_number)
"""A number of 64 bits."""

FLOAT: Final = Kind("float", 0.0, _read_float, show=_show_float)
"""A number of 32 bits, to which what JSON has is rounded before anything is judged."""


# Bytes

_LATER = str.maketrans("-_", "+/")


def _read_bytes(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    if not isinstance(json, str):
        return _not_bytes(found, path, words)
    text = json.translate(_LATER) if "-" in json or "_" in json else json
    try:
        return a2b_base64(_padded(text), strict_mode=True) if text else b""
    except (NotBase64, ValueError):
        return _not_bytes(found, path, words)


def _padded(text: str) -> str:
    return text if text.endswith("=") else text + "=" * (-len(text) % 4)


def _show_bytes(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


BYTES: Final = Kind("bytes", b"", _read_bytes, show=_show_bytes)
"""Bytes, base64 in JSON: standard or for URLs, with its padding or without."""


# Enums


class Enum(Kind):
    """A kind of the words of an enum.

    Attributes:
        name: of the enum, within its package.
        words: the number of each word.
        numbers: the word of each number; of two words of one number, the first.
    """

    __slots__ = ("name", "numbers", "words")

    def __init__(self, name: str, words: Mapping[str, int]) -> None:
        self.name = name
        self.words = words
        self.numbers: dict[int, str] = {}
        for word, number in words.items():
            self.numbers.setdefault(number, word)
        super().__init__("enum", 0, _enum_reader(words), show=self._show)

    def _show(self, number: int) -> str:
        return self.numbers.get(number, str(number))


def _enum_reader(known: Mapping[str, int]) -> Read:
    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if isinstance(json, str):
            return known.get(json, json)
        value = _whole(json)
        if value is None:
            return _not_word(found, path, words)
        if not -(2**31) <= value < 2**31:
            report(found, path, "range", f"must be between {-(2**31)} and {2**31 - 1}", words)
            return UNREADABLE
        return value

    return read


def enum(name: str, words: Mapping[str, int]) -> Enum:
    """An enum: a word in JSON; a number is taken, too, and so is a word that nobody knows.

    Args:
        name: of the enum.
        words: the number of each word.

    Example:
        >>> enum("Priority", {"low": 1, "high": 2}).numbers
        {1: 'low', 2: 'high'}
    """
    return Enum(name, words)


# Times


def _parsed(article: str, parse: Callable[[str], int | None]) -> Read:
    wrong = _type(article)

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        value = parse(json) if isinstance(json, str) else None
        return wrong(found, path, words) if value is None else value

    return read


TIMESTAMP: Final = Kind(
    "timestamp",
    None,
    _parsed("a time such as 2026-01-31T09:30:00Z", times.parse_timestamp),
    show=times.write_timestamp,
)
"""A time as RFC 3339 writes it; its value is nanoseconds since 1970."""

DURATION: Final = Kind(
    "duration",
    None,
    _parsed("a duration such as 1.5s", times.parse_duration),
    show=times.write_duration,
)
"""A duration in seconds, `1.5s`; its value is nanoseconds."""


def _read_field_mask(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    if not isinstance(json, str):
        return _not_field_mask(found, path, words)
    return json.split(",") if json else []


_not_field_mask = _type("names of fields, with commas between them")

FIELD_MASK: Final = Kind("field_mask", None, _read_field_mask)
"""Names of fields, with commas between them; its value is a list of them."""
