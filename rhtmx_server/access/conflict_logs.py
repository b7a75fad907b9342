"""Who reads the conflict log of an entity, and answers what is in it.

Knows rules and parts. Must not know conflicts, stores or the loop.

A conflict holds values of its record, so it is for those who may read that record; and
to answer it is to write the record, so it is for those who may update it: it takes both.
A log is divided by all that this depends on, and as its entity is, so that it can be
read by the same `where`. Its records have copies of the values that place them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.access.rules import Rule, common, nobody
from rhtmx_server.conflict_log import is_conflict, log_of

__all__ = ["log_entities", "log_scope"]

_Ask: TypeAlias = Callable[[Grant], Awaitable[frozenset[Part]]]
_Shape: TypeAlias = tuple[str, ...]


def log_entities(
    entities: Mapping[str, Entity], scoped: Collection[str], unlogged: Collection[str]
) -> dict[str, Entity]:
    """The conflict logs of these entities, as if they had been declared, by name.

    What is open to everybody and not divided has a log that is, too: nothing is said of it.

    Args:
        entities: those that were declared, by name.
        scoped: those of which a function says who reads what.
        unlogged: those that have no log.

    Raises:
        ValueError: a field that places records has a name that a conflict has.
    """
    logged = (entity for name, entity in entities.items() if name not in unlogged)
    found = (_log_of(entity, scoped=entity.name in scoped) for entity in logged)
    return {log.name: log for log in found if log is not None}


def _log_of(entity: Entity, *, scoped: bool) -> Entity | None:
    if not (entity.rules or scoped or entity.partitions is not None):
        return None
    log = Entity(log_of(entity.name))
    update = entity.rules.get("update", nobody)
    closed = bool(entity.rules) or scoped
    declared = () if entity.partitions is None else entity.partitions.declared
    shapes = _shapes(declared, update.shapes if closed else ())
    clash = next((field for shape in shapes for field in shape if is_conflict(field)), None)
    if clash is not None:
        raise ValueError(
            f"entity {entity.name!r}: access or partition by {clash!r}: open conflicts have such "
            "names: take another field, or declare it with conflicts=False"
        )
    if shapes:
        log.divide(Partitions(shapes))
    if scoped:
        log.access(update=update)
    elif closed:
        both = entity.rules.get("read", nobody) & update
        log.access(read=both, update=both)
    return log


def _shapes(declared: Iterable[_Shape], updated: Iterable[_Shape]) -> list[_Shape]:
    """Whatever somebody may have to read alone: what they read, or also what they update."""
    found = {
        tuple(sorted({*one, *another})) for one in ((), *declared) for another in ((), *updated)
    }
    return sorted(found - {()})


def log_scope(ask: _Ask, update: Rule | None) -> _Ask:
    """Make of what says who reads an entity the one that says who reads its conflict log.

    Args:
        ask: says which parts of the entity somebody reads.
        update: who updates it; `None` for nobody.
    """

    async def parts(who: Grant) -> frozenset[Part]:
        return common(await ask(who), frozenset() if update is None else update.parts(who))

    return parts
