"""What is said between a session and its shell: what it is told, and what comes of that.

Knows the words. Must not know what either does.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from rhtmx.core.conflict import ConflictSides
from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.storage_ops import BatchOutcome, OpBatch, StoredRejection
from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldConflict, Position
from rhtmx.values.reset import Reset
from rhtmx.wire import ClientMessage, Message, ServerMessage

__all__ = [
    "Answered",
    "Conflicted",
    "Delivered",
    "Ended",
    "Event",
    "FellBehind",
    "Input",
    "Problem",
    "Received",
    "Refused",
    "Rejected",
    "Reset",
    "Started",
    "State",
    "StepResult",
    "Stopped",
    "Synced",
    "TimePassed",
    "TokenNeeded",
    "Told",
    "WasReset",
]


class State(enum.Enum):
    """How a client stands with its server."""

    CONNECTING = "connecting"
    """A connection is being made."""

    OPEN = "open"
    """It is there, and the server knows the client."""

    WAITING = "waiting"
    """It was lost, and the next attempt has its time."""

    OFFLINE = "offline"
    """The application wants no connection for now."""

    CLOSED = "closed"
    """For good."""


@dataclass(frozen=True, slots=True)
class Started:
    """The server has taken the subscription behind this cursor."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Delivered:
    """A change for this cursor; `position` is where to resume after it."""

    cursor: Cursor
    log: Log
    position: Position | None


@dataclass(frozen=True, slots=True)
class Synced:
    """A cursor has caught up."""

    cursor: Cursor
    position: Position


@dataclass(frozen=True, slots=True)
class FellBehind:
    """A cursor was too slow for the live stream: what follows has been, until `Synced`."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class WasReset:
    """What was delivered to this cursor is void; all of it follows anew, from `position`."""

    cursor: Cursor
    reset: Reset
    position: Position


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server refused the subscription behind this cursor."""

    cursor: Cursor
    error: RhtmxError


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing comes any more of what this cursor, which was let go of, had read."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Answered:
    """A request or a write was answered; the conflicts belong to the answer."""

    request_id: str
    message: ServerMessage
    conflicts: Sequence[FieldConflict] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A request or a write was refused."""

    request_id: str
    error: RhtmxError


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong that was no answer to a request."""

    error: RhtmxError


@dataclass(frozen=True, slots=True)
class Rejected:
    """A write was rejected, and is kept for the application to decide."""

    write: StoredRejection


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A write of this client stood against another one."""

    conflict: ConflictSides


@dataclass(frozen=True, slots=True)
class TokenNeeded:
    """Writes wait for a fresh token."""


@dataclass(frozen=True, slots=True)
class Told:
    """An ephemeral message: it concerns whoever listens now, and nobody else."""

    message: ServerMessage


Event: TypeAlias = (
    Started
    | Delivered
    | Synced
    | FellBehind
    | WasReset
    | Stopped
    | Ended
    | Answered
    | Refused
    | Rejected
    | Conflicted
    | TokenNeeded
    | Told
    | Problem
)
"""What happened; a session reports them in order."""


# Structs, as each message makes one of both: they take a quarter of the time of a dataclass.


class Received(msgspec.Struct, frozen=True):
    """A message arrived; `None`: one that is not known, which is a sign of life."""

    message: Message | None


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The deadline of an earlier step has come."""


Input: TypeAlias = Received | TimePassed | BatchOutcome | None
"""What has happened outside; `None`: nothing, but something may have been asked for."""


class StepResult(msgspec.Struct):
    """All that follows from one step of a session.

    Args:
        events: what happened, in order.
        touched: the entities of which something that is shown has changed.
        revision: another number whenever something about the writes has changed.
        messages: what is to be sent, in order; it counts as sent.
        batch: what is to be stored, if there is anything; it counts as under way.
        deadline: when to say `TimePassed`, whatever else happens; `None`: never. It is only
            told to who sends, and when time has passed: to work it out for each message costs.
        alive: whether the connection is still good; if not, drop it.
    """

    events: list[Event]
    touched: set[str]
    revision: int
    messages: Sequence[ClientMessage] = ()
    batch: OpBatch | None = None
    deadline: float | None = None
    alive: bool = True
