"""What the site shows of a docstring."""

from __future__ import annotations

import inspect

from rhtmx.api.client import Client
from website.shown import shown

TEXT = """A thing.

Args:
    part: of it,
        in two lines.

    other: of it.

Raises:
    ValueError: it is none.

Example:
    >>> Thing()
"""


def test_an_example_is_a_section_that_griffe_shows_as_code() -> None:
    assert shown(TEXT) == TEXT.replace("Example:", "Examples:")


def test_an_example_within_a_line_stays() -> None:
    assert shown("Example: one. As in this Example:") == "Example: one. As in this Example:"


def test_what_something_else_makes_is_shown_without_its_arguments_and_with_all_else() -> None:
    text = shown(TEXT, made=True)
    assert text.startswith("A thing.\n\nRaises:\n    ValueError: it is none.\n\nExamples:")


def test_a_real_class_keeps_what_is_for_its_users() -> None:
    text = inspect.getdoc(Client)
    assert text is not None
    assert "session: what decides" in text
    assert "session: what decides" not in shown(text, made=True)
    assert shown(text, made=True).startswith("A client of one server. Made by `connect`")
