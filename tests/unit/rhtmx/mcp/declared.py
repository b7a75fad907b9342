"""A schema for these tests, as a server serves it."""

from __future__ import annotations

import json
from functools import cache

from rhtmx.mcp.document import SchemaDocument, read_document
from tests.support.generated import schema_package

SCHEMA = """
// How urgent it is.
enum Priority {
  PRIORITY_UNSPECIFIED = 0;
  PRIORITY_HIGH = 1;
}
// One thing to do.
message Task {
  option (rhtmx.v1.entity) = {
    name: "tasks"
    partition: {fields: "team"}
    partition: {fields: "team" fields: "done"}
    access: {actions: ACTION_READ tenant: {field: "team" claim: "teams"}}
    access: {actions: ACTION_DELETE role: "admin"}
  };
  option (buf.validate.message).cel = {
    id: "title_is_not_team" message: "must differ" expression: "this.title != this.team"
  };
  message Step {
    string text = 1;
    repeated Step steps = 2;
    string pin = 3 [(rhtmx.v1.field).secret = true];
  }
  // In a few words.
  string title = 1 [(buf.validate.field) = {required: true, string: {max_len: 20}}];
  string team = 2 [(rhtmx.v1.field).immutable = true, (buf.validate.field).required = true];
  string owner = 3 [(rhtmx.v1.field) = {read_only: true, default: {subject: true}}];
  int64 votes = 4 [(rhtmx.v1.field).merge = MERGE_COUNTER];
  repeated string labels = 5 [(rhtmx.v1.field).merge = MERGE_SET];
  google.protobuf.Timestamp due = 6 [(rhtmx.v1.field) = {label: "Due" help: "The last day."}];
  Priority priority = 7;
  Priority closed = 8 [(buf.validate.field).enum.defined_only = true];
  repeated Step steps = 9;
  bool done = 10;
  string code = 11 [(rhtmx.v1.field).secret = true];
  string place = 12 [json_name = "location"];
  oneof source {
    string url = 13 [(buf.validate.field).string.uri = true];
    string ticket = 14;
  }
  string cost = 15 [(rhtmx.v1.field) = {merge: MERGE_COUNTER, scale: 2}];
  string kind = 16 [
    (buf.validate.field).required = true,
    (rhtmx.v1.field).default = {json: "\\"chore\\""}
  ];
}
message Reading {
  option (rhtmx.v1.entity) = {name: "wetter/luft", whole: true};
  int64 votes = 1;
}
// How somebody joins.
message SignUp {
  option (rhtmx.v1.form) = {name: "signup"};
  string email = 1 [(buf.validate.field) = {required: true, string: {email: true}}];
  int32 age = 2;
  repeated string topics = 3;
  bool terms = 4;
}
"""


@cache
def document() -> SchemaDocument:
    """The document, read."""
    return read_document(text())


def text() -> bytes:
    """The document."""
    return json.dumps(json.loads(schema_package(SCHEMA).schema.json_schema)).encode()
