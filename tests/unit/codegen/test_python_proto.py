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
    writers = [name for name in glue if name.startswith("_fill_") and "_from_" not in name]
    assert len(readers) == len(writers) == len(schema.messages)


def test_reading_refuses_what_protobuf_lets_pass(glue: dict[str, str]) -> None:
    push = glue["_from_push"]
    assert "MIN_INTEGER <= (number := source.seq) <= MAX_INTEGER" in push
    assert "in_range(number, where, 'seq')" in push
    assert "refuse_enum(CHANGE_ACTION_SPELLINGS, source.action, where, 'action')" in push
    assert "embedded(data, where, 'data') if (data := source.data) or has('data')" in push
    assert "missing(where, 'created_at')" in glue["_from_change_log"]
    assert "check_map_key(key, where, 'since')" in glue["_from_subscribe"]


def test_an_empty_message_is_written_as_present(glue: dict[str, str]) -> None:
    assert "out.SetInParent()" in glue["_fill_ping"]
    assert "out.SetInParent()" in glue["_fill_hello"]
    assert "out.SetInParent()" not in glue["_fill_push"]


def test_a_message_with_many_fields_that_may_be_absent_is_filled_by_several_functions(
    glue: dict[str, str],
) -> None:
    assert "out.key = message.key" in glue["_fill_field_conflict"]
    more = "_fill_field_conflict_from_server_deleted"
    assert f"\n    {more}(message, out)" in glue["_fill_field_conflict"]
    assert "out.conflict = message.conflict" in glue[more]
    assert "out.SetInParent()" not in glue[more]


def test_a_required_field_that_is_not_there_cannot_be_written(glue: dict[str, str]) -> None:
    assert "absent('created_at')" in glue["_fill_change_log"]


def test_only_what_has_a_map_is_serialised_with_sorted_keys(schema: Schema) -> None:
    text = emit_proto_glue(schema)
    assert "messages.Subscribe: Codec(Subscribe, _from_subscribe, _fill_subscribe, True)" in text
    assert "messages.Push: Codec(Push, _from_push, _fill_push, False)" in text
    assert "messages.Envelope: Codec(Envelope, _from_envelope, _fill_envelope, True)" in text


def test_a_case_is_found_by_the_bytes_of_its_tag(schema: Schema) -> None:
    text = emit_proto_glue(schema)
    assert f'{0x7A}: ("push", Push.FromString, _from_push)' in text
    assert f'{0x01_CA}: ("push_fields", PushFields.FromString, _from_push_fields)' in text
