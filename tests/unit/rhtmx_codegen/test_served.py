"""Facts about `rhtmx_codegen.served` and `rhtmx_codegen.visible`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_codegen.pool import Pool, bare_set, plain_files
from rhtmx_codegen.read import read_schema
from rhtmx_codegen.served import served_descriptors
from rhtmx_codegen.visible import hidden_of
from tests.support.sample_schema import sample
from tests.support.schemas import schema_of
from tests.support.seen import seen_schema

PARTS = """
message Task {
  option (rhtmx.v1.entity) = {};
  option (buf.validate.message) = {
    cel: {id: "a" expression: "this.secret == ''" message: "x"}
    cel: {id: "b" expression: "this.title == '' || this.title != 'x'" message: "x"}
    oneof: {fields: ["title", "secret"] required: true}
    oneof: {fields: ["title", "other", "secret"] required: true}
  };
  string title = 1;
  string secret = 2 [(rhtmx.v1.field).server_only = true];
  oneof choice {
    option (buf.validate.oneof).required = true;
    string red = 3;
  }
  oneof gone { string green = 5 [(rhtmx.v1.field).server_only = true]; }
  optional string later = 6;
  string other = 7;
  Kept.Inner inner = 8;
  Kept kept = 9 [(rhtmx.v1.field).server_only = true];
}
message Kept {
  message Inner { string a = 1; }
  message Lost { string b = 1; }
  string c = 1;
  Lost lost = 2;
}
"""


def opened(served: bytes, file: str, name: str) -> tuple[Pool, Any]:
    pool = Pool(served)
    (node,) = [each for each in pool.files[file].message_type if each.name == name]
    return pool, node


def test_without_hidden_fields_it_is_the_set_as_it_was() -> None:
    schema = schema_of("message A { string b = 1; }")
    assert not hidden_of(schema)
    assert served_descriptors(schema) == bare_set(schema.descriptors, schema.files)


@pytest.mark.parametrize("word", [b"hidden", b"Hidden", b"HIDDEN"])
def test_neither_hidden_fields_nor_what_only_they_need_is_in_it(word: bytes) -> None:
    assert word in bare_set(seen_schema().descriptors, seen_schema().files)
    assert word not in served_descriptors(seen_schema())


def test_other_programs_can_read_it() -> None:
    served = served_descriptors(sample())
    schema = read_schema(served, ["sample.proto"])
    task = schema.messages["sample.v1.Task"]
    assert "internal_note" not in {each.name for each in task.fields}
    assert len(task.fields) == len(sample().messages["sample.v1.Task"].fields) - 1


def test_the_numbers_of_hidden_fields_are_reserved_and_not_their_names() -> None:
    _, node = opened(served_descriptors(seen_schema()), "seen.proto", "Account")
    assert sorted((each.start, each.end) for each in node.reserved_range) == [
        (3, 4),
        (4, 5),
        (5, 6),
    ]
    assert list(node.reserved_name) == []


def test_oneofs_and_rules_keep_what_is_seen_of_them() -> None:
    served = served_descriptors(schema_of(PARTS))
    pool, node = opened(served, "app.proto", "Task")
    assert [each.name for each in node.oneof_decl] == ["choice", "_later"]
    later = next(each for each in node.field if each.name == "later")
    assert node.oneof_decl[later.oneof_index].name == "_later"
    assert pool.option(node.oneof_decl[0], "buf.validate.oneof").required
    rules = pool.option(node, "buf.validate.message")
    assert [each.id for each in rules.cel] == ["b"]
    assert [(list(each.fields), each.required) for each in rules.oneof] == [
        (["title", "other"], False)
    ]


def test_of_a_hidden_type_stays_only_what_is_seen_elsewhere() -> None:
    served = served_descriptors(schema_of(PARTS))
    _, node = opened(served, "app.proto", "Kept")
    assert [each.name for each in node.nested_type] == ["Inner"]
    assert list(node.field) == []


def test_all_else_is_byte_for_byte_as_it_was() -> None:
    schema = seen_schema()
    before = {
        each.name: each.SerializeToString(deterministic=True)
        for each in plain_files(bare_set(schema.descriptors, schema.files))
    }
    after = {
        each.name: each.SerializeToString(deterministic=True)
        for each in plain_files(served_descriptors(schema))
    }
    assert list(before) == list(after)
    assert [name for name in before if before[name] != after[name]] == ["seen.proto"]
