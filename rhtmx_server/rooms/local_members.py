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

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting

__all__ = ["LocalMembers"]


@dataclass(slots=True)
class _Said:
    """What was said on one connection; `until` when it is waited for, if it is missing."""

    sighting: Sighting
    until: float | None = None


class LocalMembers:
    """The members of all rooms that this server has.

    Example:
        >>> local, room = LocalMembers(), ("orders", "7")
        >>> local.say(room, "1", "one connection", Sighting(1))
        >>> local.lose(room, "1", "one connection", until=40.0)
        >>> local.sighting(room, "1")
        Sighting(at=1, subject='', state=None)
        >>> list(local.overdue(40.0)), local.sighting(room, "1")
        ([(('orders', '7'), '1')], None)
    """

    def __init__(self) -> None:
        self._members: dict[tuple[Key, str], dict[Hashable, _Said]] = {}
        self._missing: dict[tuple[Key, str], None] = {}

    def __len__(self) -> int:
        """How many members there are, in all rooms."""
        return len(self._members)

    def say(self, room: Key, member_id: str, connection: Hashable, sighting: Sighting) -> None:
        """A client says on a connection that it is there, and what is to be seen of it."""
        place = room, member_id
        said = self._members.setdefault(place, {})
        for other in [other for other, each in said.items() if each.until is not None]:
            del said[other]
        self._missing.pop(place, None)
        said.pop(connection, None)
        said[connection] = _Said(sighting)  # at the end: it is the newest

    def lose(self, room: Key, member_id: str, connection: Hashable, until: float) -> None:
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
            self._missing[place] = None

    def leave(self, room: Key, member_id: str, connection: Hashable) -> None:
        """A client leaves on a connection; it may be there on others."""
        place = room, member_id
        said = self._members.get(place, {})
        said.pop(connection, None)
        if not said:
            self._members.pop(place, None)
            self._missing.pop(place, None)

    def sighting(self, room: Key, member_id: str) -> Sighting | None:
        """What is to be seen of a member; `None` if this server does not have it."""
        said = self._members.get((room, member_id))
        return next(reversed(said.values())).sighting if said else None

    @property
    def waits(self) -> bool:
        """Whether anybody is waited for."""
        return bool(self._missing)

    def overdue(self, now: float) -> Iterator[tuple[Key, str]]:
        """Give up on those who have not come back in time: room and id of each of them.

        Args:
            now: seconds.
        """
        for place in list(self._missing):
            said = self._members[place]
            late = [each for each, it in said.items() if it.until is not None and it.until <= now]
            for connection in late:
                self.leave(*place, connection)
            if not any(each.until is not None for each in said.values()):
                self._missing.pop(place, None)
            if late:
                yield place

    def everybody(self) -> Iterator[tuple[Key, str, Sighting]]:
        """All of them: room, id, and what is to be seen."""
        for (room, member_id), said in self._members.items():
            yield room, member_id, next(reversed(said.values())).sighting
