"""Who is shown to be in one room, and what of that a reader has yet to be told. Pure.

Knows members and the order in which they changed. Must not know connections, rights, nodes or
formats.

It is a log of states, as that of an entity: each change has a version, a member stands at the
version of its last one, and a reader is told everything above the version that it has got. So a
reader that is slow or new is told less often, never something wrong, and readers at the same
version are told the very same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from rhtmx.messages import RoomMember

__all__ = ["FRESH", "MOST_LEFT", "PAGE_BYTES", "Roster", "RosterPage"]

FRESH = -1
"""The version of a reader that has got nothing yet."""

PAGE_BYTES = 32 * 1024
"""About what one message weighs at most, if it tells of more than one member."""

MOST_LEFT = 1000
"""How many of those who left are remembered. Who has not been told of the others begins anew."""

_FRAME = 64
"""What a member weighs without its words."""

_Change: TypeAlias = tuple[int, str, RoomMember | None]


class RosterPage(NamedTuple):
    """What a reader is told next.

    Args:
        members: who came or changed, in order.
        left: the ids of those who left.
        upto: the version that the reader has got then.
        reset: what it was told before is void.
        more: this is not all.
    """

    members: list[RoomMember]
    left: list[str]
    upto: int
    reset: bool
    more: bool


class Roster:
    """The members of one room.

    Attributes:
        version: grows with each change.

    Example:
        >>> roster = Roster()
        >>> roster.show(RoomMember("1", "ada"))
        True
        >>> roster.hide("2")
        False
        >>> [each.subject for each in roster.page(FRESH).members]
        ['ada']
        >>> roster.page(roster.version).members
        []
    """

    def __init__(self) -> None:
        self.version = 0
        self._floor = 0
        # Both in the order of the versions: what changes goes to the end.
        self._members: dict[str, tuple[int, RoomMember]] = {}
        self._left: dict[str, int] = {}

    def __len__(self) -> int:
        """How many members there are."""
        return len(self._members)

    def show(self, member: RoomMember) -> bool:
        """Take note that a member is there, with this state; returns whether that is new."""
        _, known = self._members.get(member.id, (0, None))
        if known == member:
            return False
        self._members.pop(member.id, None)
        self._left.pop(member.id, None)
        self.version += 1
        self._members[member.id] = self.version, member
        return True

    def hide(self, member_id: str) -> bool:
        """Take note that a member is not there any more; returns whether it was."""
        if self._members.pop(member_id, None) is None:
            return False
        self.version += 1
        self._left[member_id] = self.version
        if len(self._left) > MOST_LEFT:
            self._floor = self._left.pop(next(iter(self._left)))
        return True

    def page(self, sent: int) -> RosterPage:
        """What a reader is to be told that has got everything up to a version.

        Args:
            sent: the version, or `FRESH`.
        """
        reset = sent < self._floor
        changes = self._changes(0 if reset else sent, with_left=not reset)
        members: list[RoomMember] = []
        left: list[str] = []
        size, upto = 0, sent
        for version, member_id, member in changes:
            size += _FRAME + len(member_id) + (_weight(member) if member is not None else 0)
            if size > PAGE_BYTES and (members or left):
                return RosterPage(members, left, upto, reset, more=True)
            if member is None:
                left.append(member_id)
            else:
                members.append(member)
            upto = version
        return RosterPage(members, left, self.version, reset, more=False)

    def _changes(self, after: int, *, with_left: bool) -> Iterable[_Change]:
        changes = [(version, each.id, each) for version, each in _newest(self._members, after)]
        if not with_left:
            return reversed(changes)
        gone: list[_Change] = []
        for member_id in reversed(self._left):
            version = self._left[member_id]
            if version <= after:
                break
            gone.append((version, member_id, None))
        return sorted([*changes, *gone], key=lambda change: change[0])


def _newest(
    members: dict[str, tuple[int, RoomMember]], after: int
) -> Iterator[tuple[int, RoomMember]]:
    """Those that changed after a version, the newest first: what is before it costs nothing."""
    for member_id in reversed(members):
        version, member = members[member_id]
        if version <= after:
            return
        yield version, member


def _weight(member: RoomMember) -> int:
    return len(member.subject or "") + len(member.state or b"")
