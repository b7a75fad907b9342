"""Whether there is a place for one more member of a room, and who makes way for it. Pure.

Knows limits, and who is waited for. Must not know connections, rights, nor who is told.

A member that was lost is shown for a while. So whoever joins, vanishes, and joins as another client
leaves one behind each time. A place that is only kept for somebody goes to whoever is there:

==================  ==============================  =========================================
limit               counts                          who makes way
==================  ==============================  =========================================
`RoomLimits.        the members of one subject in   of these, one that is waited for
members_of_subject` the room, at this server
`RoomLimits.        those of the subject in all     the same
memberships`        rooms, at this server
`RoomLimits.        all members of the room, at     who has been waited for longest there, at
members`            any server                      this server
==================  ==============================  =========================================

Where nobody makes way the new one is refused. A guest has no subject: only the last line counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import Key
from rhtmx_server.rooms.local_members import LocalMembers
from rhtmx_server.rooms.open_room import RoomReader
from rhtmx_server.rooms.ports import RoomLimits
from rhtmx_server.rooms.presence import Presence
from rhtmx_server.rooms.replicas import MemberPlace

__all__ = ["RoomPlaces"]


class RoomPlaces:
    """The places in all rooms of one server.

    Args:
        local: the members that this server has.
        presence: all members that it knows of.
        limits: how many there may be.
        give_up: is told who is waited for no more: the room, and the id of the member.
        refused: is told of each refusal, by one of a few fixed reasons.
    """

    def __init__(
        self,
        local: LocalMembers[RoomReader],
        presence: Presence,
        limits: RoomLimits,
        give_up: Callable[[Key, str], None],
        refused: Callable[[str], None],
    ) -> None:
        self._local = local
        self._presence = presence
        self._limits = limits
        self._give_up = give_up
        self._refused = refused

    def make(self, room: Key, subject: str) -> None:
        """Make a place for somebody who is no member of a room yet.

        Args:
            room: which.
            subject: on whose behalf; empty for a guest.

        Raises:
            RhtmxError: `TOO_MANY_SUBSCRIPTIONS`, there is none.
        """
        limits = self._limits
        if subject:
            there = [each for each in self._local.of_subject(subject) if each[0] == room]
            if not self._has_place(len(there), limits.members_of_subject, there):
                words = (
                    f"this user is in this room with {limits.members_of_subject} clients already "
                    "(--room-members-per-subject): leave with one of them, or watch"
                )
                raise self._refusal("subject_in_room", words)
            everywhere = self._local.of_subject(subject)
            if not self._has_place(len(everywhere), limits.memberships, everywhere):
                words = (
                    f"the clients of this user are members of {limits.memberships} rooms already "
                    "(--memberships-per-subject): leave one of them, or watch"
                )
                raise self._refusal("subject", words)
        waited_for = [(room, member_id) for member_id, _ in self._local.missing(room)]
        if not self._has_place(self._presence.count(room), limits.members, waited_for):
            words = f"this room has its {limits.members} members: watch it, or try again later"
            raise self._refusal("room", words)

    def _has_place(self, count: int, most: int, members: Iterable[MemberPlace]) -> bool:
        if count < most:
            return True
        ghost = next((each for each in members if self._local.is_missing(*each)), None)
        if ghost is None:
            return False
        self._give_up(*ghost)
        return True

    def _refusal(self, reason: str, words: str) -> RhtmxError:
        self._refused(reason)
        return RhtmxError(ErrorCode.TOO_MANY_SUBSCRIPTIONS, words)
