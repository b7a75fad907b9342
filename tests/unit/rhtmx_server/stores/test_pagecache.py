"""Pages that are read once for all who ask for the same."""

from __future__ import annotations

from collections.abc import Hashable

from rhtmx_server.model import Clock, Record
from rhtmx_server.stores.pagecache import PageCache
from tests.unit.rhtmx_server.fakes import NOW, record


class Reads:
    """Reads pages through a cache, and notes which were not there."""

    def __init__(self, cache: PageCache) -> None:
        self.cache = cache
        self.ran: list[int] = []

    def __call__(self, asked: Hashable, version: int) -> list[Record]:
        page = self.cache.get(asked)
        if page is not None:
            return page
        self.ran.append(version)
        return self.cache.put(asked, [record(str(version), version)])


def test_a_page_that_is_asked_for_again_is_read_once_more_and_then_the_same_for_all() -> None:
    cache = PageCache()
    reads = Reads(cache)
    assert reads("a", 1) == [record("1", 1)]
    kept = reads("a", 1)
    assert reads("a", 2) is kept == [record("1", 1)]
    assert reads.ran == [1, 1]


def test_an_empty_page_is_kept_too() -> None:
    cache = PageCache()
    for _ in range(2):
        assert cache.get("a") is None
        kept = cache.put("a", [])
    assert cache.get("a") is kept == []


def test_after_a_write_everything_is_read_anew() -> None:
    cache = PageCache()
    reads = Reads(cache)
    for version in (1, 1):
        reads("a", version)
    cache.clear()
    assert reads("a", 2) == [record("2", 2)]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache = PageCache(kept_bytes=2_500)  # two pages of one small record
    reads = Reads(cache)
    for asked in ("a", "b", "c", "a", "b", "a", "c", "a", "b"):
        reads(asked, ord(asked))
    assert bytes(reads.ran) == b"abcabcb"


def test_a_page_that_weighs_too_much_is_given_out_and_not_kept() -> None:
    cache = PageCache(kept_bytes=2_500)
    reads = Reads(cache)
    for version in (1, 1):
        reads("small", version)
    for _ in range(3):
        assert cache.get("huge") is None
        assert len(cache.put("huge", [record("1", 1, b"x" * 3_000)])) == 1
    for version in (2, 2):
        reads("small", version)
    assert reads.ran == [1, 1]


def test_records_that_are_read_by_field_weigh_more() -> None:
    clocks = {name: Clock(1, NOW) for name in "abcdefgh"}
    for page, kept in (([record("1", 1)], True), ([record("1", 1, clocks=clocks)], False)):
        cache = PageCache(kept_bytes=2_500)
        for _ in range(2):
            cache.put("a", page.copy())
        assert (cache.get("a") is not None) is kept


def test_what_is_asked_for_once_is_not_remembered_for_ever() -> None:
    cache = PageCache()
    reads = Reads(cache)
    for asked in range(2_000):
        reads(asked, asked)
    first = reads(0, 0)
    assert reads(0, 0) is not first
