"""Random rules of CEL, in Python and in TypeScript: a short run of the campaign."""

import pytest

from tests.support import cel_judges, programs


def test_both_languages_judge_random_rules_alike(capsys: pytest.CaptureFixture[str]) -> None:
    programs.node("esbuild")
    assert cel_judges.main(["--rules", "300", "--records", "12", "--seed", "15"]) == 0
    assert "0 differ" in capsys.readouterr().out
