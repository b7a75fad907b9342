"""Warnings that are given once.

Knows how many different ones are worth a line. Must not know what they say.
"""

from __future__ import annotations

import logging

from rhtmx_server.logs import escape, redact

__all__ = ["KEPT", "Once"]

log = logging.getLogger("rhtmx_server")

KEPT = 100
"""Different things that are remembered; peers choose them, so there is no end to them."""

_SHOWN = 300


class Once:
    """Warns once of each thing of a kind, and of so many of them only.

    Args:
        kind: what they are called, for the last warning.
        kept: how many are remembered.
    """

    def __init__(self, kind: str, kept: int = KEPT) -> None:
        self._kind = kind
        self._kept = kept
        self._seen: set[str] = set()

    def warn(self, thing: str, words: str) -> None:
        """Log `words`, if nothing was said of `thing` before.

        Both may come from a peer: what is no plain text in them is escaped.
        """
        thing = thing[:_SHOWN]
        if thing in self._seen or len(self._seen) > self._kept:
            return
        self._seen.add(thing)
        if len(self._seen) > self._kept:
            words = f"{self._kept} different {self._kind} were refused: no more of them are logged"
        log.warning("%s", escape(redact(words[:_SHOWN])))
