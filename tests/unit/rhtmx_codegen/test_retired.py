"""Facts about `rhtmx_codegen.retired`: the names that no code translates in older writes."""

from __future__ import annotations

import pytest

from rhtmx_codegen.lock import NO_LOCK, Lock, with_version
from rhtmx_codegen.model import Retired
from rhtmx_codegen.retired import retired
from tests.support.schemas import schema_of

BEFORE = """
enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_HIGH = 1; LEVEL_GONE = 2; }
message Part { string name = 1; Level level = 2; repeated Part parts = 3; Size size = 4; }
message Size { int64 wide = 1; }
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  Level level = 1;
  repeated Level levels = 2;
  map<string, Level> by_day = 3;
  Part part = 4;
  repeated Part many = 5;
  map<string, Size> sizes = 6;
  string title = 7;
  Part other = 8;
}
message Old { option (rhtmx.v1.entity) = {}; string a = 1; }
message NewForm { option (rhtmx.v1.form) = {}; Level level = 1; }
"""
WORD = ("LEVEL_HIGH", "LEVEL_TOP")
KEY = ("string name = 1; Level", "string title = 1; Level")
INNER = ("int64 wide = 1;", "int64 width = 1;")


def changed(*changes: tuple[str, str], version: int = 2) -> str:
    text = BEFORE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return f"option (rhtmx.v1.schema) = {{version: {version}}};" + text


def found(*texts: str) -> set[tuple[int, str, tuple[str, ...], str | None]]:
    lock: Lock = NO_LOCK
    for text in (BEFORE, *texts):
        schema = schema_of(text)
        told = retired(lock, schema)
        lock = with_version(lock, schema)
    return {(each.version, each.entity, each.path, each.word) for each in told}


def test_a_word_of_an_enum_is_found_wherever_it_may_stand() -> None:
    places: list[tuple[str, ...]] = [
        ("level",), ("levels", ""), ("by_day", ""), ("part", "level"), ("many", "", "level"),
        ("other", "level"),
    ]  # fmt: skip
    assert found(changed(WORD)) == {(2, "tasks", each, "high") for each in places}


def test_a_key_within_a_value_is_found_wherever_it_may_stand() -> None:
    named = {("part", "name"), ("many", "", "name"), ("other", "name")}
    assert found(changed(KEY)) == {(2, "tasks", each, None) for each in named}
    wide = {("sizes", "", "wide"), *((*each[:-1], "size", "wide") for each in named)}
    assert found(changed(INNER)) == {(2, "tasks", each, None) for each in wide}


@pytest.mark.parametrize(
    "change",
    [
        ('name: "tasks"', 'name: "todos"'),
        ('message Task {\n  option (rhtmx.v1.entity) = {name: "tasks"};', "message Task {"),
    ],
)
def test_an_entity_that_is_called_otherwise_or_gone_is_found(change: tuple[str, str]) -> None:
    assert found(changed(change)) == {(2, "tasks", (), None)}


@pytest.mark.parametrize(
    "change",
    [
        ("message Task", "message Todo"),
        ("string title = 7;", 'string title = 7 [json_name = "name"];'),
        ("LEVEL_GONE = 2;", "reserved 2;"),
        ("string name = 1; Level", "reserved 1; Level"),
        ("Level level = 1;\n  repeated", "string level = 1;\n  repeated"),
        ("string a = 1;", "string b = 1;"),
    ],
)
def test_what_is_free_or_translated_by_code_is_none(change: tuple[str, str]) -> None:
    assert found(changed(change)) == set()


def test_each_version_says_what_it_calls_otherwise_than_the_one_before_it() -> None:
    second = changed(WORD, ("string title = 7;", "string headline = 7;"))
    third = changed(("LEVEL_HIGH", "LEVEL_SKY"), INNER, version=3)
    told = found(second, third)
    assert (2, "tasks", ("level",), "high") in told
    assert (3, "tasks", ("level",), "top") in told
    assert (3, "tasks", ("sizes", "", "wide"), None) in told
    assert Retired(2, "tasks").path == ()
