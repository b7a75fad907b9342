"""Two tenants on a server that is killed, behind a bad network: see `tests/support/tenants.py`.

`RHTMX_TENANTS=600` runs it for ten minutes, `RHTMX_TENANTS_SEED` gives it the seed that it says
when it fails.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.docs.node import require_node
from tests.support.tenants import campaign
from tests.support.tenants_check import Checker, Entry, Fate, WrongError

SECONDS = float(os.environ.get("RHTMX_TENANTS", "60"))
SEED = int(os.environ.get("RHTMX_TENANTS_SEED") or Random().randrange(10**6))


@pytest.mark.long
async def test_nobody_is_told_of_other_tenants_and_every_write_takes_effect_once(
    tmp_path: Path,
) -> None:
    require_node()
    work = await campaign(SEED, SECONDS, tmp_path)
    for proxy in work.proxies:
        assert proxy.happened.keys() == {"cut", "delay", "stall"}
    for happening in ("write", "together", "rights", "kill", "restart", "compact", "switch"):
        assert work.happened[happening], f"{happening} has happened"
    assert work.checker.judged > 100


async def test_a_server_whose_rule_is_off_for_one_user_is_found_out(tmp_path: Path) -> None:
    require_node()
    with pytest.raises(WrongError, match=r"may not see it: .*user='ada'"):
        await campaign(1, 20, tmp_path, fault="ada sees all")


# The checker.


def entry(version: int, word: str, team: str = "red", entity_id: str = "1") -> Entry:
    return Entry("tasks", entity_id, version, {"team": team, "note": word})


class Told:
    """A checker, ada who may see what is red, and a write of somebody else."""

    def __init__(self) -> None:
        self.checker = Checker()
        self.checker.settle("ada", ["red"])
        self.fate = Fate("bob", "tasks", "1")
        self.word = self.checker.writes(self.fate)

    def tell(self, *, connection: int = 1, cut: int = 0) -> None:
        said = f'{{"note":"{self.word}"}}'.encode()
        for part in (said[:cut], said[cut:]):
            self.checker.look("ada", connection, part)

    def judge(self) -> None:
        self.checker.judge(self.checker.unjudged)


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_was_in_a_team_of_theirs_may_be_told(told: Told) -> None:
    told.tell()
    told.checker.learn([entry(1, told.word)])
    told.judge()
    assert told.checker.judged == 1


@pytest.mark.parametrize("cut", range(16))
def test_what_was_never_in_a_team_of_theirs_is_found_wherever_it_is_cut(
    told: Told, cut: int
) -> None:
    told.tell(cut=cut)
    told.checker.learn([entry(1, told.word, "blue")])
    with pytest.raises(WrongError, match="may not see it"):
        told.judge()


def test_rights_count_until_they_have_changed(told: Told) -> None:
    told.checker.learn([entry(1, told.word)])
    told.checker.allow("ada", [])
    told.tell()
    told.judge()
    told.checker.settle("ada", [])
    told.tell()
    with pytest.raises(WrongError, match="may not see it"):
        told.judge()


def test_ones_own_words_may_be_told(told: Told) -> None:
    told.fate.author = "ada"
    told.tell()
    told.judge()


@pytest.mark.parametrize(
    ("fate", "versions", "wrong"),
    [
        ({"version": 1}, [1], None),
        ({"stored": True}, [1], None),
        ({"stored": True, "may_lose": True}, [], None),
        ({}, [], None),
        ({"rejected": "forbidden"}, [], None),
        ({"version": 1}, [], "is lost"),
        ({"stored": True}, [], "is lost"),
        ({"version": 2}, [1], "took effect at"),
        ({"rejected": "forbidden"}, [1], "was rejected, and took effect"),
    ],
)
def test_what_became_of_a_write_is_compared_with_its_answer(
    told: Told, fate: dict[str, Any], versions: list[int], wrong: str | None
) -> None:
    for name, value in fate.items():
        setattr(told.fate, name, value)
    told.checker.learn([entry(version, told.word) for version in versions])
    if wrong is None:
        told.checker.end([])
    else:
        with pytest.raises(WrongError, match=wrong):
            told.checker.end([])


@pytest.mark.parametrize("may_lose", [False, True])
def test_half_of_a_transaction_is_found(told: Told, may_lose: bool) -> None:
    other = told.checker.writes(Fate("bob", "tasks", "2", may_lose=may_lose))
    told.checker.together([told.word, other, None])
    told.checker.end([])
    told.checker.learn([entry(1, told.word)])
    if may_lose:
        told.checker.end([])
    else:
        with pytest.raises(WrongError, match="half of a transaction: 2 of"):
            told.checker.end([])


def test_a_write_with_two_effects_is_found(told: Told) -> None:
    other = told.checker.writes(Fate("bob", "tasks", "1"))
    with pytest.raises(WrongError, match="took effect twice"):
        told.checker.learn([entry(1, told.word), entry(2, other), entry(3, told.word)])


def test_a_hole_in_the_history_is_found(told: Told) -> None:
    with pytest.raises(WrongError, match="after version 0"):
        told.checker.learn([entry(2, told.word)])
