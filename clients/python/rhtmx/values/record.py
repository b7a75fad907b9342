"""A record as it is shown.

Knows its value, and that this need not be read from its text before somebody asks for it, nor
kept for long. Must not know where records come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

from rhtmx.values.json_value import Data, from_json

__all__ = ["Record", "TextRecord", "same"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Record(Generic[Data]):
    """A record as it is shown. Do not change its `data`: write to the collection instead.

    `Record[Task]` is one whose data is said to be a `Task`; see `Client.collection`.

    Attributes:
        id: the record.
        data: the whole of it, own writes included.
        version: the newest one that is in it; 0 if the server does not have it yet.
        pending: own writes in it wait for the server.
    """

    id: str
    data: Data
    version: int
    pending: bool

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.id, self.version, self.pending))

    def __repr__(self) -> str:
        said = (f"{self.id!r}", f"data={self.data!r}", f"version={self.version}")
        return f"Record(id={', '.join(said)}, pending={self.pending})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Record, self._values()

    def _values(self) -> tuple[str, Data, int, bool]:
        return self.id, self.data, self.version, self.pending


_DATA: Any = Record.__dict__["data"]
"""Where a record keeps its data: the place, which `TextRecord` shows by another way."""

_MOST_READ = 2 * 1024 * 1024
"""Data stays of so many bytes of text at least, and of twice as many at most."""


class TextRecord(Record[Any]):
    """A record whose data is read from its text when somebody asks for it.

    Of 100,000 that are held few may ever be looked at, and data takes two times the memory of
    its text, which is held anyway. So data stays with the records that were looked at last
    (`_MOST_READ`), and is read anew for others: 1 µs for 130 bytes.

    Args:
        id: the record.
        data: its data as JSON, in bytes, which no JSON value is; or as it is, as
            `dataclasses.replace` has it.
        version: the newest one that is in it.
        pending: own writes in it wait for the server.
    """

    __slots__ = ()

    def __init__(
        self,
        id: str,  # noqa: A002 (as `Record` has it)
        data: Any,
        version: int,
        pending: bool,
    ) -> None:
        put = object.__setattr__
        put(self, "id", id)
        put(self, "version", version)
        put(self, "pending", pending)
        _DATA.__set__(self, data)

    @property
    def data(self) -> Any:
        """The whole of it."""
        data = _DATA.__get__(self)
        if isinstance(data, bytes):
            text, data = data, from_json(data)
            _DATA.__set__(self, data)
            _recent.add(self, text)
        return data

    @property
    def text(self) -> bytes | None:
        """Its data as JSON, unless somebody has just asked for that."""
        data = _DATA.__get__(self)
        return data if isinstance(data, bytes) else None


class _Recent:
    """The records that have their data; the others have their text again.

    In two lots: when the newer one is full, those of the older one go. Records may be handed to
    any thread. Nothing here is locked: what two threads may spoil is when a record goes.

    Args:
        most: bytes of text of one lot; the last one of it may have any.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._newer: list[tuple[TextRecord, bytes]] = []
        self._older: list[tuple[TextRecord, bytes]] = []

    def add(self, record: TextRecord, text: bytes) -> None:
        """A record has its data now, in the place of this text."""
        self._newer.append((record, text))
        self._bytes += len(text)
        if self._bytes > self._most:
            going, self._older, self._newer = self._older, self._newer, []
            self._bytes = 0
            for each, text in going:
                _DATA.__set__(each, text)


_recent = _Recent(_MOST_READ)


def same(one: Record, other: Record) -> bool:
    """Whether two records show the same, to the digit: to `==`, 1 and True are equal."""
    if (one.version, one.pending) != (other.version, other.pending):
        return False
    if _text(one) is not None and _text(one) == _text(other):
        return True
    return bool(one.data == other.data) and repr(one.data) == repr(other.data)


def _text(record: Record) -> bytes | None:
    return record.text if isinstance(record, TextRecord) else None
