"""Whatever happens, what several write together is right, once, and never seen by halves.

300 lives of a server and those who write to it (`tests.support.writes_life` says what happens in
one): operations, plain values of older clients, transactions over records and entities, sent
again and again, cut, restarted and restored. Some of those who write are the core of the Python
client; in 40 lives, once more, they are that of the TypeScript client.

A campaign: `python -m tests.support.writes_life --seeds 10000`, with `--typescript` for that core.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import pytest

from rhtmx.core.early_news import EarlyNews
from tests.support.parts_typescript import Program
from tests.support.writes_clients import CoreClient
from tests.support.writes_life import Core, live
from tests.support.writes_server import CHANGE_BY_CHANGE, LAST_WRITE_WINS, TWICE
from tests.support.writes_typescript import SOURCE, TypeScriptClient

SEEDS, SHARES = 300, 4
TYPESCRIPT_SEEDS = 40


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """The program of the clients in TypeScript."""
    program = Program(SOURCE)
    yield program
    program.close()


def all_live(seeds: range, core: Core) -> None:
    """Live these lives; says which one ends wrongly."""
    looks = 0
    for seed in seeds:
        try:
            life = live(seed, core=core)
        except Exception as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure
        looks += sum(each.looks for each in life.clients)
    assert looks > len(seeds), "somebody looks all the time"


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_written_together_is_exact_and_seen_together(share: int) -> None:
    all_live(range(share, SEEDS, SHARES), CoreClient)


def test_so_it_is_by_the_typescript_client(program: Program) -> None:
    all_live(range(TYPESCRIPT_SEEDS), partial(TypeScriptClient, program))


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
