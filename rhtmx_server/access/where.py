"""The `where` of a subscription: which records of an entity are wanted.

Knows parts, and JSON as a client sent it. Must not know who asks.

`{"customer": "7"}` is equality; a list, `{"customer": ["7", "8"]}`, means one of its
values. Several fields have to agree together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.parts import MAX_VALUE, WHOLE, Part, Partitions, agreeing, spelling
from rhtmx_server.access.rules import MOST_PARTS

__all__ = ["common_parts", "parse_where", "partitions_with"]

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse_where(entity: str, where: bytes | None, partitions: Partitions | None) -> frozenset[Part]:
    """The parts of an entity that a `where` asks for.

    Args:
        entity: its name, for errors.
        where: JSON; `None` for all.
        partitions: how the entity is divided; `None` for not at all.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is not a `where`; `NOT_SUPPORTED`, the entity is
            not divided by these fields.

    Example:
        >>> parts = parse_where("tasks", b'{"team": ["red", "blue"]}', Partitions([["team"]]))
        >>> sorted(part.key for part in parts)
        ['{"team":"blue"}', '{"team":"red"}']
    """
    if where is None:
        return frozenset({WHOLE})
    try:
        asked = _object(where)
    except msgspec.MsgspecError:
        raise _bad(
            entity, 'an object of fields and values expected, such as {"team": "red"}'
        ) from (None)
    if unknown := sorted(set(asked) - set(() if partitions is None else partitions.fields)):
        raise _not_divided(entity, asked, partitions, unknown[0])
    values = {field: _values(entity, field, bytes(text)) for field, text in asked.items()}
    if prod(map(len, values.values())) > MOST_PARTS:
        raise _bad(entity, f"more than {MOST_PARTS} parts: ask for fewer values")
    # In the order of the fields' names, as parts are.
    fields = sorted(values)
    spelt = product(*(sorted(values[field]) for field in fields))
    return frozenset(Part(tuple(zip(fields, each, strict=True))) for each in spelt)


def _values(entity: str, field: str, text: bytes) -> set[str]:
    texts = [bytes(each) for each in _list(text)] if text.startswith(b"[") else [text]
    found = set[str]()
    for each in texts:
        spelt = spelling(each)
        if spelt is None:
            raise _bad(
                entity,
                f"'{field[:40]}': a text, a number or a boolean of at most {MAX_VALUE} bytes "
                "expected, or a list of them",
            )
        found.add(spelt)
    return found


def common_parts(
    entity: str, right: frozenset[Part], wanted: frozenset[Part], partitions: Partitions | None
) -> frozenset[str] | None:
    """What somebody may read of what they want.

    Args:
        entity: its name, for errors.
        right: the parts that they have the right to.
        wanted: the parts that they ask for.
        partitions: how the entity is divided; `None` for not at all.

    Returns:
        The keys of the parts; `None` for the whole entity.

    Raises:
        RhtmxError: `NOT_SUPPORTED`, there are parts by which the entity is not
            divided; `BAD_MESSAGE`, there are too many.
    """
    both = set[Part]()
    for mine, theirs in agreeing(right, wanted):
        common = mine.within(theirs)
        if common is not None:
            both.add(common)
        if len(both) > MOST_PARTS:
            raise _bad(entity, f"more than {MOST_PARTS} parts: ask for fewer values")
    if WHOLE in both:
        return None
    for part in sorted(both, key=lambda part: part.fields):
        if partitions is None or not partitions.reach(part):
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"'{entity[:40]}' is not divided by {_named(part.fields)}, and this reader's part "
                f"of it is: declare {partitions_with(entity, part.fields, partitions)}",
            )
    return frozenset(part.key for part in both)


def partitions_with(entity: str, fields: Iterable[str], partitions: Partitions | None) -> str:
    """The declaration of an entity that is divided by these fields, too, in Python.

    Example:
        >>> partitions_with("tasks", ["team"], Partitions([["owner"]]))
        "app.entity('tasks', partition=[['owner'], ['team']])"
    """
    declared = [list(each) for each in (() if partitions is None else partitions.declared)]
    wanted = [*declared, list(fields)]
    return f"app.entity({entity[:40]!r}, partition={wanted if declared else wanted[0]})"


def _not_divided(
    entity: str, asked: Mapping[str, object], partitions: Partitions | None, unknown: str
) -> RhtmxError:
    if partitions is None:
        return RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"where: '{entity[:40]}' is not divided into parts: declare "
            f"{partitions_with(entity, sorted(asked), None)}, or its `partition` in the schema, if "
            "one declares it, or leave where out",
        )
    return _bad(
        entity,
        f"'{unknown[:40]}' is none of the fields that divide it: {_named(partitions.fields)}",
    )


def _named(fields: Iterable[str]) -> str:
    return ", ".join(f"'{field}'" for field in fields)


def _bad(entity: str, words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"where of '{entity[:40]}': {words}")
