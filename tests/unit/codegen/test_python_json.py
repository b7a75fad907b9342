from __future__ import annotations

import ast

import pytest

from codegen.model import Schema
from codegen.python_json import emit_json_glue


@pytest.fixture(scope="module")
def glue(schema: Schema) -> dict[str, str]:
    """The source of every class and function of the glue by name."""
    nodes = ast.parse(emit_json_glue(schema)).body
    return {
        node.name: ast.unparse(node)
        for node in nodes
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


def test_every_case_is_a_struct_told_apart_by_type(schema: Schema, glue: dict[str, str]) -> None:
    for case in schema.cases:
        assert f"tag_field='type', tag='{case.name}'" in glue[f"{case.message}Frame"]


def test_a_message_inside_another_has_no_type(glue: dict[str, str]) -> None:
    assert "tag_field" not in glue["ChangeLogView"]


def test_encoding_always_writes_embedded_values(glue: dict[str, str]) -> None:
    assert "'data': Raw(message.data) if message.data else None" in glue["_to_push_frame"]


def test_encoding_leaves_out_absent_fields(glue: dict[str, str]) -> None:
    assert "if message.seq is not None:" in glue["_to_push_frame"]
    assert "if message.since:" in glue["_to_subscribe_frame"]
