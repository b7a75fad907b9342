"""The names of conflict logs, and of what is in them. Pure.

Knows how they are spelt. Must not know what is kept in them, nor who may read it.

The open conflicts of the entity `tasks` are the records of the entity
`$conflicts/tasks`, its conflict log: one record for each task that has any, with the
id of the task. Each conflict is a field of it, `$` and the conflict's number. No other
entity begins with `$`.
"""

from __future__ import annotations

import re

__all__ = ["PREFIX", "RESERVED", "base_of", "field_of", "is_conflict", "log_of", "number_of"]

RESERVED = "$"
"""What no name of an entity begins with that a program or a client gives."""

PREFIX = "$conflicts/"
"""What the name of a conflict log begins with."""

_FIELD = re.compile(r"\$[1-9][0-9]*")


def log_of(entity: str) -> str:
    """The name of the conflict log of an entity.

    Example:
        >>> log_of("tasks")
        '$conflicts/tasks'
    """
    return PREFIX + entity


def base_of(entity: str) -> str | None:
    """The entity whose conflict log this is; `None` if it is none.

    Example:
        >>> base_of("$conflicts/tasks"), base_of("tasks")
        ('tasks', None)
    """
    return entity[len(PREFIX) :] if entity.startswith(PREFIX) else None


def field_of(number: int) -> str:
    """The field of a conflict.

    Example:
        >>> field_of(12)
        '$12'
    """
    return f"${number}"


def number_of(field: str) -> int:
    """The number of the conflict in a field for which `is_conflict` holds."""
    return int(field[1:])


def is_conflict(field: str) -> bool:
    """Whether a field of a conflict log is a conflict, and not a value of its record.

    Example:
        >>> [is_conflict(field) for field in ("$12", "team", "$", "$x", "$01")]
        [True, False, False, False, False]
    """
    return field.startswith("$") and _FIELD.fullmatch(field) is not None
