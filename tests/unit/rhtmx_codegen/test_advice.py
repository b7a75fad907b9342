"""Facts about `rhtmx_codegen.advice`: what the compiler says is followed by what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhtmx_codegen.advice import advice
from rhtmx_codegen.buf import build
from rhtmx_codegen.problems import Location, SchemaError
from tests.support.schemas import HEAD, write


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SchemaError) as caught:
        build([write(folder, "app.proto", text)])
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "home"),
    [
        ("string a = 1 [(buf.validate.field).required = true];", "buf/validate/validate"),
        ("option (rhtmx.v1.entity) = {};", "rhtmx/v1/schema"),
        ("google.protobuf.Timestamp a = 1;", "google/protobuf/timestamp"),
        ("google.protobuf.Value a = 1;", "google/protobuf/struct"),
        ("google.protobuf.StringValue a = 1;", "google/protobuf/wrappers"),
    ],
)
def test_a_forgotten_import_is_named(tmp_path: Path, words: str, home: str) -> None:
    said = refused(tmp_path, f'syntax = "proto3"; message A {{ {words} }}')
    assert said.endswith(f'in this scope: is there an `import "{home}.proto";`?')


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (
            "string a = 1 [(buf.validate.field).string.maxlen = 3];",
            "`maxlen` in `buf.validate.StringRules`: did you mean max_len?",
        ),
        ("string a = 1 [(buf.validate.field).string.q = 3];", "`q` in `buf.validate.StringRules`"),
        ("string a = 1 [(rhtmx.v1.field).readonly = true];", ": did you mean read_only?"),
        ('option (rhtmx.v1.entity) = {nam: "a"};', ": it has no `nam`: did you mean name?"),
        (
            'option (rhtmx.v1.entity) = {access: {read: {field: "a"}}};',
            ": it has no `read`: take one of actions, owner, role, tenant, equal, anyone, "
            "signed_in, backend",
        ),
        (
            "option (rhtmx.v1.entity) = {access: {actions: ACTION_REED}};",
            "`ACTION_REED` in this scope: did you mean ACTION_READ?",
        ),
        ("FOO_BAR a = 1;", "cannot find `FOO_BAR` in this scope"),
        (
            'string a = 1 [(buf.validate.field).string.max_len = "3"];',
            "mismatched types: this option takes another kind of value: a number, a text in "
            "quotes, true or false, a word of an enum, or a message in braces",
        ),
    ],
)
def test_a_wrong_name_or_value_is_told_with_the_right_one(
    tmp_path: Path, words: str, end: str
) -> None:
    assert refused(tmp_path, f"{HEAD}message A {{ {words} }}").endswith(end)


@pytest.mark.parametrize("text", [b"", b"\n\n", "ä = {nam: 1}".encode("latin-1")])
def test_where_there_is_no_name_none_is_told(text: bytes) -> None:
    said = "cannot resolve message field name for `rhtmx.v1.EntityOptions`"
    assert advice(said, Location("app.proto", 2, 99), {"app.proto": text}) == ""
