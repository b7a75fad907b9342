"""Facts about `rhtmx_codegen.lock`: it keeps every version, as a text that can be merged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rhtmx_codegen.lock import NO_LOCK, Lock, read_lock, renames, with_version, write_lock
from rhtmx_codegen.model import Rename
from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.snapshot import hash_of
from tests.support.schemas import HEAD, schema_of

ENTITY = "option (rhtmx.v1.entity) = {};"
MASKS = f'{HEAD}import "google/protobuf/field_mask.proto";\n'


def version(number: int, fields: str) -> str:
    said = f"option (rhtmx.v1.schema).version = {number};"
    return f"{said}\nmessage Task {{ {ENTITY}\n{fields}\n}}\nenum State {{ A = 0; }}"


def locked(*texts: str) -> Lock:
    lock = NO_LOCK
    for text in texts:
        lock = with_version(lock, schema_of(text))
    return lock


def test_what_was_written_is_read_again() -> None:
    lock = locked(version(1, "string a = 1;"), version(2, "string b = 1;"))
    text = write_lock(lock)
    assert read_lock(text) == lock
    assert write_lock(read_lock(text)) == text
    assert list(lock) == [1, 2]


def test_a_version_that_is_locked_again_replaces_itself() -> None:
    once = locked(version(1, "string b = 1;"))
    assert locked(version(1, "string a = 1;"), version(1, "string b = 1;")) == once


def test_each_field_and_each_word_has_a_line() -> None:
    lines = write_lock(locked(version(1, "string a = 1;\nint32 b = 2;"))).splitlines()
    assert '            "1": {"name": "a", "key": "a", "type": "string"},' in lines
    assert '            "2": {"name": "b", "key": "b", "type": "int32"}' in lines
    assert '            "a": 0' in lines


def test_git_merges_fields_that_two_branches_add(tmp_path: Path) -> None:
    """To different messages; then the hash is in the way, and nothing else."""
    both = "message A {{ {} }} message B {{ {} }}"
    texts = {
        "base": both.format("string a = 1;", "string a = 1;"),
        "ours": both.format("string a = 1; string b = 2;", "string a = 1;"),
        "theirs": both.format("string a = 1;", "string a = 1; string c = 2;"),
        "all": both.format("string a = 1; string b = 2;", "string a = 1; string c = 2;"),
    }
    for name, text in texts.items():
        lines = write_lock(locked(text)).splitlines(keepends=True)
        without = "".join(line for line in lines if '"hash"' not in line)
        (tmp_path / name).write_text(without, encoding="utf-8")
    subprocess.run(["git", "merge-file", "ours", "base", "theirs"], cwd=tmp_path, check=True)
    assert (tmp_path / "ours").read_text() == (tmp_path / "all").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 1}',
        '{"format": 1, "versions": {"one": {}}}',
        '{"format": 1, "versions": {"1": {"messages": {}}}}',
        '{"format": 1, "versions": {"1": {"messages": {"A": {"fields": {"1": {}}}}, "enums": {}}}}',
        "<<<<<<< ours\n{}",
        b"\xff\xfe{",
        "[" * 100_000,
        *(
            f'{{"format": 1, "versions": {{"1": {{"messages": {{"A": {each}}}, "enums": {{}}}}}}}}'
            for each in (
                '{"fields": {"1": {"name": "a", "key": "a", "type": 3}}}',
                '{"fields": {"1": {"name": "a", "key": "a", "type": "string", "rules": []}}}',
                '{"fields": {}, "rules": 1}',
                '{"fields": {}, "entity": ["a"]}',
            )
        ),
        '{"format": 1, "versions": {"1": {"messages": {}, "enums": {"A": {"words": {"a": "b"}}}}}}',
    ],
)
def test_what_is_no_lock_is_refused(text: str | bytes) -> None:
    with pytest.raises(SchemaError, match=r"old\.lock(:1)?: it is no lock .* run `rhtmx codegen`"):
        read_lock(text, "old.lock")


def test_a_lock_of_the_future_is_refused() -> None:
    with pytest.raises(SchemaError, match="a newer rhtmx has written it"):
        read_lock('{"format": 2, "versions": {}}')


def test_a_key_that_changed_under_its_number_is_a_rename() -> None:
    lock = locked(version(1, "string titel = 1; string same = 2;"))
    schema = schema_of(version(2, "string title = 1; string same = 2;"))
    assert renames(lock, schema) == (Rename(2, "task", "titel", "title"),)


def test_a_name_that_changed_and_keeps_its_key_is_none() -> None:
    lock = locked(version(1, "string titel = 1;"))
    schema = schema_of(version(2, 'string title = 1 [json_name = "titel"];'))
    assert renames(lock, schema) == ()


def test_each_version_says_which_keys_it_has_renamed() -> None:
    lock = locked(version(1, "string a = 1;"), version(3, "string b = 1; string x = 2;"))
    schema = schema_of(version(4, "string c = 1; string y = 2;"))
    assert renames(lock, schema) == (
        Rename(3, "task", "a", "b"),
        Rename(4, "task", "b", "c"),
        Rename(4, "task", "x", "y"),
    )


def test_two_keys_can_be_exchanged() -> None:
    lock = locked(version(1, "string a = 1; string b = 2;"))
    schema = schema_of(version(2, "string b = 1; string a = 2;"))
    assert renames(lock, schema) == (Rename(2, "task", "a", "b"), Rename(2, "task", "b", "a"))


def test_a_number_that_was_gone_in_between_is_another_field() -> None:
    lock = locked(version(1, "string due = 1;"), version(2, ""))
    assert renames(lock, schema_of(version(3, "string color = 1;"))) == ()


def test_a_number_of_another_type_is_another_field() -> None:
    lock = locked(version(1, "string due = 1;"))
    assert renames(lock, schema_of(version(2, "int32 color = 1;"))) == ()


def test_versions_that_are_not_older_say_nothing() -> None:
    lock = locked(version(2, "string a = 1;"), version(3, "string b = 1;"))
    assert renames(lock, schema_of(version(2, "string c = 1;"))) == ()


def test_a_message_that_is_no_entity_has_no_queued_writes() -> None:
    lock = locked(version(1, "string a = 1;").replace(ENTITY, ""))
    schema = schema_of(version(2, "string b = 1;").replace(ENTITY, ""))
    assert renames(lock, schema) == ()


@pytest.mark.parametrize(
    "rule", ['field_mask.const = {paths: "a" paths: "b"}', 'field_mask.in = "a"']
)
def test_a_rule_about_a_field_mask_is_part_of_the_hash(rule: str) -> None:
    field = "google.protobuf.FieldMask a = 1"
    plain = schema_of(version(1, f"{field};"), MASKS)
    said = schema_of(version(1, f"{field} [(buf.validate.field).{rule}];"), MASKS)
    assert hash_of(plain) != hash_of(said)


def test_the_hash_is_that_of_what_clients_can_tell() -> None:
    one = hash_of(schema_of(version(1, "string a = 1;")))
    assert len(one) == 16
    assert hash_of(schema_of(version(1, "// Said.\nstring a = 1 [deprecated = true];"))) == one
    others = {
        hash_of(schema_of(version(2, "string a = 1;"))),
        hash_of(schema_of(version(1, "string b = 1;"))),
        hash_of(schema_of(version(1, "string a = 2;"))),
        hash_of(schema_of(version(1, "int32 a = 1;"))),
        hash_of(schema_of(version(1, "string a = 1 [(buf.validate.field).required = true];"))),
        hash_of(schema_of(version(1, "string a = 1; string b = 2;"))),
    }
    assert len(others - {one}) == 6
