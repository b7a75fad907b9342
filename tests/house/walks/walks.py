"""The six walks of `docs/architecture.md`, and the house that each of them goes through.

Knows which walk is gone in which language, and how its modules import. Must not know how
calls are recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from tests.house import picture
from tests.house.source import IMPORTS, MODULES
from tests.house.walks import python, typescript
from tests.house.walks.walk import House, Walk, heights

__all__ = ["WALKS", "walk"]

Graph: TypeAlias = dict[str, set[str]]
"""Who imports whom."""

_TYPESCRIPT = "a write in TypeScript"

WALKS = (*python.WALKS, _TYPESCRIPT)
"""Their names."""


def walk(name: str, *, flat: bool = False) -> Walk:
    """Go a walk.

    Args:
        name: one of `WALKS`.
        flat: each module is a room of its own.
    """
    if name == _TYPESCRIPT:
        return Walk(typescript.record(), _house(typescript.imports(), typescript.room_of, flat))
    calls = asyncio.run(python.record(python.WALKS[name]))
    return Walk(calls, _house(_imports(), picture.room_of, flat))


def _house(graph: Graph, room_of: Callable[[str], str | None], flat: bool) -> House:
    modules = heights(graph)
    if flat:
        return House(str, modules, modules)
    return House(room_of, heights(_between(graph, room_of)), modules)


def _imports() -> Graph:
    graph: Graph = {module: set() for module in MODULES}
    for each in IMPORTS:
        if each.imported in MODULES and not each.only_types:
            graph[each.module].add(each.imported)
    return graph


def _between(graph: Graph, room_of: Callable[[str], str | None]) -> Graph:
    """What each room imports from, as the picture shows it."""
    found: Graph = {}
    for module, imported in graph.items():
        if (here := room_of(module)) is not None:
            there = {room for each in imported if (room := room_of(each)) is not None}
            found.setdefault(here, set()).update(there - {here})
    return found
