"""The members of a room, and what they tell one another, as plain frozen values.

Knows the messages that they are made from. Must not know rooms, sessions or the loop.
"""

from __future__ import annotations

from dataclasses import dataclass

from rhtmx.messages import RoomMember, RoomMessage
from rhtmx.values.json_value import Json, from_json

__all__ = ["Member", "MemberMessage"]


@dataclass(frozen=True, slots=True)
class Member:
    """A client that is in a room.

    Attributes:
        id: tells it from the others; the same after a reconnect. It is not the `client_id`.
        subject: the user for whom it acts, as the server has found out; `None` if nobody is asked.
        state: what it says of itself.
    """

    id: str
    subject: str | None = None
    state: Json = None

    @classmethod
    def of(cls, member: RoomMember) -> Member:
        """Make it from the message."""
        return cls(member.id, member.subject, from_json(member.state))


@dataclass(frozen=True, slots=True)
class MemberMessage:
    """What somebody in a room has told the others.

    Attributes:
        member: the id of the member; `None` if the program of the server has told it.
        data: what.
    """

    member: str | None
    data: Json

    @classmethod
    def of(cls, message: RoomMessage) -> MemberMessage:
        """Make it from the message."""
        return cls(message.member, from_json(message.data))
