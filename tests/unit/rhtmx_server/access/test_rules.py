"""Facts about `rhtmx_server.access.rules`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.rules import (
    MOST_PARTS,
    Rule,
    anyone,
    backend,
    claim,
    equals,
    nobody,
    owner,
    role,
    signed_in,
)

ADA = Grant("ada", claims={"teams": ["red", "blue"], "team": "red", "age": 7})
CLERK = Grant("bob", roles={"clerk"})
GUEST = Grant("")
SERVICE = Grant("billing", roles={BACKEND})

ALL = {"{}"}


def keys(rule: Rule, who: Grant) -> set[str]:
    return {part.key for part in rule.parts(who)}


@pytest.mark.parametrize(
    ("rule", "who", "expected"),
    [
        (anyone, GUEST, ALL),
        (nobody, SERVICE, set()),
        (signed_in, ADA, ALL),
        (signed_in, GUEST, set()),
        (backend, SERVICE, ALL),
        (backend, CLERK, set()),
        (role("clerk"), CLERK, ALL),
        (role("clerk"), ADA, set()),
        (owner("customer"), ADA, {'{"customer":"ada"}'}),
        (owner("customer"), GUEST, set()),
        (claim("team"), ADA, {'{"team":"red"}'}),
        (claim("team"), CLERK, set()),
        (claim("teams", field="team"), ADA, {'{"team":"red"}', '{"team":"blue"}'}),
        (claim("age"), ADA, {'{"age":7}'}),
        (equals("status", "published"), GUEST, {'{"status":"published"}'}),
        (equals("public", True), GUEST, {'{"public":true}'}),
    ],
)
def test_a_rule_gives_the_right_to_parts(rule: Rule, who: Grant, expected: set[str]) -> None:
    assert keys(rule, who) == expected


def test_either_rule_is_enough() -> None:
    rule = owner("customer") | role("clerk") | equals("public", True)
    assert keys(rule, ADA) == {'{"customer":"ada"}', '{"public":true}'}
    assert keys(rule, CLERK) == ALL
    assert keys(rule, GUEST) == {'{"public":true}'}


def test_both_rules_are_needed() -> None:
    rule = claim("teams", field="team") & equals("status", "open")
    assert keys(rule, ADA) == {
        '{"status":"open","team":"red"}',
        '{"status":"open","team":"blue"}',
    }
    assert keys(claim("team") & equals("team", "blue"), ADA) == set()
    assert keys(owner("customer") & role("clerk"), CLERK) == {'{"customer":"bob"}'}
    assert keys(owner("customer") & role("clerk"), ADA) == set()
    assert keys(anyone & nobody, ADA) == set()


@pytest.mark.parametrize(
    "value", [None, {"a": 1}, [None, ["x"]], "x" * 300, object(), float("nan")]
)
def test_a_claim_that_no_field_can_have_is_a_right_to_nothing(value: Any) -> None:
    assert keys(claim("team"), Grant("ada", claims={"team": value})) == set()


@pytest.mark.parametrize(
    ("rule", "shapes"),
    [
        (anyone, {()}),
        (nobody, set()),
        (owner("a") | role("x"), {("a",), ()}),
        (owner("b") & equals("a", 1), {("a", "b")}),
        ((owner("b") | role("x")) & equals("a", 1), {("a", "b"), ("a",)}),
        (nobody & owner("a"), set()),
    ],
)
def test_a_rule_says_by_which_fields_it_may_ask(rule: Rule, shapes: set[tuple[str, ...]]) -> None:
    assert rule.shapes == shapes


def test_what_a_rule_asks_for_has_one_of_its_shapes() -> None:
    rule = (owner("customer") | claim("teams", field="team")) & (equals("open", True) | role("x"))
    for who in (ADA, CLERK, GUEST, Grant("x", roles={"x"}, claims={"teams": ["a"]})):
        assert {part.fields for part in rule.parts(who)} <= rule.shapes


def test_a_right_to_too_many_parts_is_refused_in_words() -> None:
    many = Grant("ada", claims={"teams": [f"t{n}" for n in range(MOST_PARTS + 1)]})
    teams = claim("teams", field="team")
    for rule in (teams, teams | owner("customer"), (owner("a") | owner("b")) & teams):
        with pytest.raises(RhtmxError, match="give a role") as caught:
            rule.parts(many)
        assert caught.value.code is ErrorCode.FORBIDDEN


def test_a_rule_is_shown_as_it_is_written() -> None:
    rule = (owner("a") | role("b")) & claim("c")
    assert repr(rule) == "(owner('a') | role('b')) & claim('c', field='c')"
    assert repr(role("a") | owner("b") & signed_in) == "role('a') | owner('b') & signed_in"


def test_whoever_may_see_all_of_it_may_have_any_number_of_claims() -> None:
    many = Grant("ada", roles={"clerk"}, claims={"teams": [f"t{n}" for n in range(MOST_PARTS + 1)]})
    most = Grant("ada", roles={"clerk"}, claims={"teams": [f"t{n}" for n in range(MOST_PARTS)]})
    teams = claim("teams", field="team")
    for rule in (teams | role("clerk"), role("clerk") | teams):
        assert keys(rule, many) == keys(rule, most) == ALL


def test_a_subject_that_no_field_can_name_owns_nothing() -> None:
    assert keys(owner("customer"), Grant("x" * 300)) == set()
    assert keys(owner("customer"), Grant("x" * 253)) == {'{"customer":"' + "x" * 253 + '"}'}


def test_of_many_parts_of_both_rules_only_the_common_ones_count() -> None:
    names = [f"t{n}" for n in range(MOST_PARTS)]
    many = Grant("ada", claims={"teams": names, "mine": [*names[1:], "other"]})
    both = claim("teams", field="team") & claim("mine", field="team")
    assert len(both.parts(many)) == MOST_PARTS - 1
    few = Grant("ada", claims={"teams": names[:40], "mine": names[:40]})
    with pytest.raises(RhtmxError, match="give a role"):
        (claim("teams", field="team") & claim("mine", field="other")).parts(few)
