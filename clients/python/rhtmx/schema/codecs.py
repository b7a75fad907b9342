"""How single values stand in JSON, and as what Python has them.

Knows what Python has for each kind of values, and how that is written back. Must not know rules,
nor what records are made of (`convert` does).

What is read has been seen to be of its kind before: `kinds` alone says what JSON may have. Nothing
is rounded, cut or filled in. Digits of a time that `datetime` has no room for stay with it, as
long as nobody makes another one of it.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from rhtmx.errors import Violation
from rhtmx.schema import kinds, times
from rhtmx.schema.float32 import shortest_float
from rhtmx.schema.word import Word, words
from rhtmx.values.json_value import Json

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "FLOAT",
    "INTEGER",
    "INTEGER_TEXT",
    "LIST",
    "OBJECT",
    "PATHS",
    "SPAN",
    "TEXT",
    "TIME",
    "VALUE",
    "Codec",
    "Misfit",
    "PreciseSpan",
    "PreciseTime",
    "Word",
    "keys_of",
    "list_of",
    "map_of",
    "word_of",
    "words",
]

T = TypeVar("T")
W = TypeVar("W", bound=Word)
_Key: TypeAlias = str | int | bool
K = TypeVar("K", str, int, bool)


class Misfit(Exception):  # noqa: N818 (what a value is)
    """A value is not of its kind.

    Args:
        kind: what was expected: "a text".
        path: where, within the field: `[2]`, `.street`.
        code: a word for what is wrong, as violations have it.
    """

    def __init__(self, kind: str, path: str = "", code: str = "type") -> None:
        self.kind = kind
        self.path = path
        self.code = code
        super().__init__(f"{path}: {kind}")

    def within(self, path: str) -> Misfit:
        """The same, as seen from what it is in."""
        return Misfit(self.kind, path + self.path, self.code)

    @property
    def violation(self) -> Violation:
        """It in words for whoever wrote the value."""
        return Violation(self.path.removeprefix("."), self.code, f"must be {self.kind}")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """One kind of values.

    Attributes:
        kind: it in words, "a text".
        read: from JSON that is of this kind.
        write: to JSON; it raises `Misfit`.
        zero: makes the value of a field without presence that is not there.
        item: of a list or a map, what its values are.
        key: of a map, what its keys are.
    """

    kind: str
    read: Callable[[Json], T]
    write: Callable[[T], Json]
    zero: Callable[[], T]
    item: Codec[Any] | None = None
    key: Codec[Any] | None = None


def _only(kind: str, cls: type[T], zero: Callable[[], T]) -> Codec[T]:
    """A kind that is in Python what it is in JSON."""

    def write(value: Any) -> T:
        if isinstance(value, cls):
            return value
        raise Misfit(kind)

    return Codec(kind, _as_it_is, write, zero)


def _as_it_is(value: Any) -> Any:
    return value


TEXT: Codec[str] = _only("a text", str, str)
BOOL: Codec[bool] = _only("true or false", bool, bool)
OBJECT: Codec[dict[str, Json]] = _only("an object", dict, dict)
LIST: Codec[list[Json]] = _only("a list", list, list)
VALUE: Codec[Json] = _only("any value", object, lambda: None)


# Integers.

_WHOLE = "a whole number"


def _write_integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Misfit(_WHOLE)


INTEGER: Codec[int] = Codec(_WHOLE, int, _write_integer, int)
INTEGER_TEXT: Codec[int] = Codec(_WHOLE, int, lambda value: str(_write_integer(value)), int)


# Other numbers.

_NUMBER = "a number"
_TOO_LARGE = "a number that is not too large"


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Misfit(_NUMBER)
    try:
        return float(value)
    except OverflowError:
        raise Misfit(_TOO_LARGE) from None


def _write_double(value: Any) -> Json:
    number = _number(value)
    if math.isfinite(number):
        return number
    return next(text for text, each in kinds.NOT_FINITE.items() if repr(each) == repr(number))


def _write_float(value: Any) -> Json:
    written = _write_double(value)
    try:
        return written if isinstance(written, str) else shortest_float(written)
    except OverflowError:
        raise Misfit(_TOO_LARGE) from None


DOUBLE: Codec[float] = Codec(_NUMBER, float, _write_double, float)
FLOAT: Codec[float] = Codec(_NUMBER, float, _write_float, float)


# Bytes.


def _read_bytes(value: Json) -> bytes:
    read: bytes = kinds.BYTES.read(value, "", None, 0, {})
    return read


def _write_bytes(value: Any) -> Json:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    raise Misfit("bytes")


BYTES: Codec[bytes] = Codec("bytes", _read_bytes, _write_bytes, bytes)


# Times.


class PreciseTime(datetime):
    """A time that has digits beyond microseconds. It is written back as it was read.

    It compares, and calculates, by its microseconds.

    Attributes:
        text: as it was read; empty for one that was made of it, such as a minute later.
    """

    text: str = ""


class PreciseSpan(timedelta):
    """A duration that has digits beyond microseconds; see `PreciseTime`."""

    text: str = ""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(seconds=315_576_000_000)


def _read_time(value: Json) -> datetime:
    micros, rest = divmod(kinds.TIMESTAMP.read(value, "", None, 0, {}), 1000)
    time = _EPOCH + timedelta(microseconds=micros)
    if not rest:
        return time
    precise = PreciseTime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
    precise.text = value
    return precise


def _write_time(value: Any) -> Json:
    if not isinstance(value, datetime):
        raise Misfit("a datetime")
    if value.tzinfo is None:
        raise Misfit("a datetime with a time zone, as datetime.now(UTC) has one")
    if isinstance(value, PreciseTime) and value.text:
        return value.text
    try:
        return times.write_timestamp(times.from_datetime(value))
    except ValueError:
        raise Misfit("a datetime of the years 1 to 9999 in UTC") from None


def _read_span(value: Json) -> timedelta:
    micros, rest = divmod(kinds.DURATION.read(value, "", None, 0, {}), 1000)
    if not rest:
        return timedelta(microseconds=micros)
    precise = PreciseSpan(microseconds=micros)
    precise.text = value
    return precise


def _write_span(value: Any) -> Json:
    if not isinstance(value, timedelta):
        raise Misfit("a timedelta")
    if isinstance(value, PreciseSpan) and value.text:
        return value.text
    if abs(value) > _LONGEST:
        raise Misfit("a timedelta of at most 10,000 years")
    return times.write_duration(times.from_timedelta(value))


TIME: Codec[datetime] = Codec("a time", _read_time, _write_time, lambda: _EPOCH)
SPAN: Codec[timedelta] = Codec("a duration", _read_span, _write_span, timedelta)


# Enums, and paths of fields.


def word_of(cls: type[W]) -> Codec[W]:
    """The values of an enum.

    Args:
        cls: the enum.

    Example:
        >>> class Priority(Word):
        ...     numbers = {"low": 0, "high": 1}
        >>> codec = word_of(Priority)
        >>> codec.read("high"), codec.read(1), codec.read("urgent"), codec.write(Priority("7"))
        (Priority('high'), Priority('high'), Priority('urgent'), 7)
    """
    kind = f"a word of {cls.__name__}"

    def read(value: Json) -> W:
        if isinstance(value, str):
            return cls(value)
        number = int(value)
        return next((each for each in cls.known() if each.number == number), cls(number))

    def write(value: Any) -> Json:
        if not isinstance(value, str):
            raise Misfit(kind)
        if value not in cls.numbers:
            number = _NUMBER_OF_WORD.read(value, "", None, 0, {})
            if number is not kinds.UNREADABLE:
                return int(number)  # it was read as one, which has no word
        return str(value)

    def zero() -> W:
        return next((each for each in cls.known() if each.number == 0), cls(""))

    return Codec(kind, read, write, zero)


_NUMBER_OF_WORD = kinds.text_of(kinds.INT32)


def _read_paths(value: Json) -> list[str]:
    return value.split(",") if value else []


def _write_paths(value: Any) -> Json:
    return ",".join(map(TEXT.write, LIST.write(value)))


PATHS: Codec[list[str]] = Codec("paths of fields", _read_paths, _write_paths, list)


# Lists and maps.


def list_of(item: Codec[T]) -> Codec[list[T]]:
    """A list.

    Args:
        item: what is in it.

    Example:
        >>> list_of(BYTES).write([b"a", b"b"])
        ['YQ==', 'Yg==']
    """

    def read(values: Json) -> list[T]:
        return [item.read(each) for each in values]

    def write(values: Any) -> Json:
        if not isinstance(values, list):
            raise Misfit("a list")
        made = []
        for place, value in enumerate(values):
            try:
                made.append(item.write(value))
            except Misfit as misfit:
                raise misfit.within(f"[{place}]") from None
        return made

    return Codec("a list", read, write, list, item)


def map_of(key: Codec[K], value: Codec[T]) -> Codec[dict[K, T]]:
    """A map.

    Args:
        key: what its keys are: `TEXT`, `INTEGER` or `BOOL`. In JSON they are texts.
        value: what is under them.

    Example:
        >>> map_of(INTEGER, TEXT).read({"7": "seven"})
        {7: 'seven'}
    """

    def read(values: Json) -> dict[K, T]:
        return {_read_key(key, name): value.read(each) for name, each in values.items()}

    def write(values: Any) -> Json:
        if not isinstance(values, dict):
            raise Misfit("an object")
        made = {}
        for name, each in values.items():
            try:
                made[_key_text(key.write(name))] = value.write(each)
            except Misfit as misfit:
                raise misfit.within(f"[{_shown(key, name)}]") from None
        return made

    return Codec("an object", read, write, dict, value, key)


def keys_of(codec: Codec[Any], keys: Iterable[Any]) -> list[str]:
    """Keys of a map, as JSON has them.

    Args:
        codec: of the map; of an object of any kind they are texts.
        keys: they.
    """
    return [_key_text((codec.key or TEXT).write(each)) for each in keys]


def _shown(key: Codec[Any], name: Any) -> str:
    """A key in a path: a text is quoted."""
    return json.dumps(name, ensure_ascii=False) if key is TEXT else _key_text(name)


def _read_key(key: Codec[Any], name: str) -> Any:
    return name == "true" if key is BOOL else key.read(name)


def _key_text(key: _Key) -> str:
    return json.dumps(key) if isinstance(key, bool) else str(key)
