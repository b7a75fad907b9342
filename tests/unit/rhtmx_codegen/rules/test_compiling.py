"""Facts about `rhtmx_codegen.rules`: which rules become rows, and which are refused, and where."""

from __future__ import annotations

import pytest

from rhtmx.errors import Violation
from rhtmx.schema import judge
from rhtmx.values.json_value import Json
from rhtmx_codegen.model import Schema
from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.read import read_schema
from rhtmx_codegen.rules import (
    compile_schema,
    messages_within,
    python_tables,
    typescript_tables,
)
from rhtmx_codegen.rules.table import OneofRow, Row
from tests.support.judged import tables_of
from tests.support.schemas import HEAD, descriptors, schema_of


def task(field: str, option: str = "") -> Schema:
    return schema_of(f"message Task {{ {option}\n  {field}\n}}\n")


def problems(schema: Schema) -> list[str]:
    return [str(each) for each in compile_schema(schema).problems]


def rows(schema: Schema) -> list[Row]:
    (field,) = compile_schema(schema).tables["app.v1.Task"].fields
    return [each for each in field.rules.rows if isinstance(each, Row)]


def line(schema: Schema) -> str:
    (message,) = schema.messages.values()
    return f"app.proto:{message.fields[0].location.line}:3"


NOTHING = "so that no value is right: change one of them"
NOT_SAID = "the value is none of which string could be said: write a rule in CEL"


@pytest.mark.parametrize(
    ("declared", "rules", "words"),
    [
        ("string", "int32.gt = 1", "int32: the value is of string: write string in its place"),
        ("repeated string", "string.len = 1", "string: the value is of repeated: write repeated"),
        ("map<string, string>", "repeated.min_items = 1", "repeated: the value is of map: write"),
        ("google.protobuf.Timestamp", "int64.gt = 1", "int64: the value is of timestamp: write"),
        ("Task", "string.min_len = 1", f"string: {NOT_SAID}"),
        ("repeated int32", "repeated.items.int64.gt = 1", "int64: the value is of int32: write"),
        (
            "string",
            "string = {min_len: 3 max_len: 2}",
            f"string.min_len: min_len is more than max_len, {NOTHING}",
        ),
        (
            "repeated string",
            "repeated = {min_items: 3 max_items: 2}",
            f"repeated.min_items: min_items is more than max_items, {NOTHING}",
        ),
        ("double", "double.gt = nan", "double.gt: nothing compares with NaN: write a number"),
        ("repeated Task", "repeated.unique = true", "repeated.unique: messages are not compared"),
        (
            "repeated google.protobuf.Timestamp",
            "repeated.unique = true",
            "repeated.unique: messages are not compared",
        ),
        ("repeated string", "repeated.items.required = true", "required: it says nothing of items"),
        ("string", 'string.pattern = "(?=a)"', "string.pattern: "),
        ("string", 'cel = {id: "x" expression: "this.foo()"}', "x: "),
        ("string", 'cel_expression = "this + 1 == this"', "this + 1 == this: "),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_line(
    declared: str, rules: str, words: str
) -> None:
    schema = task(f"{declared} a = 1 [(buf.validate.field).{rules}];")
    (problem,) = problems(schema)
    assert problem.startswith(f"{line(schema)}: rule {words}")
    for emit in (python_tables, typescript_tables):
        with pytest.raises(SchemaError, match="rule"):
            emit(schema)


@pytest.mark.parametrize(
    ("declared", "rules", "code"),
    [
        ("int32", "int32 = {gt: 3 lt: 4}", "gt_lt"),
        ("uint64", "uint64 = {gt: 3 lt: 4}", "gt_lt"),
        ("int32", "int32 = {gt: 3 lte: 3}", "gt_lte"),
        ("int32", "int32.gt = 2147483647", "gt"),
        ("sint64", "sint64.lt = -9223372036854775808", "lt"),
        ("uint32", "uint32.lt = 0", "lt"),
        ("int32", "int32 = {gt: 2147483647 lt: -2147483648}", "gt_lt"),
        ("repeated int32", "repeated.items.int32 = {gt: 3 lt: 4}", "gt_lt"),
        ("double", "double = {gt: 3 lt: 3}", "gt_lt"),
        ("double", "double = {gte: 3 lt: 3}", "gte_lt"),
        ("float", "float.gt = inf", "gt"),
        (
            "google.protobuf.Timestamp",
            "timestamp = {gt: {seconds: 1} lt: {seconds: 1 nanos: 1}}",
            "gt_lt",
        ),
        ("google.protobuf.Timestamp", "timestamp.gt = {seconds: 253402300800}", "gt"),
    ],
)
def test_bounds_that_leave_no_value_are_refused(declared: str, rules: str, code: str) -> None:
    schema = task(f"{declared} a = 1 [(buf.validate.field).{rules}];")
    (problem,) = problems(schema)
    assert problem.endswith(f".{code}: no value is right: change a bound")


@pytest.mark.parametrize(
    ("declared", "rules"),
    [
        ("int32", "{gt: 3 lt: 5}"),
        ("int32", "{gte: 3 lte: 3}"),
        ("int32", "{gte: 3 lt: 4}"),
        ("int32", "{gt: 3 lt: 2}"),  # outside of them
        ("int32", "{gt: 2147483647 lt: 0}"),
        ("uint32", "{lte: 0}"),
        ("double", "{gt: 3 lt: 4}"),
        ("double", "{gte: inf}"),
        ("double", "{gt: 4 lt: 3}"),
    ],
)
def test_bounds_that_leave_a_value_are_taken(declared: str, rules: str) -> None:
    schema = task(f"{declared} a = 1 [(buf.validate.field).{declared} = {rules}];")
    assert problems(schema) == []


@pytest.mark.parametrize(
    ("least", "most"),
    [
        ("min_len", "len"),
        ("len", "max_len"),
        ("min_bytes", "len_bytes"),
        ("len_bytes", "max_bytes"),
        ("min_len", "max_bytes"),
        ("len", "len_bytes"),
    ],
)
def test_sizes_of_which_none_is_right_are_refused(least: str, most: str) -> None:
    schema = task(f"string a = 1 [(buf.validate.field).string = {{{least}: 3 {most}: 2}}];")
    (problem,) = problems(schema)
    assert problem.endswith(f"string.{least}: {least} is more than {most}, {NOTHING}")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('{fields: "b"}', "rule message.oneof: Task has no field b"),
        ("{}", "rule message.oneof: it names no field"),
        ('{fields: "a" fields: "a"}', "rule message.oneof: it names a field twice"),
    ],
)
def test_a_rule_about_fields_names_fields_once(rule: str, words: str) -> None:
    schema = task("string a = 1;", f"option (buf.validate.message).oneof = {rule};")
    (problem,) = problems(schema)
    assert problem.partition(" ")[2] == words


def test_a_rule_of_a_message_is_refused_at_the_message() -> None:
    option = 'option (buf.validate.message).cel = {id: "x" expression: "this.b == 1"};'
    schema = task("string a = 1;", option)
    (problem,) = compile_schema(schema).problems
    assert problem.location.line == schema.messages["app.v1.Task"].location.line
    assert problem.words.startswith("rule x: Task has no field b")


def test_every_problem_is_said_at_once() -> None:
    schema = task(
        "string a = 1 [(buf.validate.field).int32.gt = 1];\n"
        "  string b = 2 [(buf.validate.field).int32.gt = 1];"
    )
    assert [each.location.line for each in compile_schema(schema).problems] == [
        each.location.line for each in schema.messages["app.v1.Task"].fields
    ]


@pytest.mark.parametrize("kind", ["entity", "form"])
def test_a_rule_that_is_left_to_the_server_is_listed_and_not_compiled(kind: str) -> None:
    option = f'option (rhtmx.v1.{kind}) = {{server_only_rules: ["odd", "string.pattern"]}};'
    schema = task(
        'string a = 1 [(buf.validate.field) = {string: {pattern: "(?=a)" min_len: 1} '
        'cel: {id: "odd" expression: "this.foo()"}}];',
        option,
    )
    assert problems(schema) == []
    table = tables_of(schema)["Task"]
    assert table.server_rules == ("odd", "string.pattern")
    assert judge(table, {"a": ""}) == (
        Violation("a", "string.min_len", "must have at least 1 character"),
    )
    assert "odd" not in "".join(typescript_tables(schema)["app.v1.Task"])


@pytest.mark.parametrize("name", ["string.min_len", "nope"])
def test_a_rule_that_is_compiled_or_none_cannot_be_left_to_the_server(name: str) -> None:
    option = f'option (rhtmx.v1.entity) = {{server_only_rules: "{name}"}};'
    schema = task("string a = 1 [(buf.validate.field).string.min_len = 1];", option)
    (problem,) = problems(schema)
    assert f"server_only_rules: {name} is compiled, or no rule" in problem


def test_a_rule_that_is_switched_off_is_no_row() -> None:
    assert rows(task("string a = 1 [(buf.validate.field).string.email = false];")) == []
    assert rows(task("repeated string a = 1 [(buf.validate.field).repeated.unique = false];")) == []


def with_words(name: str, rest: str) -> Schema:
    words = f'(rhtmx.v1.field).message = {{key: "{name}" value: "x"}}'
    declared, _, rules = rest.partition(" | ")
    return task(f"{declared} a = 1 [{words}{', ' if rules else ''}{rules}];")


FIELD = "(buf.validate.field)"


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("string.nope", "string"),
        ("string.min_len", "string"),
        ("min_len", f"string | {FIELD}.string.min_len = 1"),
        ("required", f"string | {FIELD}.string.min_len = 1"),
        # Both bounds are one rule: by the id of one of them nothing is ever said.
        ("int32.gte", f"int32 | {FIELD}.int32 = {{gte: 1 lte: 2}}"),
        ("int32.gte_lte", f"int32 | {FIELD}.int32 = {{gte: 2 lte: 1}}"),
        ("string.min_len", f"repeated string | {FIELD}.repeated.min_items = 1"),
        ("string.email", f"string | {FIELD} = {{ignore: IGNORE_ALWAYS string: {{email: true}}}}"),
        ("read_only", "string"),
    ],
)
def test_words_for_a_rule_that_the_field_does_not_have_are_refused(name: str, rest: str) -> None:
    schema = with_words(name, rest)
    (problem,) = problems(schema)
    assert problem.startswith(
        f"{line(schema)}: message: no violation of field a has the id '{name}'"
    )


@pytest.mark.parametrize(
    ("name", "rest", "record"),
    [
        ("type", "string", {"a": 1}),
        ("range", "int32", {"a": 2**40}),
        ("safe_integer", "int64", {"a": 2**60}),
        ("required", f"string | {FIELD}.required = true", {}),
        ("int32.gte_lte", f"int32 | {FIELD}.int32 = {{gte: 1 lte: 2}}", {"a": 3}),
        ("int32.gt_lt_exclusive", f"int32 | {FIELD}.int32 = {{gt: 2 lt: 1}}", {"a": 1}),
        ("int64.gte", f"int64 | jstype = JS_STRING, {FIELD}.int64.gte = 1", {"a": "0"}),
        ("string.email", f"string | {FIELD}.string.email = true", {"a": "b"}),
        ("string.email_empty", f"string | {FIELD}.string.email = true", {"a": ""}),
        ("string.in", f'string | {FIELD}.string.in = "b"', {"a": "c"}),
        ("string.len", f"string | {FIELD}.string.len = 2", {"a": "c"}),
        (
            "string.well_known_regex.header_name",
            f"string | {FIELD}.string = {{well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME "
            "strict: false}",
            {"a": "\n"},
        ),
        ("bytes.len", f"bytes | {FIELD}.bytes.len = 2", {"a": ""}),
        ("bytes.ip", f"bytes | {FIELD}.bytes.ip = true", {"a": "YQ=="}),
        ("string.web_url", "string | (rhtmx.v1.field).web_url = true", {"a": "b"}),
        ("repeated.min_items", f"repeated string | {FIELD}.repeated.min_items = 1", {"a": []}),
        (
            "string.min_len",
            f"repeated string | {FIELD}.repeated.items.string.min_len = 2",
            {"a": ["b"]},
        ),
        (
            "string.max_len",
            f"map<string, int32> | {FIELD}.map.keys.string.max_len = 1",
            {"a": {"bb": 1}},
        ),
        ("int32.gt", f"map<string, int32> | {FIELD}.map.values.int32.gt = 1", {"a": {"b": 1}}),
        (
            "timestamp.lt_now",
            f"google.protobuf.Timestamp | {FIELD}.timestamp.lt_now = true",
            {"a": "2999-01-01T00:00:00Z"},
        ),
        ("odd", f'int32 | {FIELD}.cel = {{id: "odd" message: "m" expression: "this == 1"}}', {}),
    ],
)
def test_words_for_each_id_that_a_violation_can_have_are_said(
    name: str, rest: str, record: dict[str, Json]
) -> None:
    found = judge(tables_of(with_words(name, rest))["Task"], record)
    assert [(each.code, each.message) for each in found] == [(name, "x")]


def test_examples_are_no_rules() -> None:
    assert rows(task('string a = 1 [(buf.validate.field).string.example = "x"];')) == []


def test_all_rules_of_an_ignored_field_are_left_out_even_wrong_ones() -> None:
    """As protovalidate does: it never looks at them."""
    schema = task("string a = 1 [(buf.validate.field) = {ignore: IGNORE_ALWAYS int32: {gt: 1}}];")
    assert problems(schema) == []
    assert judge(tables_of(schema)["Task"], {"a": ""}) == ()


def test_fields_of_a_oneof_rule_are_ignored_where_they_are_zero() -> None:
    option = 'option (buf.validate.message).oneof = {fields: ["a", "b"]};'
    schema = task(
        "string a = 1 [(buf.validate.field).string.min_len = 2];\n  string b = 2;", option
    )
    table = compile_schema(schema).tables["app.v1.Task"]
    assert [each.rules.ignore_zero for each in table.fields] == [True, True]
    assert table.rules == (OneofRow("", ("a", "b"), False),)


def test_a_oneof_rule_knows_which_fields_can_be_absent() -> None:
    option = 'option (buf.validate.message).oneof = {fields: ["a", "b"]};'
    schema = task("optional string a = 1;\n  string b = 2;", option)
    table = compile_schema(schema).tables["app.v1.Task"]
    assert table.rules == (OneofRow("", ("a", "b"), False, ("a",)),)


PREDEFINED = """\
syntax = "proto2";
package app.v1;
import "buf/validate/validate.proto";
extend buf.validate.StringRules {
  optional string begins = 80048954 [(buf.validate.predefined).cel = {
    id: "string.begins"
    expression: "this.startsWith(rule) ? '' : 'must begin with ' + rule"
  }];
  optional bool odd = 80048955 [(buf.validate.predefined).cel = {
    id: "string.odd"
    message: "must be odd"
    expression: "!rule || rules.min_len == 1u && size(this) % 2 == 1"
  }];
  optional bool nothing = 80048956;
  optional bool far = 80048958 [(buf.validate.predefined).cel = {
    id: "string.far"
    expression: "this.far()"
  }];
}
extend buf.validate.Fixed32Rules {
  optional fixed32 times = 80048957 [(buf.validate.predefined).cel = {
    id: "fixed32.times"
    message: "must be a multiple"
    expression: "this % rule == 0u"
  }];
}
"""


def predefined(rules: str, option: str = "", more: str = "") -> Schema:
    text = (
        HEAD
        + 'import "rules.proto";\n'
        + f"message Task {{ {option}\n"
        + f"  string a = 1 [(buf.validate.field).string = {{{rules}}}{more}];\n}}\n"
    )
    files = {"app.proto": text, "rules.proto": PREDEFINED}
    return read_schema(descriptors(files), ["app.proto"])


def test_predefined_rules_are_never_skipped() -> None:
    """The options of their extensions are read by the schema's own pool."""
    schema = predefined('min_len: 1 [app.v1.begins]: "a" [app.v1.odd]: true')
    table = tables_of(schema)["Task"]
    assert judge(table, {"a": "abc"}) == ()
    assert judge(table, {"a": "bc"}) == (
        Violation("a", "string.begins", "must begin with a"),
        Violation("a", "string.odd", "must be odd"),
    )


def test_a_predefined_rule_knows_of_what_type_its_argument_is() -> None:
    """A `fixed32` is an `uint` of CEL, though a number is a number in Python."""
    text = "message Task { fixed32 a = 1 [(buf.validate.field).fixed32.(app.v1.times) = 3]; }"
    files = {"app.proto": f'{HEAD}import "rules.proto";\n{text}', "rules.proto": PREDEFINED}
    table = tables_of(read_schema(descriptors(files), ["app.proto"]))["Task"]
    assert judge(table, {"a": 6}) == ()
    assert judge(table, {"a": 7}) == (Violation("a", "fixed32.times", "must be a multiple"),)


def test_a_predefined_rule_is_left_to_the_server_by_its_id() -> None:
    option = 'option (rhtmx.v1.entity) = {server_only_rules: "string.far"};'
    schema = predefined("[app.v1.far]: true", option)
    assert problems(schema) == []
    assert tables_of(schema)["Task"].server_rules == ("string.far",)


def test_an_extension_that_says_no_rule_is_refused() -> None:
    (problem,) = problems(predefined("[app.v1.nothing]: true"))
    assert "app.v1.nothing: it has no (buf.validate.predefined)" in problem


def test_what_a_table_names_is_known() -> None:
    schema = schema_of(
        "message Task { Part part = 1; repeated Level level = 2; string a = 3; }\n"
        "message Part {}\nenum Level { LEVEL_UNSPECIFIED = 0; }\n"
    )
    named = messages_within(schema.messages["app.v1.Task"])
    assert named == ("app.v1.Part", "app.v1.Level")


def test_a_field_that_never_leaves_the_server_is_not_in_the_table_of_a_browser() -> None:
    option = (
        "option (rhtmx.v1.entity) = {}; "
        'option (buf.validate.message).cel = {id: "r" expression: "this.secret != this.a"};'
    )
    schema = task(
        "string a = 1;\n  string secret = 2 [(rhtmx.v1.field).server_only = true];", option
    )
    assert "secret" not in "".join(typescript_tables(schema)["app.v1.Task"])
    assert "secret" in "".join(python_tables(schema)["app.v1.Task"])
