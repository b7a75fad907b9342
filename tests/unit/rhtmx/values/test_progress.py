"""Facts about `rhtmx.values.progress`."""

from __future__ import annotations

from rhtmx.values.progress import Progress


def test_it_is_a_fraction_of_what_is_expected() -> None:
    assert Progress(30, 300).fraction == 0.1
    assert Progress(0, 0).fraction == 1.0
