"""Why there is no connection: kept for whoever asks, and logged once.

Knows the log. Must not know what the reasons are.
"""

from __future__ import annotations

import logging

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["ConnectionProblem"]

log = logging.getLogger("rhtmx")


class ConnectionProblem:
    """Why one client has no connection.

    Attributes:
        last: what became of the last attempt; `None` while there is a connection, and
            before the first attempt.
    """

    def __init__(self) -> None:
        self.last: RhtmxError | None = None
        self._logged: set[str] = set()

    def note(self, code: ErrorCode, words: str, level: int | None) -> None:
        """There is no connection; each reason is logged once until there is one again.

        Args:
            code: the reason, where the protocol has a code for it.
            words: the reason, for a person.
            level: of the log; `None` if somebody is told anyway.
        """
        self.last = RhtmxError(code, words)
        if level is not None and words not in self._logged:
            self._logged.add(words)
            log.log(level, "%s: trying again", words)

    def over(self) -> None:
        """There is a connection."""
        if self.last is not None:
            self.last = None
            self._logged.clear()
