"""Facts about `rhtmx.cli.progress_line`."""

from __future__ import annotations

import pytest

from rhtmx.cli.progress_line import ProgressLine
from rhtmx.values.progress import Progress
from tests.unit.rhtmx.cli.screens import Screen


def test_on_a_terminal_a_line_is_replaced_as_a_percent_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Screen()
    monkeypatch.setattr(screen.err, "isatty", lambda: True)
    line = ProgressLine(screen.output, "tasks")
    for received in (12_300, 12_301, 100_000):
        line.show(Progress(received, 100_000))
    first, last = "tasks: 12,300 of 100,000 (12 %)", "tasks: 100,000 of 100,000 (100 %)"
    assert screen.err.getvalue() == f"\r{first}\r{last}"
    line.clear()
    assert screen.err.getvalue() == f"\r{first}\r{last}\r{' ' * len(last)}\r"


def test_where_nobody_watches_nothing_is_said() -> None:
    screen = Screen()
    line = ProgressLine(screen.output, "tasks")
    line.show(Progress(1, 2))
    line.clear()
    assert screen.err.getvalue() == ""


def test_a_load_of_which_nothing_was_shown_leaves_the_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Screen()
    monkeypatch.setattr(screen.err, "isatty", lambda: True)
    ProgressLine(screen.output, "tasks").clear()
    assert screen.err.getvalue() == ""
