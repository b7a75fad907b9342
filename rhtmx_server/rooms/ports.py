"""What rooms need of what is around them: connections, other servers, and limits.

Knows the interfaces. Must not know who implements them.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.groups import Encoding
from rhtmx_server.delivery.outbox import Outbox
from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting

__all__ = ["MOST_BYTES", "Elsewhere", "Nowhere", "RoomLimits", "RoomPeer"]

MOST_BYTES = 4096
"""Bytes of the state of a member, and of a message."""


class RoomPeer(Hashable, Protocol):
    """A connection, as a room sees it."""

    @property
    def encoding(self) -> Encoding:
        """Who shares this very object shares its frames."""

    @property
    def outbox(self) -> Outbox:
        """Takes its frames, and knows whether it is behind with reading them."""

    def send(self, message: ServerMessage) -> None:
        """Send a message at the end of the tick."""


class Elsewhere(Protocol):
    """The other servers, as the rooms of this one see them."""

    def say(self, room: Key, member_id: str, sighting: Sighting | None) -> None:
        """Tell them what is to be seen of a member here; `None`: it is here no more."""

    def tell(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        """Tell them a message of a room."""


class Nowhere:
    """The other servers of one that is alone."""

    def say(self, room: Key, member_id: str, sighting: Sighting | None) -> None:
        """Tell nobody."""

    def tell(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        """Tell nobody."""


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """How much there may be.

    Args:
        rooms: that one connection is in.
        members: of one room.
        members_of_subject: of these, of one subject at one server.
        memberships: members of one subject in all rooms, at one server.
        sweep: seconds between two looks at who has not come back, at least.
    """

    rooms: int = 64
    members: int = 1000
    members_of_subject: int = 100
    memberships: int = 1000
    sweep: float = 0.25
