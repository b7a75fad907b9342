"""A record as the program of the server reads it.

Knows what is stored of a record. Must not know who reads it, nor where it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from rhtmx.values.json_value import Data, from_json
from rhtmx_server.model import Record
from rhtmx_server.times import to_datetime

__all__ = ["StoredRecord"]


@dataclass(frozen=True, slots=True)
class StoredRecord(Generic[Data]):
    """A record as it is stored: durable, and the same for everybody who may see it.

    Attributes:
        id: the record.
        data: the whole of it.
        version: the commit that wrote it last; pass it as `base_version` of a write that builds
            on what was read.
        client_id: who wrote it last, if known.
        written_at: when that was committed, by the server's clock.

    Example:
        >>> row = await app.collection("orders").get("1")
        >>> row.id, row.data, row.version
        ('1', {'goods': 'tea', 'count': 2}, 1)
    """

    id: str
    data: Data
    version: int
    client_id: str | None
    written_at: datetime

    @classmethod
    def of(cls, record: Record) -> StoredRecord[Data]:
        """Make it from the record."""
        return cls(
            record.entity_id,
            from_json(record.data),
            record.version,
            record.client_id,
            to_datetime(record.time),
        )
