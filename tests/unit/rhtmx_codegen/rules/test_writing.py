"""Facts about `rhtmx_codegen.rules.python` and `typescript`: how traits and values are written."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from rhtmx_codegen.rules import python_tables, typescript_tables
from tests.support.judged import tables_of
from tests.support.schemas import schema_of


def written(field: str, kind: str = "entity") -> tuple[Any, str]:
    """The field as Python has it, and its line in TypeScript."""
    schema = schema_of(f"message Task {{ option (rhtmx.v1.{kind}) = {{}};\n  {field}\n}}\n")
    code = "\n".join(python_tables(schema)["app.v1.Task"])
    ast.parse(code)
    typescript = "\n".join(typescript_tables(schema)["app.v1.Task"])
    return tables_of(schema)["Task"].fields[0], " ".join(typescript.split())


@pytest.mark.parametrize(
    ("trait", "attribute", "value", "typescript"),
    [
        ("merge: MERGE_KEEP_BOTH", "merge", "keep_both", 'merge: "keep_both"'),
        ("read_only: true", "read_only", True, "s.STRING, 8]"),
        ("immutable: true", "immutable", True, "s.STRING, 16]"),
        ("secret: true", "secret", True, "s.STRING, 32]"),
        ("async: true", "asks", True, "s.STRING, 64]"),
        ("deliverable: true", "deliverable", True, "s.STRING, 64]"),
        ('label: "Say \\"hi\\""', "label", 'Say "hi"', 'label: "Say \\"hi\\""'),
        ('help: "é\\n"', "help", "é\n", 'help: "é\\n"'),
    ],
)
def test_a_trait_is_in_both_tables(
    trait: str, attribute: str, value: object, typescript: str
) -> None:
    kind = "form" if "async" in trait else "entity"
    field, code = written(f"string a = 1 [(rhtmx.v1.field) = {{{trait}}}];", kind)
    assert getattr(field, attribute) == value
    assert typescript in code


@pytest.mark.parametrize(
    ("default", "source", "value", "typescript"),
    [
        ('json: "\\"x\\""', "", "x", 'default: { value: "x" }'),
        ("now: true", "now", None, 'default: "now"'),
        ("subject: true", "subject", None, 'default: "subject"'),
        ("uuid7: true", "uuid7", None, 'default: "uuid7"'),
    ],
)
def test_a_default_is_a_value_or_what_makes_it(
    default: str, source: str, value: object, typescript: str
) -> None:
    kind = "google.protobuf.Timestamp" if source == "now" else "string"
    field, code = written(f"{kind} a = 1 [(rhtmx.v1.field).default = {{{default}}}];")
    assert (field.default.source, field.default.value) == (source, value)
    assert typescript in code


@pytest.mark.parametrize(
    ("kind", "rule", "argument", "typescript"),
    [
        ("int64", "int64.gt = 9007199254740993", 2**53 + 1, "9007199254740993n"),
        ("double", "double.gt = -inf", float("-inf"), "-Infinity"),
        ("double", "double.gt = 1e300", 1e300, "1e+300"),
        ("bytes", r'bytes.prefix = "\"\\\000a"', b'"\\\x00a', r'"\"\\\x00a"'),
        ("string", r'string.prefix = "\"\\\n"', '"\\\n', r'"\"\\\n"'),
        ("google.protobuf.Timestamp", "timestamp.gt = {seconds: 1}", 10**9, "1000000000n"),
    ],
)
def test_values_of_rules_are_the_same_in_both_languages(
    kind: str, rule: str, argument: object, typescript: str
) -> None:
    made, code = written(f"{kind} a = 1 [(buf.validate.field).{rule}];")
    assert made.checks[0][1] == argument
    assert typescript in code


def test_what_the_server_alone_judges_of_a_form_is_asked() -> None:
    option = 'option (rhtmx.v1.form) = {server_only_rules: ["odd", "whole"]};'
    rule = 'option (buf.validate.message).cel = {id: "whole" expression: "this.odd()"};'
    odd = 'string a = 1 [(buf.validate.field).cel = {id: "odd" expression: "this.odd()"}];'
    code = "".join(
        typescript_tables(schema_of(f"message SignUp {{ {option}{rule}{odd} }}"))["app.v1.SignUp"]
    )
    assert '["a", s.STRING, 64]' in code
    assert "asks: true" in code
