"""Figures: medians, and ratios that are taken round by round."""

from __future__ import annotations

import pytest

from benchmarks.support.figures import Scale, Table, ratios, short


def table() -> Table:
    made = Table("A question", "1/s")
    for ours, theirs in ((10.0, 5.0), (30.0, 10.0), (20.0, 20.0)):
        made.add("a case", "rhtmx", ours)
        made.add("a case", "a peer", theirs)
    return made


def test_a_row_has_the_median_and_what_the_rounds_lay_between() -> None:
    ours, _ = table().rows()
    assert (ours.spread.median, ours.spread.low, ours.spread.high) == (20.0, 10.0, 30.0)
    assert ours.ratio is None


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_medians() -> None:
    _, peer = table().rows()
    assert peer.ratio is not None
    assert (peer.ratio.median, peer.ratio.low, peer.ratio.high) == (2.0, 1.0, 3.0)


def test_rounds_that_have_no_counterpart_make_no_ratio() -> None:
    uneven = table()
    uneven.add("a case", "a peer", 1.0)
    assert [row.ratio for row in uneven.rows()] == [None, None]


def test_the_columns_name_a_case_once() -> None:
    text = table().as_text()
    assert text.count("a case") == 1
    assert "2 (1 … 3)" in text


@pytest.mark.parametrize(
    ("value", "text"), [(1_234_567.0, "1,230,000"), (0.01234, "0.0123"), (42.0, "42"), (0.0, "0")]
)
def test_a_figure_keeps_three_digits(value: float, text: str) -> None:
    assert short(value) == text


def test_a_small_ratio_does_not_become_nothing() -> None:
    assert ratios({"median": 0.00312, "low": 0.002, "high": 1234.5}) == "0.0031 (0.002 … 1,234)"


def test_a_smoke_run_takes_the_tiny_size() -> None:
    assert (Scale().pick(500, 5), Scale(smoke=True).pick(500, 5)) == (500, 5)
