"""Who is where, as all servers of a cluster together know it. Pure.

Knows sightings: that a server has a member in a room. Must not know connections, how servers hear
of one another, nor who is told.

A client may have connections to several servers, and one that moves is for a while at both. So a
member is shown once, by the newest of its sightings: all servers choose the same one, as they
compare the same times and words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rhtmx.messages import RoomMember
from rhtmx_server.model import Key

__all__ = ["Presence", "Sighting"]


class Sighting(NamedTuple):
    """What one server knows of a member of a room that is connected to it.

    Args:
        at: when the member said so last; microseconds since 1970.
        subject: on whose behalf; empty for nobody in particular.
        state: what it says of itself, as JSON; `None` for nothing.
    """

    at: int
    subject: str = ""
    state: bytes | None = None


class Presence:
    """The members of all rooms, by room, member and server.

    Example:
        >>> presence = Presence()
        >>> presence.put(("orders", "7"), "1", "here", Sighting(1, "ada"))
        >>> presence.member(("orders", "7"), "1")
        RoomMember(id='1', subject='ada')
        >>> presence.drop(("orders", "7"), "1", "here")
        >>> presence.member(("orders", "7"), "1") is None
        True
    """

    def __init__(self) -> None:
        self._rooms: dict[Key, dict[str, dict[str, Sighting]]] = {}

    def __len__(self) -> int:
        """How many rooms somebody is in."""
        return len(self._rooms)

    def put(self, room: Key, member_id: str, node: str, sighting: Sighting) -> None:
        """Take note that a server has a member."""
        members = self._rooms.setdefault(room, {})
        members.setdefault(member_id, {})[node] = sighting

    def drop(self, room: Key, member_id: str, node: str) -> None:
        """Take note that a server does not have a member; it need not have had it."""
        members = self._rooms.get(room, {})
        nodes = members.get(member_id, {})
        nodes.pop(node, None)
        if not nodes and members.pop(member_id, None) is not None and not members:
            del self._rooms[room]

    def count(self, room: Key) -> int:
        """How many members a room has."""
        return len(self._rooms.get(room, ()))

    def has(self, room: Key, member_id: str) -> bool:
        """Whether a member is in a room."""
        return member_id in self._rooms.get(room, ())

    def newest(self, room: Key, member_id: str) -> int:
        """When a member said something last, at any server; 0 if it is nowhere."""
        nodes = self._rooms.get(room, {}).get(member_id, {})
        return max((seen.at for seen in nodes.values()), default=0)

    def member(self, room: Key, member_id: str) -> RoomMember | None:
        """A member as it is shown; `None` if it is nowhere."""
        nodes = self._rooms.get(room, {}).get(member_id)
        if not nodes:
            return None
        newest = max(nodes.values(), key=lambda seen: (seen.at, seen.subject, seen.state or b""))
        return RoomMember(member_id, newest.subject or None, newest.state)

    def members(self, room: Key) -> Iterable[RoomMember]:
        """All members of a room, in the order in which they came to this server's knowledge."""
        found = (self.member(room, each) for each in self._rooms.get(room, ()))
        return [each for each in found if each is not None]

    def everybody(self) -> Iterator[tuple[Key, int]]:
        """The rooms, and how many members each of them has."""
        for room, members in self._rooms.items():
            yield room, len(members)
