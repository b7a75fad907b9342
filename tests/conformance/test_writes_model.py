"""Whatever happens, what several write together is right, once, and never seen by halves.

300 lives of a server and those who write to it (`tests.support.writes_life` says what happens in
one): operations, plain values of older clients, transactions over records and entities, sent
again and again, cut, restarted and restored.

A campaign: `python -m tests.support.writes_life --seeds 10000`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rhtmx.core.early_news import EarlyNews
from tests.support.writes_clients import CoreClient
from tests.support.writes_life import live
from tests.support.writes_server import CHANGE_BY_CHANGE, LAST_WRITE_WINS, TWICE

SEEDS, SHARES = 300, 4


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_written_together_is_exact_and_seen_together(share: int) -> None:
    looks = 0
    for seed in range(share, SEEDS, SHARES):
        try:
            life = live(seed)
        except Exception as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure
        looks += sum(each.looks for each in life.clients if isinstance(each, CoreClient))
    assert looks > SEEDS, "somebody looks all the time"


def test_a_life_is_replayed_by_its_seed_alone() -> None:
    """The order of a set is another one in each process: nothing depends on it."""
    command = [sys.executable, "-m", "tests.support.writes_life", "--show", "--seeds=10"]
    told = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": order},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for order in ("0", "2")
    }
    assert len(told) == 1


def wrong(fault: str, words: str) -> int:
    """How many lives end wrongly in these words."""
    found = 0
    for seed in range(60):
        try:
            live(seed, fault)
        except AssertionError as error:
            found += words in str(error)
    return found


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (LAST_WRITE_WINS, "('orders', 'c')"),
        (TWICE, "and not"),
        (CHANGE_BY_CHANGE, "sees a half"),
    ],
)
def test_a_server_with_this_fault_is_found_out(fault: str, words: str) -> None:
    """The controls: the lives above would notice."""
    assert wrong(fault, words) >= 3


def test_a_client_that_shows_what_comes_when_it_comes_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EarlyNews, "keeps", lambda self, entity, news: False)
    assert wrong("", "sees a half") >= 3
