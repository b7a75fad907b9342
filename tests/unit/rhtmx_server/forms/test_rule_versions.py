"""Whether a validator is the one that it was."""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server.forms.rule_versions import rule_version

SOURCE = """
def rule(value, most={default}):
    def inner(text):
        return text in {table} and len(text) < most
    if inner(value):
        raise ValueError({words!r})
"""


def made(table: str = "{'ada', 'bob'}", words: str = "taken", default: str = "3") -> Any:
    """A rule, compiled anew."""
    names: dict[str, Any] = {"__name__": "rules"}
    exec(SOURCE.format(table=table, words=words, default=default), names)
    return names["rule"]


def test_the_same_code_is_the_same_rule() -> None:
    assert rule_version(made()) == rule_version(made())


@pytest.mark.parametrize(
    "other", [made(table="{'ada'}"), made(words="is taken"), made(default="4")]
)
def test_an_edit_makes_another_rule(other: Any) -> None:
    assert rule_version(other) != rule_version(made())


def test_another_name_is_another_rule() -> None:
    other = made()
    other.__qualname__ = "other"
    assert rule_version(other) != rule_version(made())


def of(entity: str, again: bool = False) -> Callable[[str], object]:
    def rule(value: str) -> object:
        return rule if again else entity

    return rule


def test_what_a_function_was_made_with_is_a_part_of_it() -> None:
    assert rule_version(of("users")) == rule_version(of("users"))
    assert rule_version(of("users")) != rule_version(of("teams"))


def test_a_function_that_closes_over_itself_has_a_version() -> None:
    assert rule_version(of("users", again=True)) != rule_version(of("teams"))


class Rule:
    """A rule with a state."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __call__(self, value: str) -> bool:
        return value in self.names

    def method(self, value: str) -> bool:
        return value not in self.names


def test_what_can_be_called_is_told_by_its_code() -> None:
    rules = [
        Rule(["ada"]),
        Rule(["ada"]).method,
        functools.partial(of, "users"),
        functools.partial(of, "teams"),
        functools.partial(of, "users", again=True),
        len,
        repr,
    ]
    versions = [rule_version(each) for each in rules]
    assert len(set(versions)) == len(versions)
    assert rule_version(Rule(["ada"])) == rule_version(Rule(["bob"]))


LATE = """
def rule(value):
    try:
        look(value)
        write(value)
    except ValueError:
        return None
"""
EARLY = """
def rule(value):
    try:
        look(value)
    except ValueError:
        return None
    write(value)
"""


def compiled(source: str) -> Any:
    names: dict[str, Any] = {"__name__": "rules"}
    exec(source, names)
    return names["rule"]


def test_what_a_try_is_about_is_a_part_of_the_code() -> None:
    late, early = compiled(LATE), compiled(EARLY)
    assert rule_version(late) != rule_version(early)
    # Only the table beside the code says so.
    moved = compiled(LATE)
    moved.__code__ = late.__code__.replace(co_exceptiontable=b"")
    assert rule_version(moved) != rule_version(late)


def test_how_it_is_called_is_a_part_of_the_code() -> None:
    rules = [
        f"def rule({each}): pass" for each in ("a, b", "a, *b", "a, *, b", "a, b, /", "a, **b")
    ]
    assert len({rule_version(compiled(each)) for each in rules}) == len(rules)


class Kind(Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Most:
    count: int

    def rule(self, value: str) -> bool:
        return len(value) < self.count


def around(value: object) -> Callable[[str], object]:
    return lambda text: (text, value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (re.compile("a+"), re.compile("b+")),
        (re.compile("a+"), re.compile("a+", re.IGNORECASE)),
        (Decimal("5"), Decimal("5.0")),
        (date(2026, 11, 30), date(2026, 12, 1)),
        (timedelta(1), timedelta(2)),
        (Path("a"), Path("b")),
        (range(3), range(4)),
        (Kind.RED, Kind.BLUE),
        (Most(3), Most(4)),
        (Most(3).rule, Most(4).rule),
        ((len, repr, len), (len, repr, repr)),
    ],
)
def test_values_that_never_change_are_told_by_what_they_are(one: Any, other: Any) -> None:
    again = copy.deepcopy(one)
    assert rule_version(around(one)) == rule_version(around(again))
    assert rule_version(around(one)) != rule_version(around(other))


def test_what_changes_while_the_program_runs_makes_no_other_rule() -> None:
    taken = {"ada": 1}

    def rule(value: str) -> bool:
        return value in taken

    before = rule_version(rule)
    taken["bob"] = 2
    assert rule_version(rule) == before


def test_all_servers_of_a_cluster_find_the_same_version(tmp_path: Path) -> None:
    """Hashes are random in each process, and so is the order of sets."""
    module = tmp_path / "rules.py"
    module.write_text(SOURCE.format(table="{'ada', 'bob', 'cleo'}", words="taken", default="3"))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from rules import rule; "
        "from rhtmx_server.forms.rule_versions import rule_version; print(rule_version(rule).hex())"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    found = {subprocess.check_output(command, text=True) for _ in range(2)}
    assert len(found) == 1
