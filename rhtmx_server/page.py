"""Records that were read together, and what was made of them.

Knows that a page does not change. Must not know stores, formats, or how long a
page is kept.
"""

from __future__ import annotations

from typing import NamedTuple

from rhtmx.messages import FieldChange
from rhtmx_server.model import Record

__all__ = ["FieldFrames", "Page"]


class FieldFrames(NamedTuple):
    """The field changes of some records.

    Args:
        frames: all but the last as bytes, one after the other; each with `more`.
        number: how many those are.
        last: the last one, with `more`; `None` if there is none at all.
    """

    frames: bytes = b""
    number: int = 0
    last: FieldChange | None = None


class Page(list[Record]):
    """A page that several readers may be sent: what encodes it leaves the bytes here.

    Attributes:
        encoded: the page as bytes, by the encoding that made them.
        by_field: its field changes, with the version after which they were
            written; of one such version, as those who read the same pages began
            at the same one.
    """

    __slots__ = ("by_field", "encoded")

    def __init__(self, records: list[Record]) -> None:
        super().__init__(records)
        self.encoded: dict[object, bytes] = {}
        self.by_field: dict[object, tuple[int, FieldFrames]] = {}
