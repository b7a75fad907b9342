"""Whole records, or their fields one by one. Knows nothing else."""

from __future__ import annotations

import enum

__all__ = ["Granularity"]


class Granularity(enum.Enum):
    """How an entity is read."""

    RECORDS = "records"
    FIELDS = "fields"
