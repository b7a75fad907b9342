"""Facts about `rhtmx_server.access.scopes`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.rules import MOST_PARTS
from rhtmx_server.access.scopes import given_parts, scope_id
from rhtmx_server.failures import MisuseError

DOCS = Partitions([["project"], ["project", "open"]])
RED = '{"project":"red"}'


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        (True, {"{}"}),
        (False, set()),
        (None, set()),
        ([], set()),
        ({"project": []}, set()),
        ({"project": "red"}, {RED}),
        ({"project": {"red"}}, {RED}),
        ({"project": ("red", 7)}, {RED, '{"project":7}'}),
        (
            [{"project": "red"}, {"project": "a", "open": True}],
            {RED, '{"open":true,"project":"a"}'},
        ),
    ],
)
def test_a_function_of_the_program_names_parts(answer: Any, keys: set[str]) -> None:
    assert {part.key for part in given_parts("docs", answer, DOCS)} == keys


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("red", "returned str: return fields with their values"),
        ([True], "returned bool"),
        ({}, "returned dict"),
        (1, "returned int"),
        ({"owner": "ada"}, r"partition=\[\['project'\], \['open', 'project'\], \['owner'\]\]"),
        ({"open": True}, "is not divided so"),
        ({"project": None}, "a value that no part has"),
        ({"project": [["red"]]}, "a value that no part has"),
        ({"project": object()}, "a value that no part has"),
        ({"project": range(3)}, "a value that no part has"),
        ({"project": [str(n) for n in range(MOST_PARTS + 1)]}, "returned more than 1000 parts"),
    ],
)
def test_what_names_no_parts_is_a_fault_of_the_program(answer: Any, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        given_parts("docs", answer, DOCS)


def test_scopes_have_one_name_only_if_they_are_equal_and_divided_alike() -> None:
    one, two = frozenset({RED}), frozenset({RED, '{"project":7}'})
    names = {scope_id(one, "a"), scope_id(two, "a"), scope_id(one, "b"), scope_id(frozenset(), "a")}
    assert len(names) == 4
    assert scope_id(frozenset(two), "a") in names
    assert scope_id(None, "a") is None
