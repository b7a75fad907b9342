"""Facts about `rhtmx_server.access.guard`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server.access import guard as module
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.guard import Guard, Right
from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.access.rules import Rule, anyone, claim, nobody, owner, role

TEAMS = Partitions([["team"], ["team", "status"]])
ADA, CLERK, GUEST = Grant("ada"), Grant("bob", roles={"clerk"}), Grant("")


@pytest.mark.parametrize(
    ("parts", "values", "has"),
    [
        ([], {}, False),
        ([{}], {}, True),
        ([{"a": 1}], {"a": "1"}, True),
        ([{"a": 1}], {"a": '"1"'}, False),
        ([{"a": 1}], {}, False),
        ([{"a": 1}, {"b": 2}], {"b": "2"}, True),
        ([{"a": 1, "b": 2}], {"a": "1"}, False),
        ([{"a": 1, "b": 2}], {"a": "1", "b": "2"}, True),
    ],
)
def test_a_right_has_the_records_of_its_parts(parts: Any, values: Any, has: bool) -> None:
    right = Right(map(Part.of, parts))
    assert right.has(values) is has
    assert right.nothing is (not parts)
    assert right.whole is (parts == [{}])


def test_a_guard_reads_the_fields_of_its_rules_and_partitions_only() -> None:
    guard = Guard(TEAMS, {"read": claim("team"), "update": owner("author")})
    data = b'{"team": "red", "author": "ada", "status": 1.0, "more": "x"}'
    assert guard.values_of(data) == {"team": '"red"', "author": '"ada"', "status": "1"}
    assert guard.parts(guard.values_of(data)) == {'{"team":"red"}', '{"status":1,"team":"red"}'}


def test_what_no_rule_names_nobody_may() -> None:
    guard = Guard(None, {"read": anyone})
    assert guard.closed
    assert guard.sees(GUEST, frozenset(), {})
    assert not any(guard.may(action, CLERK, {}) for action in ("create", "update", "delete"))
    assert not guard.may("create", CLERK, None)


@pytest.mark.parametrize(
    ("guard", "is_open"),
    [
        (Guard(judge=lambda *write: None), True),
        (Guard(TEAMS), False),
        (Guard(None, {"read": anyone}), False),
        (Guard(TEAMS, scoped=True), False),
    ],
)
def test_open_is_what_has_neither_access_nor_parts(guard: Guard, *, is_open: bool) -> None:
    assert guard.open is is_open


def test_without_any_rule_everybody_may_everything() -> None:
    guard = Guard(TEAMS, checks=[lambda who, before, after: None])
    assert not guard.closed
    assert guard.sees(GUEST, frozenset(), {})
    assert guard.sees_all(GUEST, frozenset())
    assert guard.may("delete", GUEST, {})


def test_rules_look_at_the_values() -> None:
    guard = Guard(None, {"read": owner("customer") | role("clerk"), "delete": nobody})
    mine, other = {"customer": '"ada"'}, {"customer": '"eve"'}
    assert guard.sees(ADA, frozenset(), mine)
    assert not guard.sees(ADA, frozenset(), other)
    assert not guard.sees(ADA, frozenset(), {})
    assert guard.sees(CLERK, frozenset(), other)
    assert (guard.sees_all(ADA, frozenset()), guard.sees_all(CLERK, frozenset())) == (False, True)
    assert not guard.may("delete", CLERK, other)


def test_where_a_function_says_what_is_read_its_answer_counts() -> None:
    guard = Guard(TEAMS, {"update": anyone}, scoped=True)
    red = frozenset({'{"team":"red"}'})
    assert guard.closed
    assert guard.sees(ADA, red, {"team": '"red"'})
    assert not guard.sees(ADA, red, {"team": '"blue"'})
    assert not guard.sees(ADA, frozenset(), {"team": '"red"'}), "nothing is the default"
    assert guard.sees(ADA, None, {})
    assert (guard.sees_all(ADA, red), guard.sees_all(ADA, None)) == (False, True)


def test_rights_are_found_out_once_for_a_grant_and_anew_for_other_claims() -> None:
    asked = []

    def noted(who: Grant) -> Any:
        asked.append(who.claims.get("team"))
        return claim("team").parts(who)

    rule = Rule(noted, frozenset({("team",)}), "noted")
    guard = Guard(TEAMS, {"read": rule})
    for team in ("red", "red", "blue", "red"):
        who = Grant("ada", claims={"team": team})
        assert guard.sees(who, frozenset(), {"team": f'"{team}"'})
        assert not guard.sees(who, frozenset(), {"team": '"green"'})
    assert asked == ["red", "blue"]


def test_the_rights_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 3)
    guard = Guard(None, {"read": owner("a")})
    for number in range(10):
        assert guard.sees(Grant(str(number)), frozenset(), {"a": f'"{number}"'})
        assert len(guard._rights) <= 3
    divided = Guard(TEAMS)
    for number in range(10):
        assert divided.parts({"team": str(number)}) == {f'{{"team":{number}}}'}
        assert len(divided._keys) <= 3


def test_what_one_claim_gives_is_not_taken_for_what_another_gives() -> None:
    guard = Guard(rules={"read": claim("team")})
    number, truth = Grant("ada", claims={"team": 1}), Grant("ada", claims={"team": True})
    assert guard.sees(number, None, {"team": "1"})
    assert not guard.sees(truth, None, {"team": "1"})
    assert guard.sees(truth, None, {"team": "true"})
