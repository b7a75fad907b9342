"""What is remembered of rows that cannot become records."""

from __future__ import annotations

from rhtmx_server.mirror.outcomes import MOST_REJECTED, Reconciled, RejectedRows


def test_a_rejected_row_is_news_once_and_forgotten_when_it_is_right() -> None:
    rows = RejectedRows()
    assert rows.take({"1": "too long", "2": None}) == {"1": "too long"}
    assert rows.take({"1": "too long"}) == {}
    assert rows.take({"1": "too short"}) == {"1": "too short"}
    assert rows.reasons == {"1": "too short"}
    assert rows.take({"1": None}) == {}
    assert rows.reasons == {}


def test_no_more_than_so_many_are_remembered() -> None:
    rows = RejectedRows()
    rows.take({str(number): "wrong" for number in range(MOST_REJECTED + 5)})
    assert len(rows.reasons) == MOST_REJECTED


def test_what_was_found_is_said_in_words() -> None:
    found = Reconciled("orders", rows=9, added=1, changed=2, removed=3)
    assert found.differences == 6
    assert "orders: 9 rows; records that were missing: 1" in str(found)
