"""Whatever happens, everybody holds what they may see of an entity, and is told nothing else.

2,000 lives of a server and three readers of parts of its entity (`tests.support.parts_life`
says what happens in one). Some of the readers are the core of the Python client; in every second
life, once more, they are that of the TypeScript client. In 400 more lives a schema declares the
entity, with each kind of access for each action and with a field that never leaves the server; what
its readers write is held against what the schema says, too.

A campaign: `python -m tests.support.parts_life --seeds 100000`, with `--typescript` for that core
and `--schema` for an entity of a schema.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from rhtmx_server.access.entity import Entity
from tests.support import parts_server
from tests.support.parts_life import live
from tests.support.parts_readers import CoreReader, Reader
from tests.support.parts_schema import VARIANTS, declared_by_schema
from tests.support.parts_server import LIVE_ONLY, NO_DEPARTURES
from tests.support.parts_typescript import Program, TypeScriptReader

SEEDS, SHARES = 2_000, 8
SCHEMA_SEEDS = 400


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """The program of the readers in TypeScript."""
    program = Program()
    yield program
    program.close()


def all_live(seeds: range, core: Callable[..., Reader], *, by_schema: bool = False) -> None:
    """Live these lives; says which one ends wrongly."""
    for seed in seeds:
        try:
            live(seed, core=core, by_schema=by_schema)
        except Exception as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure


@pytest.mark.parametrize("share", range(SHARES))
def test_everybody_ends_with_what_they_may_see_and_is_told_nothing_else(share: int) -> None:
    all_live(range(share, SEEDS, SHARES), CoreReader)


@pytest.mark.parametrize("share", range(0, SHARES, 2))
def test_so_does_the_typescript_client(share: int, program: Program) -> None:
    all_live(range(share, SEEDS, SHARES), partial(TypeScriptReader, program))


@pytest.mark.parametrize("share", range(2))
def test_so_it_is_with_each_kind_of_access_that_a_schema_declares(share: int) -> None:
    all_live(range(share, SCHEMA_SEEDS, 2), CoreReader, by_schema=True)


def test_so_it_is_with_those_for_the_typescript_client(program: Program) -> None:
    core = partial(TypeScriptReader, program)
    all_live(range(SCHEMA_SEEDS // 4), core, by_schema=True)


def test_a_life_is_replayed_by_its_seed_alone() -> None:
    """The order of a set is another one in each process: nothing depends on it."""
    command = [sys.executable, "-m", "tests.support.parts_life", "--show", "--seeds=50"]
    told = {
        subprocess.run(
            [*command, "--first=41000"],  # one of them once ended wrongly in some processes
            env={**os.environ, "PYTHONHASHSEED": order},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for order in ("0", "2")
    }
    assert len(told) == 1


@pytest.mark.parametrize("fault", [LIVE_ONLY, NO_DEPARTURES])
def test_a_server_that_tells_less_is_found_out(fault: str) -> None:
    found = 0
    for seed in range(100):
        try:
            live(seed, fault)
        except AssertionError:
            found += 1
    assert found >= 3, "this model would not notice"


def another_access(variant: int) -> Entity:
    return declared_by_schema((variant + 1) % VARIANTS)


def nothing_hidden(variant: int) -> Entity:
    entity = copy.copy(declared_by_schema(variant))
    entity.hidden = {}
    return entity


@pytest.mark.parametrize(
    ("declares", "words"),
    [(another_access, ""), (nothing_hidden, "told what never leaves the server")],
)
def test_a_server_that_takes_a_schema_for_something_else_is_found_out(
    declares: Callable[[int], Entity], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_server, "declared_by_schema", declares)
    found = 0
    for seed in range(60):
        try:
            live(seed, by_schema=True)
        except AssertionError as error:
            found += words in str(error)
    assert found >= 10, "this model would not notice"
