"""Values of 64 KiB, and how long our judges take for them.

Knows how a field is filled. Must not know its rules, but for the texts that nearly break them.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.support.random_schemas.judges import Case
from tests.support.random_schemas.texts import Application, Field
from tests.support.random_schemas.values import Values

__all__ = ["SIZE", "long_cases"]

SIZE = 65_536
"""Bytes that a record has at most."""


def long_cases(application: Application, random: Random, now: int) -> Iterator[Case]:
    """Values of a schema of which one field is as long as can be.

    Args:
        application: the schema.
        random: where chance comes from.
        now: nanoseconds since 1970.
    """
    makers = Values(random, application, now)
    for field in application.root.fields:
        for value in _values(field, makers, random):
            case = Case(application, {field.name: value})
            size = len(case.text().encode())
            while size > SIZE:
                value = _part(value, 0.95 * SIZE / size)
                case = Case(application, {field.name: value})
                size = len(case.text().encode())
            if size > SIZE / 2:
                yield case


def _part(value: Any, part: float) -> Any:
    """The beginning of a value."""
    count = int(len(value) * part)
    return dict(list(value.items())[:count]) if isinstance(value, dict) else value[:count]


def _values(field: Field, makers: Values, random: Random) -> Iterator[Any]:
    if field.many:
        yield _many(field, makers)
    elif field.value.kind in {"string", "bytes"}:
        for _ in range(3):
            part = makers.single(field.value)
            if part:
                longest = SIZE * 3 // 4 if isinstance(part, bytes) else SIZE
                size = len(part) if isinstance(part, bytes) else len(part.encode())
                yield part * ((longest - 100) // size)
        if field.value.kind == "string":
            yield random.choice("a1.-@:/ ") * (SIZE - 100)


def _many(field: Field, makers: Values) -> Any:
    """A list or a map that is as long as its items let it."""
    items: list[Any] = []
    size = 0
    while size < SIZE - 1_000 and len(items) < SIZE // 2:
        item = makers.single(field.value)
        size += 8 + len(repr(item))
        items.append(item)
    if field.key is None:
        return items
    return {makers.single(field.key): item for item in items}
