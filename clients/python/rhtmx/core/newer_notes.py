"""Tells a developer what a newer server says that this client does not know.

Knows that each thing is told once. Must not know how it was found.
"""

from __future__ import annotations

import logging

__all__ = ["NewerNotes"]

log = logging.getLogger("rhtmx")

_MOST = 100
"""So much is told: it comes from outside."""


class NewerNotes:
    """What one client has been told. It is called with each note."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def __call__(self, where: str, what: str) -> None:
        """Tell it, unless it has been told.

        Args:
            where: its place.
            what: what it is.
        """
        if (where, what) in self._told or len(self._told) >= _MOST:
            return
        self._told.add((where, what))
        log.warning("the server is newer than this client: %s: %s", where, what)
