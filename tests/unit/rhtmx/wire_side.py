"""The other side of a stream, written down: what it sends and tells."""

from __future__ import annotations

from typing import Any

from rhtmx.core.connection_lifecycle import Fence
from rhtmx.core.cursor import Cursor
from rhtmx.core.events import Event
from rhtmx.core.stream import Outgoing
from rhtmx.messages import ChangeLog, FieldChangeLog, Position, SyncComplete
from rhtmx.wire import ClientMessage


def at(version: int, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version)


def record(version: int, entity_id: str = "1") -> ChangeLog:
    return ChangeLog("tasks", entity_id, version=version)


def part(version: int, field: str, *, more: bool = False) -> FieldChangeLog:
    return FieldChangeLog("tasks", "1", field, version=version, more=more or None)


def complete(version: int, *, reset: bool = False, epoch: str = "e") -> SyncComplete:
    return SyncComplete("tasks", version, epoch, reset)


class WireSide:
    """Takes what a stream sends and tells, and answers its fences."""

    def __init__(self) -> None:
        self.sent: list[ClientMessage] = []
        self.fences: list[Fence] = []
        self.told: list[Event] = []
        self.outgoing = Outgoing(self.sent.append, self.fences.append, self.told.append, epoch="e")

    def said(self) -> list[Any]:
        """What was sent since the last call: entity → position, or the message's name."""
        said = [
            getattr(message, "since", {}).get("tasks") or type(message).__name__
            for message in self.sent
        ]
        self.sent.clear()
        return said

    def pong(self) -> None:
        """The server has dealt with everything before the next fence."""
        self.fences.pop(0).passed()

    def news(self, cursor: Cursor) -> list[Any]:
        """What was told to a reader since the last call: versions, or names of events."""
        mine = [each for each in self.told if getattr(each, "cursor", None) is cursor]
        self.told[:] = [each for each in self.told if getattr(each, "cursor", None) is not cursor]
        return [each.log.version if hasattr(each, "log") else type(each).__name__ for each in mine]
