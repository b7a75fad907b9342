"""What a table decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhtmx.patterns.matching import matches
from rhtmx.patterns.pattern import compile_pattern
from tests.vectors.pattern_cases import TARGET, rendered

VECTORS: list[dict[str, Any]] = json.loads(TARGET.read_text(encoding="utf-8"))


def test_the_vectors_are_what_the_compiler_makes() -> None:
    assert TARGET.read_text(encoding="utf-8") == rendered(), "run tests.vectors.pattern_cases"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["pattern"][:40])
def test_a_pattern_matches_what_it_should(vector: dict[str, Any]) -> None:
    for expected, texts in ((True, vector["yes"]), (False, vector["no"])):
        assert [matches(vector["table"], each) for each in texts] == [expected] * len(texts)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(.*)*x", "(?:a|a)*b", "^(?:.*,){9}z", "x"])
def test_each_character_is_looked_at_once(pattern: str) -> None:
    """A text that would hold up whatever tries one way after the other."""
    table = compile_pattern(pattern).table
    assert not matches(table, "a" * 50_000 + "!")


def test_a_text_of_characters_from_everywhere_is_judged() -> None:
    some = "".join(chr(point) for point in range(0x10FFFF, 0, -97))
    assert not compile_pattern("[[:cntrl:]]{2}").matches(some)
    assert compile_pattern(r"\x{10FFFF}.*\x{10FF9E}").matches(some)


def test_half_a_surrogate_pair_is_a_character_of_its_own() -> None:
    assert compile_pattern("^.$").matches("\ud800")
    assert compile_pattern(r"^\x{D800}$").matches("\ud800")
