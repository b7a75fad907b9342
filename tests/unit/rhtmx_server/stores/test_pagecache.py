"""Pages that are read once for all who ask for the same."""

from __future__ import annotations

from collections.abc import Callable

from rhtmx_server.model import Clock, Record
from rhtmx_server.stores.pagecache import PageCache
from tests.unit.rhtmx_server.fakes import NOW, record


class Reads:
    """Makes reads of pages, and counts those that ran."""

    def __init__(self) -> None:
        self.ran: list[int] = []

    def __call__(self, version: int) -> Callable[[], list[Record]]:
        def read() -> list[Record]:
            self.ran.append(version)
            return [record(str(version), version)]

        return read


def test_a_page_that_is_asked_for_again_is_read_once_more_and_then_the_same_for_all() -> None:
    cache, reads = PageCache(), Reads()
    assert cache.get("a", reads(1)) == [record("1", 1)]
    kept = cache.get("a", reads(1))
    assert cache.get("a", reads(2)) is kept == [record("1", 1)]
    assert reads.ran == [1, 1]


def test_an_empty_page_is_kept_too() -> None:
    cache = PageCache()
    cache.get("a", list)
    assert cache.get("a", list) is cache.get("a", list)


def test_after_a_write_everything_is_read_anew() -> None:
    cache, reads = PageCache(), Reads()
    for version in (1, 1):
        cache.get("a", reads(version))
    cache.clear()
    assert cache.get("a", reads(2)) == [record("2", 2)]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache, reads = PageCache(kept_bytes=2_500), Reads()  # two pages of one small record
    for asked in ("a", "b", "c", "a", "b", "a", "c", "a", "b"):
        cache.get(asked, reads(ord(asked)))
    assert bytes(reads.ran) == b"abcabcb"


def test_a_page_that_weighs_too_much_is_given_out_and_not_kept() -> None:
    cache, reads = PageCache(kept_bytes=2_500), Reads()
    for version in (1, 1):
        cache.get("small", reads(version))
    for _ in range(3):
        assert len(cache.get("huge", lambda: [record("1", 1, b"x" * 3_000)])) == 1
    for version in (2, 2):
        cache.get("small", reads(version))
    assert reads.ran == [1, 1]


def test_records_that_are_read_by_field_weigh_more() -> None:
    clocks = {name: Clock(1, NOW) for name in "abcdefgh"}
    for page, kept in (([record("1", 1)], True), ([record("1", 1, clocks=clocks)], False)):
        cache = PageCache(kept_bytes=2_500)
        reads = [cache.get("a", page.copy) for _ in range(3)]
        assert (reads[1] is reads[2]) is kept


def test_what_is_asked_for_once_is_not_remembered_for_ever() -> None:
    cache, reads = PageCache(), Reads()
    for asked in range(2_000):
        cache.get(asked, reads(asked))
    first = cache.get(0, reads(0))
    assert cache.get(0, reads(0)) is not first
