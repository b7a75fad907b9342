"""Facts about `rhtmx_server.names`."""

from __future__ import annotations

import pytest

from rhtmx_server.names import suggestion

FIELDS = ["email", "age", "first_name"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("emial", "email"), ("Email", "email"), ("firstname", "first_name"), ("ages", "age")],
)
def test_the_name_that_was_meant_is_suggested(name: str, meant: str) -> None:
    assert suggestion(name, FIELDS) == f": did you mean '{meant}'?"


@pytest.mark.parametrize("name", ["", "zzz", "é", "x" * 100_000])
def test_where_nothing_is_like_it_nothing_is(name: str) -> None:
    assert suggestion(name, FIELDS) == ""


def test_without_names_there_is_none_to_suggest() -> None:
    assert suggestion("email", []) == ""
