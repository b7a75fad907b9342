"""A record as it is shown.

Knows its value, and that this need not be read from its text before somebody asks for it. Must
not know where records come from.
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


class TextRecord(Record[Any]):
    """A record whose data is read from its text when somebody asks for it, and then stays.

    Of 100,000 that are held few may ever be looked at, and data takes two times the memory of
    its text, which is held anyway.

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
            data = from_json(data)
            _DATA.__set__(self, data)
        return data

    @property
    def text(self) -> bytes | None:
        """Its data as JSON, as long as nobody has asked for that."""
        data = _DATA.__get__(self)
        return data if isinstance(data, bytes) else None


def same(one: Record, other: Record) -> bool:
    """Whether two records show the same, to the digit: to `==`, 1 and True are equal."""
    if (one.version, one.pending) != (other.version, other.pending):
        return False
    if _text(one) is not None and _text(one) == _text(other):
        return True
    return bool(one.data == other.data) and repr(one.data) == repr(other.data)


def _text(record: Record) -> bytes | None:
    return record.text if isinstance(record, TextRecord) else None
