"""Pages that are read once for all who ask for the same."""

from __future__ import annotations

from collections.abc import Callable

from rhtmx_server.model import Record
from rhtmx_server.stores.pagecache import PageCache
from tests.unit.rhtmx_server.fakes import record


class Reads:
    """Makes reads of pages, and counts those that ran."""

    def __init__(self) -> None:
        self.ran: list[int] = []

    def __call__(self, version: int) -> Callable[[], list[Record]]:
        def read() -> list[Record]:
            self.ran.append(version)
            return [record(str(version), version)]

        return read


def test_a_page_is_read_once_and_is_the_same_object_for_all() -> None:
    cache, reads = PageCache(), Reads()
    first = cache.get("a", reads(1))
    assert first == [record("1", 1)]
    assert cache.get("a", reads(2)) is first
    assert reads.ran == [1]


def test_an_empty_page_is_kept_too() -> None:
    cache = PageCache()
    assert cache.get("a", list) is cache.get("a", list)


def test_after_a_write_everything_is_read_anew() -> None:
    cache, reads = PageCache(), Reads()
    cache.get("a", reads(1))
    cache.clear()
    assert cache.get("a", reads(2)) == [record("2", 2)]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache, reads = PageCache(kept=2), Reads()
    for asked in ("a", "b", "a", "c", "a", "b"):
        cache.get(asked, reads(ord(asked)))
    assert bytes(reads.ran) == b"abcb"


def test_what_an_encoding_made_of_a_page_stays_with_it() -> None:
    page = PageCache().get("a", Reads()(1))
    page.encoded["json"] = b"frames"
    assert page.encoded == {"json": b"frames"}
    assert PageCache().get("a", Reads()(1)).encoded == {}
