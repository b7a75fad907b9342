"""What a walk is made of: modules, rooms and turns back, counted from the calls that were recorded.

Knows what a room and a floor are. Must not know how calls are recorded, nor in which language.

- **modules**: how many modules had a function called.
- **rooms**: how often the walk enters a room: calls from a function into one of another room, and
  from outside (the program, the network) into a room, once for each room. The same call (from that
  function, of that function) counts once, so that neither loops nor retries do. To come back,
  be it as a result or as what somebody awaited, is not to enter.
- **turns back**: calls that go up: into a room on a higher floor, or inside of a room to a module
  on a higher floor. What is called there imports who calls it, or might: it is known
  only because it was handed down. The same call counts once.

A room is what `tests/house/picture.py` draws. A floor is one above the highest that is
imported from, for rooms as for modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Call", "House", "Place", "Walk", "heights"]


@dataclass(frozen=True)
class Place:
    """A function, and the module that it is in."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"


@dataclass(frozen=True)
class Call:
    """One function calls another; `None` does if the network, a clock or the program itself did."""

    caller: Place | None
    callee: Place

    def __str__(self) -> str:
        return f"{self.caller or 'outside'} -> {self.callee}"


@dataclass(frozen=True)
class House:
    """Where modules are.

    Args:
        room_of: the room of a module; `None` for what is in no room and not counted.
        rooms: the floors of the rooms.
        modules: the floors of the modules.
    """

    room_of: Callable[[str], str | None]
    rooms: Mapping[str, int]
    modules: Mapping[str, int]

    def goes_up(self, here: str, there: str) -> bool:
        """Whether a call from one module to another goes up."""
        mine, other = self.room_of(here), self.room_of(there)
        if mine is None or other is None:
            return False
        floors = (self.modules, here, there) if mine == other else (self.rooms, mine, other)
        return floors[0][floors[2]] > floors[0][floors[1]]


class Walk:
    """What one message goes through.

    Args:
        calls: what was called, in order.
        house: where the modules are.
    """

    def __init__(self, calls: Iterable[Call], house: House) -> None:
        self._house = house
        self.calls = [
            each for each in dict.fromkeys(calls) if house.room_of(each.callee.module) is not None
        ]

    @cached_property
    def modules(self) -> list[str]:
        """The modules, in the order in which they are reached."""
        return list(dict.fromkeys(each.callee.module for each in self.calls))

    @cached_property
    def entries(self) -> list[Call]:
        """The calls that enter a room."""
        found = []
        known: set[str | None] = set()
        for each in self.calls:
            here = self._room(each.caller) if each.caller else None
            there = self._room(each.callee)
            if here != there and (each.caller or there not in known):
                found.append(each)
            if each.caller is None:
                known.add(there)
        return found

    @property
    def path(self) -> list[str]:
        """The rooms that are entered, in order."""
        return [self._room(each.callee) or "" for each in self.entries]

    @cached_property
    def turns_back(self) -> list[Call]:
        """The calls that go up."""
        return [
            each
            for each in self.calls
            if each.caller is not None
            and self._house.goes_up(each.caller.module, each.callee.module)
        ]

    def _room(self, place: Place) -> str | None:
        return self._house.room_of(place.module)


def heights(graph: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """The floor of each module: one above the highest that it imports. A circle ends in itself.

    >>> heights({"a": {"b"}, "b": (), "c": {"a", "b"}})
    {'b': 1, 'a': 2, 'c': 3}
    """
    known: dict[str, int] = {}

    def height(name: str, above: frozenset[str]) -> int:
        if name not in known:
            below = [height(each, above | {each}) for each in graph[name] if each not in above]
            known[name] = 1 + max(below, default=0)
        return known[name]

    for name in graph:
        height(name, frozenset({name}))
    return known
