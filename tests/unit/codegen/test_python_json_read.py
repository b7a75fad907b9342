from __future__ import annotations

import ast

import pytest

from codegen.model import Schema
from codegen.python_json_read import HEAD, Way, frame_union, read_message


@pytest.fixture(scope="module")
def glue(schema: Schema) -> dict[str, str]:
    """The source of every class and function of the reading half by name."""
    lines = [HEAD]
    for message in schema.wire_messages:
        for tag in ("", "tag"):
            lines += read_message(message, tag, schema)
    return {
        node.name: ast.unparse(node)
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


def test_decoding_is_straight_line_code_without_reflection(glue: dict[str, str]) -> None:
    for way in Way:
        decoder = glue[f"_{way.value}_push_frame"]
        assert "out.entity = view.entity" in decoder
        assert "getattr" not in decoder
        assert "for " not in decoder


def test_a_struct_is_generic_in_what_differs_between_the_ways(glue: dict[str, str]) -> None:
    assert "class PushFrame(Struct, Generic[J, N]," in glue["PushFrame"]
    assert "class LimitsView(Struct, Generic[N]," in glue["LimitsView"]
    assert "class PingFrame(Struct, kw_only" in glue["PingFrame"]
    assert "since: dict[str, PositionView[N]] | None = None" in glue["SubscribeFrame"]


def test_an_embedded_value_is_parsed_in_one_way_and_raw_in_the_other(
    glue: dict[str, str],
) -> None:
    assert "data: J = NULL" in glue["PushFrame"]
    assert "view: PushFrame[Shallow, Whole]" in glue["_plain_push_frame"]
    assert "out.data = plain_value(view.data)" in glue["_plain_push_frame"]
    assert "view: PushFrame[Raw, Integer]" in glue["_raw_push_frame"]
    assert "out.data = raw_value(view.data)" in glue["_raw_push_frame"]


def test_a_float_is_an_integer_in_the_raw_way_only(glue: dict[str, str]) -> None:
    assert "out.seq = view.seq\n" in glue["_plain_push_frame"]
    assert "integral(view.seq) if isinstance(view.seq, float)" in glue["_raw_push_frame"]


def test_the_plain_way_looks_at_the_keys_of_a_map(glue: dict[str, str]) -> None:
    assert "{plain_key(key): " in glue["_plain_subscribe_frame"]
    assert "{key: " in glue["_raw_subscribe_frame"]


def test_a_frame_is_any_case(schema: Schema) -> None:
    for way in Way:
        assert frame_union(way, schema).count("Frame") == len(schema.cases)
