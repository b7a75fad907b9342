"""Whatever happens, everybody holds what they may see of an entity, and is told nothing else.

2,000 lives of a server and three readers of parts of its entity (`tests.support.parts_life`
says what happens in one). A campaign: `python -m tests.support.parts_life --seeds 100000`.
"""

from __future__ import annotations

import pytest

from tests.support.parts_life import live
from tests.support.parts_server import LIVE_ONLY, NO_DEPARTURES

SEEDS, SHARES = 2_000, 8


@pytest.mark.parametrize("share", range(SHARES))
def test_everybody_ends_with_what_they_may_see_and_is_told_nothing_else(share: int) -> None:
    for seed in range(share, SEEDS, SHARES):
        try:
            live(seed)
        except Exception as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure


@pytest.mark.parametrize("fault", [LIVE_ONLY, NO_DEPARTURES])
def test_a_server_that_tells_less_is_found_out(fault: str) -> None:
    found = 0
    for seed in range(100):
        try:
            live(seed, fault)
        except AssertionError:
            found += 1
    assert found >= 3, "this model would not notice"
