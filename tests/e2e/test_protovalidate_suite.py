"""Rules mean what they mean to protovalidate: by its own conformance suite."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest

from rhtmx.schema import checks
from tests.support.programs import chromium
from tests.support.protovalidate_suite import campaign as campaigns
from tests.support.protovalidate_suite.campaign import Report, campaign
from tests.support.protovalidate_suite.suite import MODULE, Case, build, cases, find

pytestmark = [
    pytest.mark.skipif(find() is None, reason=f"no {MODULE} in Go's cache: go mod download it"),
]

LEAST = 2_000


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    try:
        program = build(tmp_path_factory.mktemp("suite"), offline=True)
    except subprocess.CalledProcessError:
        pytest.skip("what the suite needs is not in Go's cache: run its campaign once")
    return list(cases(program))


@pytest.fixture(scope="module")
def report(suite: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Report:
    # Where there is no Chromium, only the test that asks it is skipped.
    return campaign(suite, tmp_path_factory.mktemp("campaign"), which("chromium") or "")


def test_generated_code_of_both_languages_agrees_with_the_suite(report: Report) -> None:
    assert report.different == []
    assert report.agreed >= LEAST


def test_both_languages_say_the_same_words(report: Report) -> None:
    assert report.words == []


def test_chromium_says_what_node_says(report: Report) -> None:
    chromium()
    assert report.apart == []
    assert report.browser >= LEAST


def test_each_other_message_is_refused_with_its_line(report: Report) -> None:
    assert report.placeless == []
    assert 0 < sum(report.refused.values()) < 20
    judged = report.agreed + report.erring + sum(report.refused.values())
    assert judged == 2_216


def test_a_check_that_is_wrong_is_noticed(
    suite: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks.Failure, "__init__", _other_code)
    monkeypatch.setattr(
        campaigns, "typescript_judges", lambda made, asked, *_: {"node": [[]] * len(asked)}
    )
    few = [each for each in suite if each.suite == "standard_rules/int32"]
    assert campaign(few, tmp_path).different != []


def _other_code(failure: checks.Failure, code: str, words: str, *shown: object) -> None:
    failure.code, failure.words, failure.shown = f"{code}_", words, shown
