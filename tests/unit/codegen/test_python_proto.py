from __future__ import annotations

import ast

import pytest

from codegen.model import Schema
from codegen.python_proto import emit_proto_glue


@pytest.fixture(scope="module")
def glue(schema: Schema) -> dict[str, str]:
    """The source of every function of the glue by name."""
    nodes = ast.parse(emit_proto_glue(schema)).body
    return {node.name: ast.unparse(node) for node in nodes if isinstance(node, ast.FunctionDef)}


def test_every_message_can_be_read_and_written(schema: Schema, glue: dict[str, str]) -> None:
    readers = [name for name in glue if name.startswith("_from_")]
    writers = [name for name in glue if name.startswith("_fill_")]
    assert len(readers) == len(writers) == len(schema.messages)


def test_reading_refuses_what_protobuf_lets_pass(glue: dict[str, str]) -> None:
    push = glue["_from_push"]
    assert "in_range(source.seq, where, 'seq')" in push
    assert "refuse_enum(CHANGE_ACTION_SPELLINGS, source.action, where, 'action')" in push
    assert "embedded(source.data, where, 'data')" in push
    assert "missing(where, 'created_at')" in glue["_from_change_log"]
    assert "check_map_key(key, where, 'since')" in glue["_from_subscribe"]


def test_an_empty_message_is_written_as_present(glue: dict[str, str]) -> None:
    assert "out.SetInParent()" in glue["_fill_ping"]
    assert "out.SetInParent()" in glue["_fill_hello"]
    assert "out.SetInParent()" not in glue["_fill_push"]


def test_a_required_field_that_is_not_there_cannot_be_written(glue: dict[str, str]) -> None:
    assert "required(message.created_at, 'created_at')" in glue["_fill_change_log"]
