"""The limits of the wire, the same in both clients.

Knows numbers and names only. Must not know any format.
"""

from __future__ import annotations

__all__ = ["FORBIDDEN_KEYS", "MAX_DEPTH", "MAX_INTEGER", "MAX_NAME", "MAX_TOKEN", "MIN_INTEGER"]

MAX_INTEGER = 2**53 - 1
"""Largest protocol integer, either sign: what a JavaScript number holds exactly."""

MIN_INTEGER = -MAX_INTEGER
"""The smallest."""

MAX_DEPTH = 32
"""Lists and objects inside each other, in one embedded JSON value."""

FORBIDDEN_KEYS = frozenset({"__proto__", "constructor", "prototype"})
"""Keys that reach an object's prototype in JavaScript."""

MAX_NAME = 255
"""Bytes in an entity, an id, a field's or form's name, a client or request id."""

MAX_TOKEN = 4096
"""Bytes in a token. It has to stay well below what lies on the way refuses without a
word: gRPC libraries begin at 8 KiB of metadata, some of them by chance (grpcio 1.85
between 8 and 16 KiB)."""
