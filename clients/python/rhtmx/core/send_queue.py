"""What one client sends, in order: what it has to say anyway, then its writes, then its questions.

Knows how much may be under way at a time, until when something waits, and what becomes of a
message that is too large. Must not know why something is said. Times are arguments.
"""

from __future__ import annotations

from rhtmx.core.connection_lifecycle import ConnectionLifecycle, ConnectionPhase
from rhtmx.core.error_policy import too_large
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import LocalState
from rhtmx.core.oversized_message import OversizedMessage
from rhtmx.core.requests import Requests
from rhtmx.core.streams import Streams
from rhtmx.messages import Push, PushFields, Subscribe, SubscribeFields
from rhtmx.messages.tables import ANSWERS
from rhtmx.wire import ClientMessage

__all__ = ["SendQueue"]


class SendQueue:
    """Brings together what the parts of a session have to send.

    Args:
        link: the connection, with what is said on it anyway.
        local: the writes, and whether the client's secret is stored.
        requests: the questions.
        streams: what is read.

    Attributes:
        oversized: the message that the connections end on.
    """

    def __init__(
        self, link: ConnectionLifecycle, local: LocalState, requests: Requests, streams: Streams
    ) -> None:
        self._link = link
        self._local = local
        self._requests = requests
        self._streams = streams
        self.oversized = OversizedMessage(local.writes, requests)

    def take(self, now: float) -> list[ClientMessage]:
        """What is to be sent now, in order; it counts as sent."""
        if self._is_open:
            room = None  # as much as there is
            if self.oversized.suspects:
                room = self.oversized.room(quiet=self._link.quiet)
            # Who lost the secret could number no more: nothing is numbered before it is stored.
            rows = self._local.writes.due(room) if self._local.identity.stored else ()
            for row in rows:
                self._link.send(row.numbered())
            for question in self._requests.due(room and room - len(rows)):
                self._link.send(question)
        return self._link.take(now)

    @property
    def deadline(self) -> float | None:
        """When there is something to do, whatever else happens; `None`: never."""
        deadline = self._link.deadline
        if deadline is None or not self._is_open:
            return deadline
        holds = (self._local.writes.hold.until, self._requests.hold.until)
        return min([deadline, *(each for each in holds if each is not None)])

    def fits(self, message: ClientMessage, size: int, most: int) -> bool:
        """Whether a message has at most so many bytes; if not, that is rejected.

        It would end every connection. Only here is that known for sure: a write may
        have been made before the limit was, or be sent to a server with another one.

        Args:
            message: one that `take` gave.
            size: bytes that it has in the connection's format.
            most: bytes that the server takes; 0: any number.
        """
        if not most or size <= most:
            return True
        error = too_large(size, most)
        match message:
            case Push() | PushFields():
                row = self._local.writes.queue.numbered(message.seq)
                if row is not None:
                    self._local.writes.reject(row, error)
            case Subscribe():
                self._streams.refused(message.entities[0], Granularity.RECORDS, error)
            case SubscribeFields():
                self._streams.refused(message.entities[0], Granularity.FIELDS, error)
            case _ if type(message) in ANSWERS:
                error.request_id = getattr(message, "request_id", None)
                self._requests.refuse(error)
            case _:
                return True  # none that could be made smaller
        return False

    @property
    def _is_open(self) -> bool:
        return self._link.phase is ConnectionPhase.OPEN
