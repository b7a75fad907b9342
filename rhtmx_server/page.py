"""Records that were read together, and what was made of them.

Knows that a page does not change. Must not know stores, formats, or how long a
page is kept.
"""

from __future__ import annotations

from rhtmx_server.model import Record

__all__ = ["Page"]


class Page(list[Record]):
    """A page that several readers may be sent: what encodes it leaves the bytes here.

    Attributes:
        encoded: the page as bytes, by the encoding that made them.
    """

    __slots__ = ("encoded",)

    def __init__(self, records: list[Record]) -> None:
        super().__init__(records)
        self.encoded: dict[object, bytes] = {}
