"""Patterns mean what they mean to Go, whose `regexp` is RE2's syntax."""

from __future__ import annotations

import json

import pytest

from tests.support.patterns_go import tables
from tests.support.patterns_go.campaign import MOST_MILLISECONDS, campaign
from tests.support.patterns_go.go import go, run
from tests.vectors.pattern_cases import PATTERNS

pytestmark = pytest.mark.skipif(go() is None, reason="no go: install Go 1.25 or later")

PATTERNS_TRIED = 300


def test_random_patterns_match_in_both_languages_what_they_match_in_go() -> None:
    result = campaign(PATTERNS_TRIED, seed=2)
    assert result.differences == []
    assert result.counts["patterns compared"] > PATTERNS_TRIED / 2
    matching = result.counts["verdicts that it matches"] / result.counts["verdicts"]
    assert 0.3 < matching < 0.9
    # Four times as long as it may take: a test does not measure. The campaign does.
    assert max(result.python, result.typescript) < 4 * MOST_MILLISECONDS


def test_go_agrees_with_the_vectors() -> None:
    asked = [{"pattern": each.pattern, "texts": [*each.yes, *each.no]} for each in PATTERNS]
    said = run("matcher.go", "".join(json.dumps(each) + "\n" for each in asked))
    verdicts = [json.loads(line)["verdicts"] for line in said.splitlines()]
    assert verdicts == ["1" * len(each.yes) + "0" * len(each.no) for each in PATTERNS]


def test_what_is_known_of_characters_is_what_go_knows() -> None:
    known = tables.module()
    assert tables.TARGET.read_text(encoding="utf-8") == known, "another version of Unicode"
