"""Who is answered without a connection: plain HTTP reads, and calls of gRPC.

Knows who it is, until when, and what they read. Must not know doors: each says how an
answer that is under way is cut off.

A connection is told of other rights, and goes on. A visit is one answer to one question:
with other rights it is another answer, so that it ends.

========  ==========================  =====================  ==================
state     its rights change, or its   the next page is due   `leave`
          subject is disconnected     (`require`)
========  ==========================  =====================  ==================
under     ended, and cut off          ended, if its token    gone
way                                   has expired, or what
                                      it reads has changed
ended     ended                       ended                  gone
gone      -                           -                      gone
========  ==========================  =====================  ==================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.failures import known

__all__ = ["AGAIN", "StillReading", "Visit", "Visits", "signed_out", "token_expired"]

AGAIN = 1.0
"""Seconds after which the program is asked anew what is read by an answer that lasts."""

StillReading: TypeAlias = Callable[[str, Grant, bytes | None], Awaitable[Reading]]
"""What of an entity somebody reads now, by a `where`; nothing if they may read nothing."""


def token_expired() -> RhtmxError:
    """What whoever speaks with a token is told when its time is over."""
    return RhtmxError(ErrorCode.UNAUTHENTICATED, "the token has expired: get a fresh one")


def signed_out() -> RhtmxError:
    """What somebody is told whom the program has disconnected."""
    return RhtmxError(ErrorCode.UNAUTHENTICATED, "signed out by the server: sign in again")


class Visit:
    """Somebody who is being answered.

    Args:
        visits: all of them.
        grant: who it is.
        until: when their token expires, in seconds of the clock of `visits`.

    Attributes:
        reading: what is read for them, once that is known.
        error: why it has ended, if it has.
        cut: cuts off the answer that is under way; by default there is none.
    """

    def __init__(self, visits: Visits, grant: Grant, until: float | None) -> None:
        self.grant = grant
        self.reading: Reading | None = None
        self.error: RhtmxError | None = None
        self.cut: Callable[[], object] = lambda: None
        self._visits = visits
        self._until = until
        self._asked = visits.now()

    async def require(self) -> None:
        """Make sure that it may go on.

        Raises:
            RhtmxError: why it has ended; `UNAUTHENTICATED`, the token has expired;
                `FORBIDDEN`, something else may be read now; what the program's function
                raises.
        """
        now, reading = self._visits.now(), self.reading
        if self._until is not None and now >= self._until:
            raise token_expired()
        # By the rules a grant gives the same for ever; what a function says may change, and
        # nobody may have told.
        if reading is not None and now - self._asked >= AGAIN:
            self._asked = now
            self.error = self.error or await self._visits.changed(self.grant, reading)
        self.check()

    def check(self) -> None:
        """Make sure that it has not been ended.

        Raises:
            RhtmxError: why it was.
        """
        if self.error is not None:
            raise self.error

    def end(self, error: RhtmxError) -> None:
        """Have it end, and cut off what is under way."""
        if self.error is None:
            self.error = error
            self.cut()

    def leave(self) -> None:
        """It is over, in whichever way. May be called twice."""
        self.cut = lambda: None
        self._visits.present.pop(self, None)


class Visits:
    """Everybody who is being answered without a connection.

    Args:
        now: seconds, of a clock that does not jump.
        waits: whether the program has to be asked what is read of an entity.
        still_reading: what is left to a reader whose rights may have changed.

    Attributes:
        present: those under way.
    """

    def __init__(
        self,
        now: Callable[[], float],
        waits: Callable[[str], bool],
        still_reading: StillReading,
    ) -> None:
        self.now = now
        self.present: dict[Visit, None] = {}
        self._waits = waits
        self._still_reading = still_reading

    def enter(self, grant: Grant, until: float | None) -> Visit:
        """Take note of one; `leave` is to be called for it."""
        visit = Visit(self, grant, until)
        self.present[visit] = None
        return visit

    async def rescope(self, subject: str) -> None:
        """End those of a subject that read something else now."""
        for visit in self._of(subject):
            if visit.reading is not None:
                error = await self.changed(visit.grant, visit.reading)
                if error is not None:
                    visit.end(error)

    def disconnect(self, subject: str) -> None:
        """End those of a subject."""
        for visit in self._of(subject):
            visit.end(signed_out())

    async def changed(self, grant: Grant, reading: Reading) -> RhtmxError | None:
        """Why somebody may not go on to read this, if something else may be read now."""
        entity = reading.entity
        if not self._waits(entity):
            return None
        try:
            now = await self._still_reading(entity, grant, reading.where)
        except Exception as failure:
            return known(failure, "finding out what may be read")
        if now == reading:
            return None
        return RhtmxError(
            ErrorCode.FORBIDDEN,
            f"'{entity[:40]}': what you may read of it has changed meanwhile: ask again",
        )

    def _of(self, subject: str) -> list[Visit]:
        return [each for each in self.present if each.grant.subject == subject]
