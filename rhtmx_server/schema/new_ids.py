"""Ids that the server gives to records.

Knows the clock and chance of this process. Must not know what gets an id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import SystemRandom

from rhtmx.values.uuid7 import uuid7

__all__ = ["new_id"]

_random = SystemRandom().random


def new_id() -> str:
    """Make a UUID of version 7."""
    return uuid7(datetime.now(UTC), _random)
