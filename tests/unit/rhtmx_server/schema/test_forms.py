"""Facts about `rhtmx_server.schema.forms`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema import codecs
from rhtmx.schema.declared import Form as DeclaredForm
from rhtmx_server import FormValues, Invalid
from rhtmx_server.access.grant import GUEST
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.steps import judge
from rhtmx_server.schema.forms import add_rules

AGREE = _s.cel_rule(
    "agree",
    "passwords differ",
    ("password", "again"),
    lambda this, now: this["password"] == this["again"],
)


def form_of(*fields: _s.Field, rules: tuple[Any, ...] = ()) -> Form:
    table = _s.message("SignUp", *fields, rules=rules)
    shape = {each.name: codecs.VALUE for each in fields}
    form = Form("signup")
    add_rules(form, DeclaredForm("signup", object, table, shape), lambda: 0)
    return form


def said(form: Form, field: str, *entries: str) -> str | None:
    error, rest = judge(form.fields[field], entries)
    assert not rest
    return error


def test_a_field_is_judged_as_what_its_text_stands_for() -> None:
    form = form_of(_s.field("age", _s.INT32, (_s.gte, 18), key="years"))
    assert said(form, "years", "36") is None
    assert said(form, "years", "12") == "must be 18 or more"
    assert said(form, "years", "twelve") == "must be a whole number"


def test_a_field_of_several_takes_all_of_its_texts() -> None:
    form = form_of(_s.field("topics", _s.list_of(_s.STRING, (_s.min_len, 2)), (_s.max_items, 2)))
    assert said(form, "topics", "sync", "forms") is None
    assert said(form, "topics", "a") == "must have at least 2 characters"
    assert said(form, "topics", "aa", "bb", "cc") == "must have at most 2 items"


def check(form: Form, **values: str) -> None:
    (validator,) = form.checks
    entries = {name: [values.get(name, "")] for name in form.fields}
    assert not validator.blocking
    validator.call("", FormValues(entries), GUEST)


def test_a_rule_about_the_form_as_a_whole_speaks_once_all_can_be_read() -> None:
    password, again = _s.field("password", _s.STRING), _s.field("again", _s.STRING)
    form = form_of(password, again, _s.field("age", _s.INT32, (_s.gte, 18)), rules=(AGREE,))
    check(form, password="a", again="a")
    with pytest.raises(Invalid, match="passwords differ"):
        check(form, password="a", again="b")
    check(form, password="a", again="b", age="many")
    # What a field has to say is said by the field.
    with pytest.raises(Invalid) as caught:
        check(form, password="a", again="b", age="3")
    assert [each.code for each in caught.value.violations] == ["agree"]


def test_validators_of_the_program_come_after_the_rules() -> None:
    form = form_of(_s.field("email", _s.STRING, (_s.email,)))

    @form.field("email")
    def is_free(value: str) -> None:
        raise Invalid("is taken")

    error, rest = judge(form.fields["email"], ["ada"])
    assert (error, len(rest)) == ("must be an email address", 0)
    error, rest = judge(form.fields["email"], ["ada@example.com"])
    assert (error, len(rest)) == (None, 1)


def test_the_cleaned_values_are_those_that_the_schema_has() -> None:
    form = form_of(
        _s.field("age", _s.INT32), _s.field("name", _s.STRING), _s.field("news", _s.BOOL)
    )
    values = FormValues({"age": [" 36 "], "name": ["Ada"], "news": []})
    assert form.cleaned(values) == {"age": 36, "name": "Ada", "news": None}
    assert form.cleaned(values, wrong={"age"}) == {"name": "Ada", "news": None}
