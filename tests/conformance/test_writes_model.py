"""Whatever happens, what several write together is right, once, and never seen by halves.

300 lives of a server and those who write to it (`tests.support.writes_life` says what happens in
one): operations, plain values of older clients, transactions over records and entities, sent
again and again, cut, restarted and restored. Some of those who write are the core of the Python
client; in 40 lives, once more, they are that of the TypeScript client.

In 100 more lives a schema declares the entities, with each merge strategy and with rules of values.

A campaign: `python -m tests.support.writes_life --seeds 10000`, with `--typescript` for that core,
and `--schema` for entities of a schema.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

import pytest

from rhtmx.core.early_news import EarlyNews
from rhtmx_server.access.guard import Guard
from rhtmx_server.trackers.policy import Policy
from tests.support import writes_server
from tests.support.parts_typescript import Program
from tests.support.writes_clients import CoreClient
from tests.support.writes_life import Core, live
from tests.support.writes_schema import VARIANTS, declared_by_schema
from tests.support.writes_server import CHANGE_BY_CHANGE, LAST_WRITE_WINS, TWICE
from tests.support.writes_typescript import SOURCE, TypeScriptClient

SEEDS, SHARES = 300, 4
SCHEMA_SEEDS = 100
TYPESCRIPT_SEEDS = 40


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """The program of the clients in TypeScript."""
    program = Program(SOURCE)
    yield program
    program.close()


def all_live(seeds: range, core: Core, *, by_schema: bool = False) -> None:
    """Live these lives; says which one ends wrongly."""
    looks = 0
    for seed in seeds:
        try:
            life = live(seed, core=core, by_schema=by_schema)
        except Exception as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure
        looks += sum(each.looks for each in life.clients)
    assert looks > len(seeds), "somebody looks all the time"


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_written_together_is_exact_and_seen_together(share: int) -> None:
    all_live(range(share, SEEDS, SHARES), CoreClient)


def test_so_it_is_by_the_typescript_client(program: Program) -> None:
    all_live(range(TYPESCRIPT_SEEDS), partial(TypeScriptClient, program))


@pytest.mark.parametrize("share", range(2))
def test_so_it_is_of_entities_that_a_schema_declares(share: int) -> None:
    all_live(range(share, SCHEMA_SEEDS, 2), CoreClient, by_schema=True)


def test_so_it_is_of_those_by_the_typescript_client(program: Program) -> None:
    core = partial(TypeScriptClient, program)
    all_live(range(TYPESCRIPT_SEEDS // 2), core, by_schema=True)


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


Made: TypeAlias = tuple[Mapping[str, Policy | None], Mapping[str, Guard]]


def other_strategies(variant: int) -> Made:
    return declared_by_schema((variant + 1) % VARIANTS)[0], declared_by_schema(variant)[1]


def no_rules(variant: int) -> Made:
    return declared_by_schema(variant)[0], {}


def no_rules_for_what_loses(variant: int) -> Made:
    merges, guards = declared_by_schema(variant)
    return merges, {name: Guard(judge=guard.judge) for name, guard in guards.items()}


@pytest.mark.parametrize(
    ("makes", "seeds"),
    [
        (other_strategies, range(60)),
        (no_rules, range(60)),
        (no_rules_for_what_loses, range(160)),
    ],
)
def test_a_server_that_takes_a_schema_for_something_else_is_found_out(
    makes: Callable[[int], Made], seeds: Iterable[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes_server, "declared_by_schema", makes)
    found = 0
    for seed in seeds:
        try:
            live(seed, by_schema=True)
        except AssertionError:
            found += 1
    assert found >= 3, "this model would not notice"


def test_a_client_that_shows_what_comes_when_it_comes_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EarlyNews, "keeps", lambda self, entity, news: False)
    assert wrong("", "sees a half") >= 3
