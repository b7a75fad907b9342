"""Facts about `rhtmx_codegen.rules.left`; what is judged by it is in `test_engine.py`."""

from __future__ import annotations

import pytest

from rhtmx_codegen.rules import LeftRule, server_rules
from tests.support.schemas import schema_of

FIELDS = "string a = 1; string b = 2; string pattern = 3;"


def left(text: str, ids: str = '"odd"', rest: str = "") -> list[LeftRule]:
    option = f"option (rhtmx.v1.entity) = {{server_only_rules: [{ids}]}};"
    return server_rules(schema_of(f"message Task {{ {option} {text} }} {rest}"))


@pytest.mark.parametrize(
    ("expression", "reads"),
    [
        ("this.a.matches(this.b)", ("a", "b")),
        ("this . a.matches(this.a)", ("a",)),
        ("'this'.matches(this.a)", ("a",)),
        ("'\\\\'this.b'.matches(this.a) // this", ("a",)),
        ("[this].all(m, m.a.matches(m.a))", ()),
        ("this.a.matches(this.a) && this != this", ()),
        ("[1].all(this, 'a'.matches(this))", ()),
        ("this.a.matches(this.a) && this.extra.fields", ()),
    ],
)
def test_what_a_rule_reads_is_told_by_its_words_if_it_can_be(
    expression: str, reads: tuple[str, ...]
) -> None:
    (rule,) = left(
        f'option (buf.validate.message).cel = {{id: "odd" expression: "{expression}"}}; {FIELDS}'
    )
    assert (rule.kind, rule.name, rule.message) == ("entity", "task", "app.v1.Task")
    assert (rule.field, rule.reads) == ("", reads)


def test_a_rule_of_a_field_reads_that_field() -> None:
    (rule,) = left(
        'string a = 1 [(buf.validate.field).cel = {id: "odd" expression: "this.odd()"},'
        ' (rhtmx.v1.field).message = {key: "odd" value: "is odd"}];'
    )
    assert (rule.field, rule.reads, rule.words) == ("a", ("a",), "is odd")


def test_a_rule_within_another_message_reads_the_fields_that_lead_there() -> None:
    inner = (
        'message Part { option (rhtmx.v1.form) = {server_only_rules: "odd"};'
        ' string a = 1 [(buf.validate.field).cel = {id: "odd" expression: "this.odd()"}]; }'
    )
    one, form = left("string a = 1; Part part = 2;", "", inner)
    assert (one.field, one.reads) == ("part", ("part",))
    assert (form.kind, form.field) == ("form", "a")
    two, _ = left("Part part = 1; repeated Part parts = 2;", "", inner)
    assert (two.field, two.reads) == ("", ("part", "parts"))


def test_each_stands_alone() -> None:
    odd, other = left(
        "string a = 1 [(buf.validate.field) = {string: {min_len: 1}"
        ' cel: {id: "odd" expression: "this.odd()"} cel: {id: "other" expression: "this.no()"}}];'
        'option (buf.validate.message).cel = {id: "fine" expression: "this.a != \'\'"};',
        '"odd", "other"',
    )
    assert (b"this.odd()" in odd.files, b"this.no()" in odd.files) == (True, False)
    assert (b"this.odd()" in other.files, b"this.no()" in other.files) == (False, True)
    assert b"fine" not in odd.files + other.files


def test_a_schema_without_such_rules_has_none() -> None:
    assert server_rules(schema_of("message Task { string a = 1; }")) == []
