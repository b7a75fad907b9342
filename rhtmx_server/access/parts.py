"""Parts of an entity: its records that have certain values in certain fields.

Knows JSON objects and equality. Must not know who asks, stores or the wire.

A part is written as the JSON object of its fields: `{"team":"red"}` are the records
whose `team` is `"red"`, and `{}` is the whole entity. Values are texts, numbers and
booleans, each in one spelling, so that two that are equal as JSON are equal as text:
`1`, `1.0` and `10e-1` are one number, and none of them is the text `"1"`. A field
that is missing, `null`, a list or an object has no value here, and a record without
a value for it is in no part of that field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import astuple

__all__ = [
    "MAX_VALUE",
    "WHOLE",
    "Part",
    "Partitions",
    "Values",
    "agreeing",
    "reader_of",
    "spelling",
]

MAX_VALUE = 255
"""Bytes of one value of a part, spelt as JSON."""

_KEPT = 64
"""Bytes of a value whose spelling is kept for the next time."""

_MOST_KNOWN = 1_000
"""Combinations of values that a reader of records keeps for the next time."""

Values: TypeAlias = Mapping[str, str]
"""The fields of a record that have a value here, each with its spelling."""

_NO_VALUES: Values = {}
_MISSING = msgspec.Raw(b"")

_encode = msgspec.json.Encoder().encode
_text = msgspec.json.Decoder(str).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_EXACT = Context(prec=2 * MAX_VALUE)  # `normalize` rounds to this: never, for what fits


def spelling(text: bytes) -> str | None:
    """The one spelling of a JSON value; `None` for what has none here, or is too long.

    Example:
        >>> [spelling(text) for text in (b"1", b"1.0", b'"1"', b"true", b"null", b"[]")]
        ['1', '1', '"1"', 'true', None, None]
    """
    return _spelling(text) if len(text) <= _KEPT else _spelling.__wrapped__(text)


@lru_cache(maxsize=10_000)  # it is asked twice for each write, of few values
def _spelling(text: bytes) -> str | None:
    text = text.strip(b" \t\r\n")
    first = text[:1]
    if first == b'"':
        spelt = _encode(_text(text)).decode()
    elif first in (b"t", b"f"):
        spelt = text.decode()
    elif first in (b"n", b"[", b"{", b"") or len(text) > MAX_VALUE:
        return None
    else:
        try:
            number = _EXACT.normalize(Decimal(text.decode()))
        except ArithmeticError:  # an exponent beyond all doubles
            return None
        spelt = str(number) if number else "0"  # there is a minus zero
    return spelt if len(spelt.encode()) <= MAX_VALUE else None


def reader_of(fields: Collection[str]) -> Callable[[bytes | None], Values]:
    """Make a function that reads these fields of a record's data, and no others.

    Args:
        fields: the names of top-level keys.

    Returns:
        A function from the data (JSON that was checked; `None` for `null`) to the
        values it has for the fields.
    """
    if not fields:
        return lambda data: _NO_VALUES
    # A struct that knows these keys only: the decoder passes over all others.
    names = [f"f{number}" for number in range(len(fields))]
    struct: type[Any] = msgspec.defstruct(
        "_Fields",
        [(name, msgspec.Raw, _MISSING) for name in names],
        rename=dict(zip(names, fields, strict=True)),
        gc=False,
    )
    decode = msgspec.json.Decoder(struct).decode
    known: dict[tuple[bytes, ...], Values] = {}

    def read(data: bytes | None) -> Values:
        if data is None or not (data[:1] == b"{" or _is_object(data)):
            return _NO_VALUES
        texts = tuple(map(bytes, astuple(decode(data))))
        values = known.get(texts)
        if values is None:
            spelt = zip(fields, map(spelling, texts), strict=True)
            values = {field: value for field, value in spelt if value is not None}
            # Of few values, which come again with each write. Bounded by forgetting.
            if sum(map(len, texts)) <= _KEPT * len(texts):
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[texts] = values
        return values

    return read


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an entity.

    Args:
        items: (field, spelling of its value), in the order of the fields' names.

    Example:
        >>> Part.of({"team": "red", "open": True}).key
        '{"open":true,"team":"red"}'
    """

    items: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Part:
        """The part of these values, given as Python has them.

        Raises:
            ValueError: one of them is no text, number or boolean, or too long.
        """
        items = []
        for field in sorted(values):
            spelt = spelling(_encode(values[field]))
            if spelt is None:
                raise ValueError(
                    f"{field}: a text, a number or a boolean of at most {MAX_VALUE} bytes expected"
                )
            items.append((field, spelt))
        return cls(tuple(items))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields whose values it names, in order."""
        return tuple(field for field, _ in self.items)

    @property
    def key(self) -> str:
        """The part as a JSON object, always spelt the same."""
        return _key(self.items)

    def has(self, values: Values) -> bool:
        """Whether a record with these values is in it."""
        return all(values.get(field) == spelt for field, spelt in self.items)

    def within(self, other: Part) -> Part | None:
        """What is both in this part and in another one; `None` if nothing can be."""
        merged = dict(self.items)
        for field, spelt in other.items:
            if merged.setdefault(field, spelt) != spelt:
                return None
        return Part(tuple(sorted(merged.items())))


def _is_object(data: bytes) -> bool:
    return data[:1] == b"{" or data.lstrip(b" \t\r\n").startswith(b"{")


def _quoted(field: str) -> str:
    return _encode(field).decode()


WHOLE = Part(())
"""The whole entity."""


@lru_cache(maxsize=10_000)
def _key(items: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f"{_encode(field).decode()}:{spelt}" for field, spelt in items) + "}"


def agreeing(right: Iterable[Part], wanted: Iterable[Part]) -> Iterator[tuple[Part, Part]]:
    """Of each of two lists of parts one, wherever a record may be in both.

    To look at each of a thousand times a thousand would take a second: only those are looked
    at whose values agree.
    """
    shapes = {(mine, theirs) for mine in _shapes(right) for theirs in _shapes(wanted)}
    for mine, theirs in shapes:
        shared = set(mine) & set(theirs)
        found = defaultdict[tuple[tuple[str, str], ...], list[Part]](list)
        for part in wanted:
            if part.fields == theirs:
                found[_of(part, shared)].append(part)
        for part in right:
            if part.fields == mine:
                yield from ((part, each) for each in found.get(_of(part, shared), ()))


def _shapes(parts: Iterable[Part]) -> set[tuple[str, ...]]:
    return {part.fields for part in parts}


def _of(part: Part, fields: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple(item for item in part.items if item[0] in fields)


class Partitions:
    """By which fields an entity is divided.

    Args:
        declared: the fields of each partition.

    Raises:
        ValueError: a partition has no fields, one twice, or is there twice.

    Example:
        >>> teams = Partitions([["team"], ["team", "status"]])
        >>> [part.key for part in teams.parts_of(b'{"team": "red", "status": 1.0}')]
        ['{"team":"red"}', '{"status":1,"team":"red"}']
    """

    def __init__(self, declared: Iterable[Sequence[str]]) -> None:
        self.declared: tuple[tuple[str, ...], ...] = tuple(
            tuple(sorted(fields)) for fields in declared
        )
        for fields in self.declared:
            if not fields or len(set(fields)) < len(fields):
                raise ValueError(f"partition {list(fields)}: different names of fields expected")
        if len(set(self.declared)) < len(self.declared):
            raise ValueError("partition: one of them is there twice")
        self.fields = tuple(sorted({field for fields in self.declared for field in fields}))
        self.values_of = reader_of(self.fields)

    @property
    def spelt(self) -> str:
        """How the entity is divided, always spelt the same; empty for not at all."""
        return ";".join(sorted(",".join(map(_quoted, fields)) for fields in self.declared))

    def misfit(self, data: bytes | None) -> str | None:
        """The first of the fields that has a value which no part can have.

        Args:
            data: of a record.

        Returns:
            Its name; `None` if there is none. A field that is missing or `null` is fine.
        """
        if data is None or not _is_object(data):
            return None
        values, raw = self.values_of(data), _fields(data)
        unread = (field for field in self.fields if field in raw and field not in values)
        return next((field for field in unread if bytes(raw[field]) != b"null"), None)

    def reach(self, part: Part) -> bool:
        """Whether records are kept by this part, so that it can be read alone."""
        return part == WHOLE or part.fields in self.declared

    def parts_of(self, data: bytes | None) -> list[Part]:
        """The parts that a record is in, besides the whole: at most one of each partition."""
        return self.parts_with(self.values_of(data))

    def parts_with(self, values: Values) -> list[Part]:
        """The parts that a record with these values is in, like `parts_of`."""
        return [
            Part(tuple((field, values[field]) for field in fields))
            for fields in self.declared
            if all(field in values for field in fields)
        ]
