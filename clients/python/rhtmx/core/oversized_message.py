"""Which message the connections end on, where they end because one is too large. Pure.

Knows what was under way when a connection was closed. Must not know sizes: what
is larger than the server says is not sent at all. This is for what nobody says:
a proxy with a limit of its own, or one that counts compressed bytes.

Such an end (close code 4502, or 1009 of RFC 6455, section 7.4.1) is about one
message, not about the client: to send that again would end every connection. So
when several were under way, they are sent one at a time, until they are all
answered; and the one that is alone under way when it happens is refused. A write
that turns out to have taken effect is not: then it was something else. Where
nothing was under way, there is nothing to leave out, and the end is final.
"""

from __future__ import annotations

from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.requests import Requests
from rhtmx.core.write_outcomes import WriteOutcomes
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERRORS

__all__ = ["OversizedMessage"]

_CODES = frozenset({ERRORS[ErrorCode.TOO_LARGE].close_code, 1009})


class OversizedMessage:
    """Finds the message that the connections end on.

    Args:
        writes: those of the client.
        requests: its questions.

    Attributes:
        suspects: the ids of what was under way when a connection ended for its size.
    """

    def __init__(self, writes: WriteOutcomes, requests: Requests) -> None:
        self._writes = writes
        self._requests = requests
        self.suspects: set[str] = set()
        self._accused: QueuedWrite | None = None

    def closed(self, code: int | None, *, quiet: bool) -> bool:
        """The connection ended; returns whether for something that can be left out.

        Args:
            code: the close code.
            quiet: nothing but writes and questions was under way.
        """
        if code not in _CODES:
            return False
        writes, questions = self._writes.queue.sent(), self._requests.asked
        if self.suspects and quiet and len(writes) + len(questions) == 1:
            for each in [*questions]:
                self._requests.refuse(_too_large(each))
            self._accused = writes[0] if writes else None
            return True
        self.suspects = {*questions, *(row.id for row in writes)}
        return bool(self.suspects)

    def welcomed(self, settled: int) -> None:
        """There is a connection again; `settled` is the last number that the server knows."""
        row, self._accused = self._accused, None
        if row is not None and row.seq > settled and self._writes.queue.get(row.id) is row:
            self._writes.reject(row, _too_large(row.id))

    def room(self, *, quiet: bool) -> int | None:
        """How many messages may be sent now; `None`: any number."""
        if not self.suspects:
            return None
        queue, questions = self._writes.queue, self._requests
        self.suspects = {i for i in self.suspects if queue.get(i) or questions.waits(i)}
        if not self.suspects:
            return None
        return 0 if not quiet or questions.asked or queue.sent() else 1


def _too_large(request_id: str) -> RhtmxError:
    return RhtmxError(
        ErrorCode.TOO_LARGE,
        "the connection was closed because this message is too large for the server, or for "
        "something in between: split it",
        request_id=request_id,
    )
