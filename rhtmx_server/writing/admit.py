"""Which entities may be written that never were. Pure.

Knows names and numbers. Must not know what is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.conflict_log import RESERVED

__all__ = ["Admit", "admit_declared", "anything"]

Admit: TypeAlias = Callable[[str, int], None]
"""Raises `RhtmxError` if an entity that was never written may not be; is given its name, and
how many others the batch has made so far."""


def anything(entity: str, made: int) -> None:
    """Admit every entity."""


def admit_declared(declared: frozenset[str], most: int, entities: Callable[[], int]) -> Admit:
    """Admit what was declared, and others as long as there are few.

    Args:
        declared: the names that are always admitted.
        most: entities in all.
        entities: how many there are.
    """

    def admit(entity: str, made: int) -> None:
        if entity.startswith(RESERVED):  # the conflict log of one that was admitted
            return
        if entity not in declared and entities() + made >= most:
            raise RhtmxError(
                ErrorCode.UNKNOWN_ENTITY,
                f"'{entity[:40]}' would be one more entity than the {most} that this server "
                "keeps (its option --entities): use one of those, or have it declared",
            )

    return admit
