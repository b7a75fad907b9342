from __future__ import annotations

from collections.abc import Iterator

from rhtmx.messages import ChangeAction
from rhtmx_server.model import Record
from rhtmx_server.stores.paging import cut


def records(*sizes: int) -> Iterator[Record]:
    for version, size in enumerate(sizes, 1):
        data = b"x" * size or None
        yield Record("tasks", str(version), version, ChangeAction.UPDATE, data, None, 0)


def lengths(page: list[Record]) -> list[int]:
    return [len(record.data or b"") for record in page]


def test_everything_that_fits_is_one_page() -> None:
    assert lengths(cut(records(4, 3, 3), 10)) == [4, 3, 3]


def test_a_page_ends_before_the_record_that_does_not_fit() -> None:
    assert lengths(cut(records(4, 3, 4, 1), 10)) == [4, 3]


def test_the_first_record_is_taken_whatever_its_size() -> None:
    assert lengths(cut(records(11, 1), 10)) == [11]


def test_records_without_data_weigh_nothing() -> None:
    assert lengths(cut(records(10, 0, 0), 10)) == [10, 0, 0]


def test_no_record_beyond_the_first_that_does_not_fit_is_read() -> None:
    rest = records(6, 6, 6)
    cut(rest, 10)
    assert lengths(list(rest)) == [6]


def test_nothing_makes_an_empty_page() -> None:
    assert cut([], 10) == []
