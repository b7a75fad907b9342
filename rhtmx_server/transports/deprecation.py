"""How the old endpoints say that they are old.

Knows the headers for programs and the warning for the server's log. Must not
know what the endpoints do.
"""

from __future__ import annotations

import logging

__all__ = ["HEADERS", "Notice"]

log = logging.getLogger("rhtmx_server")

SINCE = 1_795_392_000
"""When `/api/ws` took their place: 2026-11-23, in seconds since 1970."""

HEADERS = (
    ("Deprecation", f"@{SINCE}"),
    ("Link", '</api/ws>; rel="successor-version"'),
)
"""RFC 9745 (Deprecation) and RFC 5829 (the relation type of the link)."""

REMEMBERED = 1024
"""Client addresses that are remembered; beyond that the oldest is forgotten."""


class Notice:
    """Warns once for each client that still uses an old endpoint.

    Args:
        path: the endpoint.
        remembered: how many client addresses to remember.
    """

    def __init__(self, path: str, remembered: int = REMEMBERED) -> None:
        self._path = path
        self._remembered = remembered
        self._warned: dict[str, None] = {}

    def used(self, address: str) -> None:
        """Take note of a client that uses the endpoint."""
        if address in self._warned:
            return
        self._warned[address] = None
        if len(self._warned) > self._remembered:
            del self._warned[next(iter(self._warned))]
        log.warning(
            "%s is deprecated, and %s still uses it: /api/ws takes its place (docs/migration.md)",
            self._path,
            address,
        )
