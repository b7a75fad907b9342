"""The client does, step by step, what the scenarios of both languages say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scenario import Play, scenarios

SCENARIOS = dict(scenarios())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_holds(name: str) -> None:
    play = Play()
    for number, step in enumerate(SCENARIOS[name], 1):
        try:
            play.step(step)
        except AssertionError as error:
            error.add_note(f"in step {number}: {step}")
            raise


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 33


@pytest.mark.parametrize(
    "wrong",
    [
        {"sends": [{"type": "ping"}]},
        {"shows": {"1": 1}},
        {"waiting": []},
        {"state": "open"},
        {"rejected": ["a"]},
        {"conflicts": [{}]},
        {"outcome": {"a": {"version": 1}}},
    ],
    ids=lambda step: next(iter(step)),
)
def test_what_is_seen_can_be_wrong(wrong: dict[str, Any]) -> None:
    play = Play()
    play.step({"open": "records"})
    play.step({"set": {"id": "1", "data": 2}, "as": "a"})
    with pytest.raises(AssertionError):
        play.step(wrong)
