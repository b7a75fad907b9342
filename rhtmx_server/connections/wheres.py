"""Which parts of entities a message asks for, as it says it. Pure.

Knows the shape of `where`. Must not know which fields an entity is divided by, nor who
asks: that is for the rules of access to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["MAX_WHERE", "check_where", "check_wheres", "wheres"]

MAX_WHERE = 4096
"""Bytes of the `where` of one subscription: it is kept as long as that, and sent back."""

_by_entity = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def wheres(where: bytes | None) -> dict[str, bytes]:
    """The part that is wanted of each entity, as it was written; nothing for the others.

    Example:
        >>> wheres(b'{"orders": {"customer": "7"}}')
        {'orders': b'{"customer": "7"}'}
    """
    return {} if where is None else {name: bytes(raw) for name, raw in _by_entity(where).items()}


def check_wheres(name: str, where: bytes | None, entities: Sequence[str]) -> None:
    """Make sure that parts are wanted of the entities of this message.

    Args:
        name: how the error calls it.
        where: by entity.
        entities: those of the message.

    Raises:
        RhtmxError: `BAD_MESSAGE`.
    """
    if where is None:
        return
    _check_object(name, where)
    named: Mapping[str, bytes] = wheres(where)
    known = set(entities)
    for entity, part in named.items():
        if entity not in known:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{name}: '{entity[:40]}' is not among the entities of this message",
            )
        check_where(f"{name}['{entity[:40]}']", part)


def check_where(name: str, where: bytes | None) -> None:
    """Make sure that the part that is wanted of one entity has the shape and size of one.

    Args:
        name: how the error calls it.
        where: fields and their values.

    Raises:
        RhtmxError: `BAD_MESSAGE`.
    """
    if where is None:
        return
    _check_object(name, where)
    if len(where) > MAX_WHERE:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{name}: at most {MAX_WHERE} bytes expected, got {len(where)}: subscribe to parts of "
            "it one by one",
        )


def _check_object(name: str, where: bytes) -> None:
    if not where.lstrip(b" \t\r\n").startswith(b"{"):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f'{name}: an object of fields and values expected, as {{"customer": "7"}}',
        )
