"""The page about speed: its tables are those of the run that is kept beside it."""

from __future__ import annotations

import json

import pytest

from benchmarks.document import FIGURES, PAGE, fill
from benchmarks.support.figures import Table

PLACE = "Before.\n<!-- some: A question -->\nold\n<!-- end -->\nAfter.\n"


def figures() -> dict[str, object]:
    table = Table("A question", "1/s")
    table.add("a case", "rhtmx", 10.0)
    table.add("a case", "a peer", 5.0)
    machine = {"versions": {"ws": "8.0", "NATS": "2.1"}}
    return {"some": {"machine": machine, "tables": [table.as_json()]}}


def test_a_table_comes_into_its_place_and_the_rest_stays() -> None:
    page = fill(PLACE, figures())
    assert "| a case | rhtmx | 10 | 10 … 10 |  |\n|  | a peer | 5 | 5 … 5 | 2 (2 … 2) |" in page
    assert "old" not in page
    assert page.startswith("Before.\n")
    assert page.endswith("<!-- end -->\nAfter.\n")


def test_what_was_installed_is_listed_by_name() -> None:
    page = fill("<!-- versions -->\n<!-- end -->\n", figures())
    assert "\nNATS 2.1, ws 8.0.\n" in page


def test_filling_twice_changes_nothing_more() -> None:
    page = fill(PLACE, figures())
    assert fill(page, figures()) == page


@pytest.mark.parametrize("name", ["none: A question", "some: Another question"])
def test_a_place_for_a_table_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        fill(PLACE.replace("some: A question", name), figures())


def test_the_page_shows_the_figures_that_are_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, json.loads(FIGURES.read_text(encoding="utf-8"))) == page
