"""What the other servers of a cluster say of their members. Pure: time is an argument.

Knows numbers, and what is newer. Must not know the bus, connections, nor who is told.

Each server numbers what it says of its members: 1, 2, 3 … What it says may come late, twice, in
another order, or never. An entry counts if no newer one of the same member of the same server has
come, so order and repetition do not matter; what is missing shows by the numbers, and by the
beacon that tells the last one. Then the server is asked for all of its members.

=======================  ======================================================================
what comes of a server   becomes
=======================  ======================================================================
the next number          taken
one after a gap          taken; after `HOLD` seconds, and every `ASK_AGAIN`, it is asked for all
a number that was taken  dropped
a beacon                 it is alive; a gap, if its number has not come
all of its members       takes the place of all that was said up to its number
nothing for a while      none of its members is there any more; what comes then is a beginning
=======================  ======================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting

__all__ = ["ASK_AGAIN", "HOLD", "MemberPlace", "Replicas", "Report"]

HOLD = 0.1
"""Seconds that a gap may take to close by itself."""

ASK_AGAIN = 0.5
"""Seconds after which a server is asked once more."""

_MOST_AHEAD = 1000
"""What is taken after a gap. Of more only the number is noted."""

_REMEMBERED = 1000
"""Messages of one server that are known again when they come twice."""

MemberPlace: TypeAlias = tuple[Key, str]
"""A room, and the id of a member."""

Report: TypeAlias = tuple[MemberPlace, Sighting | None]
"""What is to be seen of a member; `None`: it is there no more."""


@dataclass(slots=True, eq=False)
class _Replica:
    """What one server has said.

    Args:
        heard: when it said something last; seconds.
    """

    heard: float
    upto: int = 0
    newest: int = 0
    gap_since: float | None = None
    asked: float = float("-inf")
    ahead: set[int] = field(default_factory=set)
    reports: dict[MemberPlace, tuple[int, Sighting | None]] = field(default_factory=dict)
    gone: dict[MemberPlace, int] = field(default_factory=dict)
    parts: dict[int, Sequence[Report]] = field(default_factory=dict)
    parts_of: tuple[int, int] = (-1, 0)
    messages: dict[int, None] = field(default_factory=dict)

    def take(self, number: int, reports: Iterable[Report]) -> list[Report]:
        """Take what it says under a number; returns what is new."""
        self.newest = max(self.newest, number)
        if number <= self.upto or number in self.ahead or len(self.ahead) >= _MOST_AHEAD:
            return []
        self.ahead.add(number)
        changed = []
        for place, sighting in reports:
            known, _ = self.reports.get(place, (0, None))
            if known < number:
                self.reports[place] = number, sighting
                changed.append((place, sighting))
                if sighting is None:
                    self.gone[place] = number
        self._move_on()
        return changed

    def replace(self, number: int, reports: Iterable[Report]) -> list[Report]:
        """Take all of its members, as they were at a number; returns what is new."""
        self.newest = max(self.newest, number)
        if number < self.upto:
            return []
        later = {place: each for place, each in self.reports.items() if each[0] > number}
        found = {place: (number, sighting) for place, sighting in reports} | later
        places = self.reports.keys() | found.keys()
        before = {place: self.reports.get(place, (0, None))[1] for place in places}
        self.reports, self.upto = found, number
        self.ahead = {each for each in self.ahead if each > number}
        self._move_on()
        after = {place: found.get(place, (0, None))[1] for place in places}
        return [(place, after[place]) for place in places if after[place] != before[place]]

    def look(self, now: float) -> bool:
        """Whether it has to be asked for all of its members, now."""
        if self.upto >= self.newest:
            self.gap_since = None
            return False
        self.gap_since = now if self.gap_since is None else self.gap_since
        if now - self.gap_since < HOLD or now - self.asked < ASK_AGAIN:
            return False
        self.asked = now
        return True

    def _move_on(self) -> None:
        while self.upto + 1 in self.ahead:
            self.upto += 1
            self.ahead.discard(self.upto)
        # Of those who left, only what may be overtaken by something older is kept.
        for place, number in list(self.gone.items()):
            if number <= self.upto:
                del self.gone[place]
                if self.reports.get(place) == (number, None):
                    del self.reports[place]


class Replicas:
    """What all other servers have said.

    Args:
        changed: is told what is to be seen of a member at a server, whenever that is another thing.
    """

    def __init__(self, changed: Callable[[str, Key, str, Sighting | None], None]) -> None:
        self._changed = changed
        self._replicas: dict[str, _Replica] = {}

    def report(self, node: str, number: int, reports: Iterable[Report], now: float) -> None:
        """A server says something of some of its members.

        Args:
            node: which server.
            number: under which it says so.
            reports: what.
            now: seconds.
        """
        self._tell(node, self._of(node, now).take(number, reports))

    def beacon(self, node: str, newest: int, now: float) -> None:
        """A server is alive, and has said so much."""
        replica = self._of(node, now)
        replica.newest = max(replica.newest, newest)

    def dump(
        self, node: str, number: int, part: tuple[int, int], reports: Sequence[Report], now: float
    ) -> None:
        """A server tells all of its members, as of a number, in several parts.

        Args:
            node: which server.
            number: up to which that is all that it has said.
            part: which one this is, from 0 on, and how many there are.
            reports: those of this part.
            now: seconds.
        """
        replica = self._of(node, now)
        index, count = part
        if number < replica.parts_of[0]:
            return
        if (number, count) != replica.parts_of:
            replica.parts_of, replica.parts = (number, count), {}
        replica.parts[index] = reports
        if len(replica.parts) == count:
            every = [each for index in sorted(replica.parts) for each in replica.parts[index]]
            replica.parts = {}
            self._tell(node, replica.replace(number, every))

    def is_new(self, node: str, number: int, now: float) -> bool:
        """Whether a message of a room has not come before."""
        messages = self._of(node, now).messages
        if number in messages:
            return False
        messages[number] = None
        if len(messages) > _REMEMBERED:
            del messages[next(iter(messages))]
        return True

    def wanted(self, now: float) -> list[str]:
        """The servers that have to be asked for all of their members, now."""
        return [node for node, replica in self._replicas.items() if replica.look(now)]

    def forget_silent(self, now: float, seconds: float) -> None:
        """Have nobody be there of those servers that have said nothing for so long."""
        silent = [node for node, each in self._replicas.items() if now - each.heard > seconds]
        for node in silent:
            gone = self._replicas.pop(node).reports
            self._tell(node, [(place, None) for place in gone])

    def _of(self, node: str, now: float) -> _Replica:
        replica = self._replicas.setdefault(node, _Replica(now))
        replica.heard = now
        return replica

    def _tell(self, node: str, reports: Iterable[Report]) -> None:
        for (room, member_id), sighting in reports:
            self._changed(node, room, member_id, sighting)
