"""The words in which the schema is described: kinds, labels, directions, places.

Knows names only. Must not know messages.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Direction", "Kind", "Label", "Location"]


class Kind(enum.Enum):
    """What one value of a field is."""

    STRING = "string"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    BYTES = "bytes"
    JSON = "json"
    """A `bytes` field with the `json` option: one JSON value as UTF-8."""
    ENUM = "enum"
    MESSAGE = "message"
    TIME = "time"
    """A `google.protobuf.Timestamp`."""
    UNSUPPORTED = "unsupported"
    """Anything else; the rules refuse it."""


class Label(enum.Enum):
    """How many values a field has."""

    PLAIN = "plain"
    """Exactly one, never absent; protobuf leaves out its zero value."""
    OPTIONAL = "optional"
    """One or none. Message and time fields are optional unless `required`."""
    REQUIRED = "required"
    """A message or time field that must be present in both wire formats."""
    REPEATED = "repeated"
    MAP = "map"
    """String keys; `Field.kind` is the kind of the values."""


class Direction(enum.Enum):
    """Who may send an envelope case."""

    UNSPECIFIED = 0
    CLIENT = 1
    SERVER = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a `.proto` file: path as the user sees it, line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
