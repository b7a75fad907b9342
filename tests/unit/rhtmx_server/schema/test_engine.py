"""Facts about `rhtmx_server.schema.engine`."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from typing import Any

import pytest

from rhtmx.schema import judge
from rhtmx_server import App
from rhtmx_server.schema.engine import Engine, engine_of
from tests.support.generated import package_of, schema_package
from tests.support.schemas import HEAD, schema_of

needed = pytest.mark.skipif(
    importlib.util.find_spec("protovalidate") is None,
    reason="protovalidate is not installed",
)

LEFT = "[''].all(m, ''.matches(m)) && "
"""What makes a rule one that is not compiled."""

ODD = 'cel = {id: "odd" expression: "this.matches(this)"}'
"""Of which our own compiler knows nothing: a pattern that is no constant."""


def package(body: str, ids: str = '"odd"', rest: str = "", kind: str = "entity") -> Any:
    option = f'option (rhtmx.v1.{kind}) = {{name: "tasks" server_only_rules: [{ids}]}};'
    return schema_package(f"message Task {{ {option} {body} }} {rest}")


def engine(package: Any, kind: str = "entity") -> Engine:
    schema = package.schema
    shapes = {"entity": schema.entities, "form": schema.forms}[kind]
    found = engine_of(schema, shapes["tasks"], kind)
    assert found is not None
    return found


def said(package: Any, data: dict[str, Any], changed: Any = None) -> list[tuple[str, str, str]]:
    return [(e.field, e.code, e.message) for e in engine(package).judge(data, changed)]


@needed
def test_a_violation_is_like_one_of_our_own() -> None:
    """The same rule, compiled and left to the server: path, id and words are the same."""
    rules = """
      option (buf.validate.message).cel = {
        id: "a" message: "own words" expression: "EXTRAthis.n > 1"
      };
      option (buf.validate.message).cel = {id: "b" expression: "EXTRAthis.n > 1"};
      int64 n = 1;
      repeated string tags = 2 [(buf.validate.field).repeated.items = {
        cel: {id: "d" expression: "EXTRAthis != 'x'"}
      }, (rhtmx.v1.field).message = {key: "d" value: "no such tag"}];
      map<string, string> notes = 3 [(buf.validate.field).map = {
        keys: {cel: {id: "e" expression: "EXTRAthis != 'k'"}}
        values: {cel: {id: "f" expression: "EXTRAthis != 'v'"}}
      }];
      map<bool, int32> seats = 4 [(buf.validate.field).map.values.cel = {
        id: "g" expression: "EXTRAthis != 3"
      }];
    """
    compiled = package(rules.replace("EXTRA", ""), "")
    left = package(rules.replace("EXTRA", LEFT), '"a", "b", "d", "e", "f", "g"')
    data = {
        "n": 1,
        "tags": ["a", "x"],
        "notes": {'k"': "v", "k": ""},
        "seats": {"true": 3},
    }
    ours = [(e.field, e.code, e.message) for e in judge(compiled.Task.__rhtmx__.rules, data)]
    theirs = said(left, data)
    words = {each[2].replace(LEFT, "") for each in theirs}
    assert sorted(each[:2] for each in theirs) == sorted(each[:2] for each in ours)
    assert words == {each[2] for each in ours}


@needed
def test_a_rule_that_fails_while_it_is_judged_takes_no_other_with_it() -> None:
    two = package(
        f"string a = 1 [(buf.validate.field).{ODD}]; string b = 2 [(buf.validate.field)."
        'cel = {id: "no" expression: "!this.matches(this)"}];',
        '"odd", "no"',
    )
    found = said(two, {"a": "(", "b": "b"})
    assert [each[:2] for each in found] == [("a", "odd"), ("b", "no")]
    assert found[0][2].startswith("cannot be judged: invalid regular expression")
    assert found[1][2] == "must satisfy !this.matches(this)"


@needed
def test_only_rules_are_judged_that_read_what_has_changed() -> None:
    read = package(
        'option (buf.validate.message).cel = {id: "odd" expression: "this.a.matches(this.b)"};'
        "string a = 1; string b = 2; string c = 3;"
    )
    wrong = {"a": "x", "b": "y", "c": ""}
    assert len(said(read, wrong)) == 1
    assert len(said(read, wrong, {"a"})) == 1
    assert len(said(read, wrong, {"b", "c"})) == 1
    assert said(read, wrong, {"c"}) == []


@needed
def test_of_a_rule_that_may_read_anything_every_change_counts() -> None:
    whole = package(
        'option (buf.validate.message).cel = {id: "odd" expression: "[this].all(m, '
        'm.a.matches(m.b))"}; string a = 1; string b = 2; string c = 3;'
    )
    assert len(said(whole, {"a": "x", "b": "y"}, {"c"})) == 1
    assert said(whole, {"a": "x", "b": "y"}, set()) == []


@needed
def test_values_of_every_kind_arrive_as_they_are() -> None:
    expressions = {
        "s": ("string", '"é😀"', "this == 'é😀'"),
        "i": ("int64", "-9007199254740991", "this == -9007199254740991"),
        "j": ("int64", '"9223372036854775807"', "this == 9223372036854775807"),
        "u": ("uint64", '"18446744073709551615"', "this == 18446744073709551615u"),
        "f": ("float", "0.1", "double(this) > 0.1 && double(this) < 0.1000001"),
        "d": ("double", "-2.5", "this == -2.5"),
        "y": ("bytes", '"AP8="', "this == b'\\\\000\\\\377'"),
        "e": ("Level", '"high"', "this == 2"),
        "t": (
            "google.protobuf.Timestamp",
            '"1969-12-31T23:59:59.123456789Z"',
            "this == timestamp('1969-12-31T23:59:59.123456789Z')",
        ),
        "z": ("google.protobuf.Duration", '"-1.500000001s"', "this == duration('-1.500000001s')"),
        "w": ("google.protobuf.StringValue", '""', "this == ''"),
        "v": ("google.protobuf.Value", '{"a":[1,null]}', "this.a[0] == 1.0"),
        "n": ("Part", '{"a":"x","parts":[{"a":"y"}]}', "this.a == 'x' && this.parts[0].a == 'y'"),
        "r": ("repeated Part", '[{"a":"x"},{}]', "this[0].a == 'x' && this[1].a == ''"),
        "m": ("map<int32, Part>", '{"7":{"a":"x"}}', "this[7].a == 'x'"),
        "p": ("map<string, Level>", '{"k":"high"}', "this['k'] == 2"),
        "k": ("google.protobuf.FieldMask", '"a,b.c"', "this.paths == ['a', 'b.c']"),
    }
    fields = []
    data: dict[str, Any] = {}
    for number, (name, (kind, value, rule)) in enumerate(expressions.items(), 1):
        text = "jstype = JS_STRING, " if value.startswith('"') and "int64" in kind else ""
        whole = f"{LEFT}!({rule})"
        fields.append(
            f'{kind} {name} = {number} [{text}(buf.validate.field).cel = {{id: "{name}" '
            f'message: "arrived" expression: "{whole}"}}];'
        )
        data[name] = json.loads(value)
    rest = (
        "message Part { string a = 1; repeated Part parts = 2; }"
        "enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_LOW = 1; LEVEL_HIGH = 2; }"
    )
    head = "".join(
        f'import "google/protobuf/{each}.proto";\n'
        for each in ("duration", "field_mask", "struct", "wrappers")
    )
    ids = ",".join(f'"{each}"' for each in expressions)
    option = f'option (rhtmx.v1.entity) = {{name: "tasks" server_only_rules: [{ids}]}};'
    text = f"message Task {{ {option} {' '.join(fields)} }} {rest}"
    made = package_of(schema_of(text, HEAD + head))
    data["unknown"] = {"a": 1}
    assert [each[1:] for each in said(made, data)] == [(each, "arrived") for each in expressions]


@needed
def test_a_word_that_nobody_knows_cannot_be_judged_where_it_is_read() -> None:
    level = package(
        'option (buf.validate.message).cel = {id: "odd" expression: "this.a.matches(this.a) '
        '&& this.level != 1"}; string a = 1; Level level = 2; Level other = 3;',
        rest="enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_LOW = 1; }",
    )
    assert said(level, {"a": "x", "other": "new"}) == []
    assert said(level, {"a": "x", "level": "new"}) == [
        ("", "odd", "cannot be judged: unknown value")
    ]


@needed
def test_what_cannot_be_read_is_said_by_its_field() -> None:
    one = package(f"string a = 1 [(buf.validate.field).{ODD}];")
    assert said(one, {"a": 7}) == []


@needed
def test_a_message_within_another_has_its_rules_there_too() -> None:
    outer = package(
        "Inner inner = 1; string c = 2;",
        "",
        'message Inner { option (rhtmx.v1.entity) = {server_only_rules: "odd"}; '
        f"string a = 1 [(buf.validate.field).{ODD}]; }}",
    )
    assert [e[:2] for e in said(outer, {"inner": {"a": "+b"}})] == [("inner", "odd")]
    assert [e[:2] for e in said(outer, {"inner": {"a": "a{2}"}})] == [("inner.a", "odd")]
    assert said(outer, {"inner": {"a": "a{2}"}}, {"c"}) == []


@needed
def test_what_required_and_ignore_leave_alone_is_left_alone() -> None:
    """`!this.matches(this)` refuses the empty text, too."""
    rule = 'cel: {id: "odd" expression: "!this.matches(this)"}'
    fields = (
        f"string a = 1 [(buf.validate.field) = {{required: true {rule}}}];"
        f"string b = 2 [(buf.validate.field) = {{ignore: IGNORE_IF_ZERO_VALUE {rule}}}];"
        f"optional string c = 3 [(buf.validate.field) = {{required: true {rule}}}];"
        f"string d = 4 [(buf.validate.field) = {{{rule}}}];"
        f"string e = 5 [(buf.validate.field) = {{{rule}}}]; string f = 6;"
        'option (buf.validate.message).oneof = {fields: ["e", "f"]};'
    )
    assert [each[0] for each in said(package(fields), {})] == ["d"]
    assert [each[0] for each in said(package(fields), {"c": ""})] == ["c", "d"]


@needed
def test_rules_that_are_compiled_are_not_judged_twice() -> None:
    both = package(
        "string a = 1 [(buf.validate.field) = {string: {min_len: 9} "
        'cel: {id: "odd" expression: "this.matches(this)"}}];'
        "string b = 2 [(buf.validate.field).string.max_len = 1];"
    )
    assert [each[1] for each in said(both, {"a": "a{2}", "b": "long"})] == ["odd"]


@needed
def test_a_rule_that_nobody_can_judge_stops_the_server() -> None:
    none = package('string a = 1 [(buf.validate.field).cel = {id: "odd" expression: "this.no()"}];')
    with pytest.raises(ValueError, match=r"entity 'tasks': nobody can judge the rule odd"):
        App(store="memory://", schema=none.schema)


def test_without_the_package_the_server_does_not_start_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "protovalidate", None)
    one = package(f"string a = 1 [(buf.validate.field).{ODD}];", kind="form")
    with pytest.raises(ImportError) as caught:
        App(store="memory://", schema=one.schema)
    assert str(caught.value) == (
        "form 'tasks': the server_only_rules odd are judged by 'protovalidate', which is not "
        "installed: pip install 'rhtmx[server,rules]', or '.[server,rules]' in a checkout"
    )


def test_what_an_older_version_has_generated_is_to_be_generated_anew() -> None:
    one = package(f"string a = 1 [(buf.validate.field).{ODD}];")
    schema = one.schema
    module: Any = importlib.import_module(f"{one.__name__}._descriptors")
    rows = module.SERVER_RULES
    del module.SERVER_RULES
    try:
        with pytest.raises(ValueError, match="server_only_rules odd: generate it anew"):
            App(store="memory://", schema=schema)
    finally:
        module.SERVER_RULES = rows


@needed
@pytest.mark.parametrize("trait", ["secret", "server_only"])
def test_why_a_rule_failed_on_what_nobody_may_see_is_not_said(trait: str) -> None:
    one = package(
        f"string a = 1 [(buf.validate.field).{ODD}, (rhtmx.v1.field).{trait} = true]; string b = 2;"
        'option (buf.validate.message).cel = {id: "any" expression: "[this].all(m, '
        'm.b.matches(m.a))"};',
        '"odd", "any"',
    )
    words = "cannot be judged: a value is secret"
    assert said(one, {"a": "hunter2("}) == [("a", "odd", words), ("", "any", words)]
