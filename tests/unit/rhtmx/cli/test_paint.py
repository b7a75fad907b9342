"""Facts about `rhtmx.cli.paint`."""

from __future__ import annotations

import pytest

from rhtmx.cli.paint import Paint, wanted


@pytest.mark.parametrize(
    ("terminal", "environ", "colours"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_whose_owner_does_not_mind(
    terminal: bool, environ: dict[str, str], colours: bool
) -> None:
    assert wanted(terminal, environ) is colours


def test_a_colour_ends_where_the_text_does() -> None:
    assert Paint(True)("red", "✗") == "\x1b[31m✗\x1b[0m"
    assert Paint(False)("red", "✗") == "✗"
