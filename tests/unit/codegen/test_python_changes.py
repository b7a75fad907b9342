"""The direct writers follow the schema. That their bytes are right the wire's tests show."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from codegen.model import Field, Kind, Label, Schema
from codegen.python_changes import emit_changes


def grown(schema: Schema, **what: object) -> Schema:
    """The schema with one more field in a `change`: `client_id` again, but for `what`."""
    log = schema.message("ChangeLog")
    like: Field = next(field for field in log.fields if field.name == "client_id")
    more = dataclasses.replace(like, **{"name": "device", "number": 90, **what})  # type: ignore[arg-type]
    larger = dataclasses.replace(log, fields=(*log.fields, more))
    messages = tuple(larger if each is log else each for each in schema.messages)
    return dataclasses.replace(schema, messages=messages)


def function(text: str, name: str) -> ast.FunctionDef:
    (found,) = [
        each
        for each in ast.walk(ast.parse(text))
        if isinstance(each, ast.FunctionDef) and each.name == name
    ]
    return found


@pytest.mark.parametrize("name", ["json_change_writer", "proto_change_writer"])
def test_a_field_that_is_new_in_the_schema_is_written_by_both_writers(
    schema: Schema, name: str
) -> None:
    writer = function(emit_changes(grown(schema)), name)
    (write,) = [each for each in writer.body if isinstance(each, ast.FunctionDef)]
    assert write.args.args[-1].arg == "device"
    used = [each.id for each in ast.walk(write) if isinstance(each, ast.Name)]
    assert used.count("device") == 2  # whether it is there, and it


def test_a_field_that_the_case_always_has_is_no_argument(schema: Schema) -> None:
    writer = function(emit_changes(schema), "proto_field_change_writer")
    assert "out.more = True" in ast.unparse(writer)
    assert not [
        each for each in ast.walk(writer) if isinstance(each, ast.arg) and each.arg == "more"
    ]


@pytest.mark.parametrize(
    "what",
    [
        {"kind": Kind.MESSAGE, "type_name": "Position"},
        {"label": Label.REPEATED},
        {"label": Label.MAP},
        {"kind": Kind.ENUM, "type_name": "ChangeAction", "label": Label.OPTIONAL},
        {"kind": Kind.TIME, "label": Label.OPTIONAL},
    ],
    ids=str,
)
def test_a_field_that_is_no_column_is_refused_with_its_place(
    schema: Schema, what: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"entity\.proto:\d+: 'device' cannot be written straight"):
        emit_changes(grown(schema, **what))
