"""Facts about `rhtmx_codegen.defaults`: which JSON is a value of which field."""

from __future__ import annotations

import pytest

from rhtmx_codegen.defaults import misfit
from rhtmx_codegen.model import Field, Schema
from tests.support.schemas import HEAD, schema_of

TEXT = """\
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
enum State { STATE_A = 0; STATE_B = 1; }
message Task {
  string text = 1; bool flag = 2; bytes raw = 3; int32 small = 4; uint32 natural = 5;
  int64 large = 6; uint64 text_of = 7 [jstype = JS_STRING]; float single = 8; double wide = 9;
  State state = 10; google.protobuf.Timestamp at = 11; google.protobuf.Duration span = 12;
  Task inner = 13; google.protobuf.Any any = 14; google.protobuf.FieldMask mask = 15;
  google.protobuf.Value value = 16; google.protobuf.Struct struct = 17;
  google.protobuf.ListValue list = 18; repeated int32 many = 19; map<string, State> by_name = 20;
  google.protobuf.Int32Value wrapped = 21;
}
"""
GOOD = {
    "text": ['"a"', '""'],
    "flag": ["true"],
    "raw": ['"AA=="', '""'],
    "small": ["-2147483648", "1.0", "1e2"],
    "natural": ["4294967295"],
    "large": ["-9007199254740991"],
    "text_of": ['"18446744073709551615"', '"0"'],
    "single": ["0.1", "3.4028234663852886e38"],
    "wide": ["1", "1e308"],
    "state": ['"a"', '"b"'],
    "at": ['"2026-11-29T12:00:00.123456Z"', '"2026-11-29T12:00:00+01:00"'],
    "span": ['"1.5s"', '"-0.5s"'],
    "inner": ["{}"],
    "any": ['{"@type": "a"}'],
    "mask": ['"a,b"'],
    "value": ["null", "[1]"],
    "struct": ["{}"],
    "list": ["[]"],
    "many": ["[]", "[1, 2]"],
    "by_name": ['{"x": "a"}'],
    "wrapped": ["1"],
}
BAD = {
    "text": ["1", "null", "red", '"'],
    "flag": ["1", '"true"'],
    "raw": ['"A"', '"%"', "1"],
    "small": ["2147483648", "1.5", "true", '"1"', "NaN"],
    "natural": ["-1"],
    "large": ["9007199254740992"],
    "text_of": ["1", '"18446744073709551616"', '"01"', '"-1"', '"٣"'],
    "single": ["1e39", "Infinity", "true"],
    "wide": ['"1"'],
    "state": ['"c"', "0", '"STATE_A"'],
    "at": ['"2026-11-29"', "0", '"2026-11-29T12:00:00"'],
    "span": ['"1"', "1", '"1.0000000001s"'],
    "inner": ["[]"],
    "any": ["{}"],
    "mask": ["[]"],
    "value": ["NaN", "-Infinity"],
    "struct": ["[]"],
    "list": ["{}"],
    "many": ["1", '["1"]', "{}"],
    "by_name": ["[]", '{"x": "c"}'],
    "wrapped": ['"1"'],
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_of(TEXT, HEAD)


@pytest.fixture(scope="module")
def fields(schema: Schema) -> dict[str, Field]:
    return {field.name: field for field in schema.messages["app.v1.Task"].fields}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in GOOD.items() for t in texts])
def test_it_fits(name: str, text: str, schema: Schema, fields: dict[str, Field]) -> None:
    assert misfit(schema, fields[name], text) == ""


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in BAD.items() for t in texts])
def test_it_does_not_fit(name: str, text: str, schema: Schema, fields: dict[str, Field]) -> None:
    assert misfit(schema, fields[name], text) != ""


def test_words_of_an_enum_are_listed(schema: Schema, fields: dict[str, Field]) -> None:
    assert misfit(schema, fields["state"], "1") == 'one of "a", "b" expected, got 1'
