"""The members that are connected to this server, or were a moment ago. Pure: time is an argument.

Knows which connections make one member, and how long one that was lost is waited for. Must not
know what a connection is, rights, nor who is told.

==========  ============  =============  ==========  =========================
a client's  `say`         `lose`         `leave`     `overdue`
connection
==========  ============  =============  ==========  =========================
nowhere     there         -              -           -
there       there, newest missing        nowhere     there
missing     nowhere       missing        nowhere     nowhere, once it is time
==========  ============  =============  ==========  =========================

`say` on one connection ends the wait for those of the same client that are missing: it has come
back. A member is shown as long as one of its connections is there or missing, with what was said
last on one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting

__all__ = ["LocalMembers"]


_Connection = TypeVar("_Connection", bound=Hashable)


@dataclass(slots=True)
class _Said:
    """What was said on one connection; `until` when it is waited for, if it is missing."""

    sighting: Sighting
    until: float | None = None


class LocalMembers(Generic[_Connection]):
    """The members of all rooms that this server has.

    Example:
        >>> local, room = LocalMembers[str](), ("orders", "7")
        >>> local.say(room, "1", "one connection", Sighting(1))
        >>> local.lose(room, "1", "one connection", until=40.0)
        >>> local.sighting(room, "1")
        Sighting(at=1, subject='', state=None)
        >>> list(local.overdue(40.0)), local.sighting(room, "1")
        ([(('orders', '7'), '1')], None)
    """

    def __init__(self) -> None:
        self._members: dict[tuple[Key, str], dict[_Connection, _Said]] = {}
        self._missing: dict[Key, dict[str, None]] = {}
        self._of: dict[str, dict[tuple[Key, str], None]] = {}

    def __len__(self) -> int:
        """How many members there are, in all rooms."""
        return len(self._members)

    def say(self, room: Key, member_id: str, connection: _Connection, sighting: Sighting) -> None:
        """A client says on a connection that it is there, and what is to be seen of it."""
        place = room, member_id
        said = self._members.setdefault(place, {})
        for other in [other for other, each in said.items() if each.until is not None]:
            del said[other]
        self._found(room, member_id)
        said.pop(connection, None)
        said[connection] = _Said(sighting)  # at the end: it is the newest
        if sighting.subject:  # of guests there may be any number, who have nothing in common
            self._of.setdefault(sighting.subject, {})[place] = None

    def lose(self, room: Key, member_id: str, connection: _Connection, until: float) -> None:
        """A connection was lost without a word: wait for its client.

        Args:
            room: where it is a member.
            member_id: as whom.
            connection: the one that was lost.
            until: how long; seconds.
        """
        place = room, member_id
        said = self._members.get(place, {}).get(connection)
        if said is not None:
            said.until = until
            self._missing.setdefault(room, {})[member_id] = None

    def leave(self, room: Key, member_id: str, connection: _Connection) -> None:
        """A client leaves on a connection; it may be there on others."""
        place = room, member_id
        said = self._members.get(place, {})
        last = said.pop(connection, None)
        if not said:
            self._members.pop(place, None)
            if last is not None:
                self._forget(place, last.sighting.subject)
        if not any(each.until is not None for each in said.values()):
            self._found(room, member_id)

    def sighting(self, room: Key, member_id: str) -> Sighting | None:
        """What is to be seen of a member; `None` if this server does not have it."""
        said = self._members.get((room, member_id))
        return next(reversed(said.values())).sighting if said else None

    def give_up(self, room: Key, member_id: str) -> None:
        """Wait for a member no more."""
        for lost in [each for name, each in self.missing(room) if name == member_id]:
            self.leave(room, member_id, lost)

    def is_missing(self, room: Key, member_id: str) -> bool:
        """Whether a member is only waited for, on all of its connections."""
        said = self._members.get((room, member_id), {})
        return bool(said) and all(each.until is not None for each in said.values())

    def of_subject(self, subject: str) -> Collection[tuple[Key, str]]:
        """Where a subject is a member, the oldest first: room, and id of the member."""
        return self._of.get(subject, {}).keys()

    def missing(self, room: Key) -> list[tuple[str, _Connection]]:
        """Who is waited for in a room: the id of each member, and the connection that was lost."""
        return [
            (member_id, connection)
            for member_id in self._missing.get(room, ())
            for connection, each in self._members[room, member_id].items()
            if each.until is not None
        ]

    def missing_of(self, subject: str) -> list[tuple[Key, str, _Connection]]:
        """Where somebody is waited for: room, id of the member, and the connection."""
        return [
            (room, member_id, connection)
            for room in self._missing
            for member_id, connection in self.missing(room)
            if self._members[room, member_id][connection].sighting.subject == subject
        ]

    @property
    def due(self) -> float | None:
        """When the first of those who are missing is waited for no more; seconds."""
        times = (
            each.until
            for room, members in self._missing.items()
            for member_id in members
            for each in self._members[room, member_id].values()
            if each.until is not None
        )
        return min(times, default=None)

    def overdue(self, now: float) -> list[tuple[Key, str]]:
        """Give up on those who have not come back in time: room and id of each of them.

        Args:
            now: seconds.
        """
        late = [
            (room, member_id, connection)
            for room in self._missing
            for member_id, connection in self.missing(room)
            if (self._members[room, member_id][connection].until or 0.0) <= now
        ]
        for place in late:
            self.leave(*place)
        return [(room, member_id) for room, member_id, _ in late]

    def _forget(self, place: tuple[Key, str], subject: str) -> None:
        places = self._of.get(subject)
        if places is not None:
            places.pop(place, None)
            if not places:
                del self._of[subject]

    def _found(self, room: Key, member_id: str) -> None:
        members = self._missing.get(room)
        if members is not None:
            members.pop(member_id, None)
            if not members:
                del self._missing[room]

    def everybody(self) -> Iterator[tuple[Key, str, Sighting]]:
        """All of them: room, id, and what is to be seen."""
        for (room, member_id), said in self._members.items():
            yield room, member_id, next(reversed(said.values())).sighting
