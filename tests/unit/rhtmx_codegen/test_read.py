"""Facts about `rhtmx_codegen.read`: what a schema is read as."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2

from rhtmx_codegen.model import Enum, Field, Kind, Message, Schema
from rhtmx_codegen.problems import Location, SchemaError
from rhtmx_codegen.read import read_schema
from tests.support.schemas import HEAD, descriptors, schema_of

TEXT = """\
option (rhtmx.v1.schema) = {version: 3 oldest: 2};

// One task.
// Of a list.
message Task {
  option (rhtmx.v1.entity) = {};
  string title = 1 [(buf.validate.field).string.min_len = 1]; // What it is called.
  optional bool done = 2;
  google.protobuf.Timestamp due_date = 3 [json_name = "due"];
  repeated int64 big = 4 [jstype = JS_STRING];
  map<string, State> states = 5;
  string camel_case = 6 [json_name = "camelCase"];
  oneof way {
    option (buf.validate.oneof).required = true;
    string by_mail = 7;
    Address to = 8;
  }
  // Nested.
  message Step { int32 number = 1; }
  Step step = 9 [deprecated = true];
  string plain_name = 10;
}
message Address { repeated Address others = 1; }
enum State {
  STATE_UNSPECIFIED = 0;
  STATE_IN_PROGRESS = 1; // Somebody is at it.
  STATE_2 = 2;
  STATE_DONE = 3 [(rhtmx.v1.word) = "finished"];
}
"""


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_of(TEXT)


@pytest.fixture(scope="module")
def task(schema: Schema) -> Message:
    return schema.messages["app.v1.Task"]


@pytest.fixture(scope="module")
def fields(task: Message) -> dict[str, Field]:
    return {field.name: field for field in task.fields}


@pytest.fixture(scope="module")
def state(schema: Schema) -> Enum:
    return schema.enums["app.v1.State"]


def test_version_and_oldest_are_what_the_file_says(schema: Schema) -> None:
    assert (schema.version, schema.oldest) == (3, 2)


def test_without_a_word_it_is_version_1_and_everybody_may_write() -> None:
    schema = schema_of("message A {}")
    assert (schema.version, schema.oldest) == (1, 0)


def test_messages_have_names_comments_and_places(schema: Schema, task: Message) -> None:
    assert list(schema.messages) == ["app.v1.Task", "app.v1.Task.Step", "app.v1.Address"]
    assert schema.messages["app.v1.Task.Step"].name == "Task.Step"
    assert task.comment == "One task.\nOf a list."
    assert task.location == Location("app.proto", 10, 1)
    assert task.entity is not None
    assert task.form is None


def test_options_are_messages_that_know_their_fields(fields: dict[str, Field]) -> None:
    assert fields["title"].rules.string.min_len == 1
    assert fields["title"].traits is None
    assert fields["done"].rules is None


def test_a_comment_behind_a_field_is_its_comment(fields: dict[str, Field]) -> None:
    assert fields["title"].comment == "What it is called."
    assert fields["title"].location == Location("app.proto", 12, 3)


def test_presence_is_what_can_be_absent(fields: dict[str, Field]) -> None:
    present = {name for name, field in fields.items() if field.presence}
    assert present == {"done", "due_date", "by_mail", "to", "step"}


def test_a_key_is_the_name_unless_a_json_name_is_written(fields: dict[str, Field]) -> None:
    """Even one that the compiler would fill in itself: the source tells that it is written."""
    keys = {name: field.key for name, field in fields.items() if field.key != name}
    assert keys == {"due_date": "due", "camel_case": "camelCase"}


def test_without_the_source_a_json_name_as_compilers_fill_it_in_is_not_seen() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors({"app.proto": HEAD + TEXT}))
    for file in files.file:
        file.ClearField("source_code_info")
    bare = read_schema(files.SerializeToString(), ["app.proto"]).messages["app.v1.Task"]
    assert {field.key for field in bare.fields} >= {"due", "camel_case", "plain_name"}
    assert bare.location == Location("app.proto")


def test_types_say_what_json_has(fields: dict[str, Field]) -> None:
    assert fields["due_date"].type.kind is Kind.TIMESTAMP
    assert fields["big"].type.text
    assert fields["big"].repeated
    assert fields["states"].map_key is not None
    assert fields["states"].map_key.kind is Kind.STRING
    assert fields["states"].type.name == "app.v1.State"
    assert not fields["states"].repeated
    assert fields["step"].deprecated


def test_a_oneof_is_not_that_of_an_optional_field(task: Message, fields: dict[str, Field]) -> None:
    (way,) = task.oneofs
    assert (way.name, way.fields, way.required) == ("way", ("by_mail", "to"), True)
    assert fields["to"].oneof == "way"
    assert fields["done"].oneof == ""


def test_words_are_in_snake_case_without_the_name_of_the_enum(state: Enum) -> None:
    assert [each.word for each in state.values] == [
        "unspecified",
        "in_progress",
        "state_2",
        "finished",
    ]
    assert state.values[1].comment == "Somebody is at it."


def test_what_is_used_of_other_files_belongs_to_it() -> None:
    other = 'syntax = "proto3"; package other; message Used {} message Unused {}'
    text = f'{HEAD}import "other.proto"; message A {{ other.Used used = 1; }}'
    files = descriptors({"app.proto": text, "other.proto": other})
    assert list(read_schema(files, ["app.proto"]).messages) == ["app.v1.A", "other.Used"]


def test_predefined_rules_of_the_application_are_known() -> None:
    rules = """\
edition = "2023"; package app.v1; import "buf/validate/validate.proto";
extend buf.validate.StringRules {
  bool loud = 80048952 [(buf.validate.predefined).cel = {
    id: "string.loud" expression: "this.endsWith('!')"}];
}"""
    text = f"""{HEAD}import "rules.proto";
message A {{ string b = 1 [(buf.validate.field).string.(loud) = true]; }}"""
    files = descriptors({"app.proto": text, "rules.proto": rules})
    (field,) = read_schema(files, ["app.proto"]).messages["app.v1.A"].fields
    ((extension, value),) = field.rules.string.ListFields()
    assert (extension.full_name, value) == ("app.v1.loud", True)


@pytest.mark.parametrize("edition", ["2023", "2024"])
def test_editions_say_presence_with_features(edition: str) -> None:
    text = """\
message A {
  string b = 1;
  string c = 2 [features.field_presence = IMPLICIT];
}"""
    head = HEAD.replace('syntax = "proto3"', f'edition = "{edition}"')
    schema = schema_of(text, head)
    assert [field.presence for field in schema.messages["app.v1.A"].fields] == [True, False]


def test_whoever_compiles_it_the_descriptors_are_the_same_bytes(schema: Schema) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors({"app.proto": HEAD + TEXT}))
    turned = descriptor_pb2.FileDescriptorSet(file=reversed(files.file))
    turned.file.add(name="else.proto")
    again = read_schema(turned.SerializeToString(), ["app.proto"])
    assert again.descriptors == schema.descriptors


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"\xff", "app.proto: that is no descriptor set"),
        (b"", "app.proto: the descriptor set lacks app.proto: build it with imports"),
    ],
)
def test_what_is_no_descriptor_set_is_refused(given: bytes, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema(given, ["app.proto"])
    assert str(caught.value).startswith(words)


def test_a_set_without_an_import_is_refused() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors({"app.proto": HEAD + TEXT}))
    kept = [file for file in files.file if file.name != "rhtmx/v1/schema.proto"]
    less = descriptor_pb2.FileDescriptorSet(file=kept).SerializeToString()
    with pytest.raises(SchemaError, match=r"lacks rhtmx/v1/schema.proto"):
        read_schema(less, ["app.proto"])
