"""A room, as the program of the server sees it.

Knows the calls. Must not know who is told, nor how.
"""

from __future__ import annotations

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.json_value import Json, to_json
from rhtmx.values.members import Member
from rhtmx_server.rooms.ports import MOST_BYTES
from rhtmx_server.rooms.rooms import Rooms

__all__ = ["AppRoom"]


class AppRoom:
    """Who is at a record now. Made by `App.room`; the program is no member.

    Args:
        rooms: those of the server.
        name: the entity and the id of the record, with a slash between them.

    Raises:
        RhtmxError: `BAD_MESSAGE`, that is no name.
    """

    def __init__(self, rooms: Rooms, name: str) -> None:
        entity, slash, entity_id = name.partition("/")
        if not (entity and slash and entity_id):
            words = f"a room is called as its record, such as orders/7; got {name!r}"
            raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
        self._rooms = rooms
        self._key = entity, entity_id

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is there, at any server of a cluster."""
        return tuple(map(Member.of, self._rooms.members(self._key)))

    def send(self, data: Json) -> None:
        """Tell all who are there something, now or never.

        Args:
            data: any JSON value of at most 4,096 bytes.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be JSON, or is larger; `RATE_LIMITED`, more is
                told in the room than its readers could take.
        """
        encoded = to_json(data, "data")
        if len(encoded or b"") > MOST_BYTES:
            words = f"data: at most {MOST_BYTES} bytes expected, got {len(encoded or b'')}"
            raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
        self._rooms.tell(self._key, None, encoded)
