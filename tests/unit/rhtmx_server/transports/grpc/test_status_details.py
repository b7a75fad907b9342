"""Facts about `rhtmx_server.transports.grpc.status_details`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

from rhtmx.errors import Violation
from rhtmx_server.transports.grpc.status_details import encode_status

# As `google/rpc/status.proto` and `buf/validate/validate.proto` number them.
SCHEMA = """
syntax = "proto3";
package foreign;
import "google/protobuf/any.proto";
message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
message Violations { repeated Violation violations = 1; }
message Violation {
  FieldPath field = 5; optional string rule_id = 2; optional string message = 3;
}
message FieldPath { repeated Element elements = 1; }
message Element {
  optional string field_name = 2;
  oneof subscript {
    uint64 index = 6; bool bool_key = 7; int64 int_key = 8; string string_key = 10;
  }
}
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "foreign.proto").write_text(SCHEMA)
    out, well_known = folder / "set.bin", Path(protoc.__file__).parent / "_proto"
    arguments = ["", f"-I{folder}", f"-I{well_known}", f"--descriptor_set_out={out}"]
    assert protoc.main([*arguments, "foreign.proto"]) == 0
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    names = ("Status", "Violations")
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"foreign.{name}"))
        for name in names
    }


def read(foreign: dict[str, Any], written: bytes) -> tuple[Any, Any]:
    status = foreign["Status"].FromString(written)
    (detail,) = status.details
    assert detail.type_url == "type.googleapis.com/buf.validate.Violations"
    return status, foreign["Violations"].FromString(detail.value)


def test_a_foreign_client_reads_rule_and_words(foreign: dict[str, Any]) -> None:
    found = [Violation("age", "int32.gte", "must be 18 or more"), Violation("", "", "no")]
    status, violations = read(foreign, encode_status(3, "not valid: 5", found))
    assert (status.code, status.message) == (3, "not valid: 5")
    age, whole = violations.violations
    assert (age.rule_id, age.message) == ("int32.gte", "must be 18 or more")
    assert [each.field_name for each in age.field.elements] == ["age"]
    assert (whole.message, whole.HasField("rule_id"), whole.HasField("field")) == (
        "no",
        False,
        False,
    )


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("address.street", [("address", None), ("street", None)]),
        ("lines[2].price", [("lines", 2), ("price", None)]),
        ('notes["a.b[0]"]', [("notes", "a.b[0]")]),
        ('notes["say \\"no\\""].x', [("notes", 'say "no"'), ("x", None)]),
        ("flags[true]", [("flags", True)]),
        ("counts[-7]", [("counts", -7)]),
    ],
)
def test_a_path_says_each_of_its_steps(
    foreign: dict[str, Any], path: str, steps: list[tuple[str, object]]
) -> None:
    _, violations = read(foreign, encode_status(3, "", [Violation(path, "", "no")]))
    (violation,) = violations.violations
    found = []
    for element in violation.field.elements:
        kind = element.WhichOneof("subscript")
        found.append((element.field_name, getattr(element, kind) if kind else None))
    assert found == steps
