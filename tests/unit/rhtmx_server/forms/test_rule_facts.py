"""All that the verdict of a validator rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rhtmx.values.form_value import Entry, File
from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.entries import FieldKind, FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.rule_facts import facts_of
from rhtmx_server.forms.validators import Validator

ADA = Grant("ada", roles={"clerk"}, claims={"team": "red"})
ENDS: Mapping[str, int] = {"users": 7}
ENTRIES: Mapping[str, Sequence[Entry]] = {"email": ["ada@example.com"], "age": ["36"], "file": []}

entries = st.lists(
    st.text(max_size=3) | st.builds(File, st.text(max_size=2), st.integers(0, 2), st.just("")),
    max_size=3,
)


def alone(value: Any) -> None: ...


def sees_form(value: Any, form: Any) -> None: ...


def sees_who(value: Any, who: Any) -> None: ...


def check(form: Any) -> None: ...


def field(function: Any, **more: Any) -> Validator:
    return Validator.of_field("signup", "email", function, **more)


def facts(
    rule: Validator,
    values: Mapping[str, Sequence[Entry]] = ENTRIES,
    who: Grant = ADA,
    ends: Mapping[str, int] = ENDS,
    epoch: str = "epoch",
) -> bytes:
    (found,) = facts_of([rule], FormValues(values), who, epoch, ends)
    return found


@given(entries, entries)
def test_another_value_is_another_fact(one: list[Entry], other: list[Entry]) -> None:
    for rule in (field(alone), field(sees_form), Validator.of_form("signup", check)):
        same = facts(rule, {"email": one}) == facts(rule, {"email": other})
        assert same is (one == other)


@given(st.dictionaries(st.text(max_size=2), entries, max_size=3))
def test_whoever_sees_the_form_sees_each_value_of_it(others: dict[str, list[Entry]]) -> None:
    values: dict[str, list[Entry]] = {**others, "email": ["ada@example.com"]}
    changed: dict[str, list[Entry]] = {**values, "age": [*values.get("age", []), "x"]}
    assert facts(field(sees_form), values) != facts(field(sees_form), changed)
    assert facts(field(alone), values) == facts(field(alone), changed)


def test_a_value_does_not_pass_from_one_field_to_another() -> None:
    rule = Validator.of_form("signup", check)
    assert facts(rule, {"a": ["x"], "b": []}) != facts(rule, {"a": [], "b": ["x"]})
    assert facts(rule, {"a": ["x", "y"]}) != facts(rule, {"a": ["xy"]})
    assert facts(rule, {"a": ["x"]}) != facts(rule, {"a": [File("x", 0)]})


def test_another_subject_is_another_fact_for_every_rule() -> None:
    for rule in (field(alone), field(sees_who), Validator.of_form("signup", check)):
        assert facts(rule) != facts(rule, who=Grant("bob", None, ADA.roles, ADA.claims))


def test_rights_are_facts_for_those_who_see_them() -> None:
    for other in (
        Grant("ada", None, {"clerk", "boss"}, ADA.claims),
        Grant("ada", None, ADA.roles, {"team": "blue"}),
        Grant("ada", None, ADA.roles, {"team": ["red"]}),
    ):
        assert facts(field(sees_who)) != facts(field(sees_who), who=other)
        assert facts(field(alone)) == facts(field(alone), who=other)


def test_when_rights_end_is_no_fact() -> None:
    later = Grant("ada", 1, ADA.roles, ADA.claims)
    assert facts(field(sees_who)) == facts(field(sees_who), who=later)


def test_where_a_log_ends_is_a_fact_for_those_who_read_it() -> None:
    reads = field(alone, reads=["users"])
    assert facts(reads) != facts(reads, ends={"users": 8})
    assert facts(field(alone)) == facts(field(alone), ends={"users": 8})
    assert facts(reads) != facts(field(alone))


def test_another_store_is_another_fact_for_every_rule() -> None:
    """As that of an application with the same secret, which is tried out before it goes live."""
    for rule in (field(alone), field(alone, reads=["users"]), Validator.of_form("signup", check)):
        assert facts(rule) != facts(rule, epoch="another")


def test_what_a_field_is_registered_for_is_a_fact() -> None:
    kinds = [FieldKind(), FieldKind(many=True), FieldKind(file=True), FieldKind(True, True)]
    assert len({facts(field(alone, kind=each)) for each in kinds}) == len(kinds)


def test_another_rule_form_or_place_is_another_fact() -> None:
    def other(value: Any) -> None:
        assert value

    elsewhere = Validator.of_field("contact", "email", alone)
    here = field(alone)
    assert len({facts(here), facts(field(other)), facts(elsewhere)}) == 3
    first, second = facts_of([here, here], FormValues(ENTRIES), ADA, "epoch", {})
    assert first != second


def test_a_form_attests_its_validators_and_not_the_rules_of_its_schema() -> None:
    form = Form("signup")
    form.field("email", required=True)(alone)
    form.ready_made_check(check)
    form.check(check)
    form.field("age")(sees_form)
    assert [(each.field, each.attested) for each in form.attested] == [
        ("email", True),
        ("age", True),
        ("", True),
    ]
