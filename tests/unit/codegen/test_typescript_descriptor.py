from __future__ import annotations

import dataclasses
import json
import re

from codegen.model import Field, Schema
from codegen.typescript_descriptor import FIRST, GAP, emit_descriptor


def literal(text: str, name: str) -> str:
    """The value of one exported text."""
    expression = text.split(f"export const {name} =\n")[1].split(";\n")[0].split("; // ")[0]
    parts = re.findall(r'^ *("(?:[^"\\]|\\.)*")', expression, re.MULTILINE)
    return "".join(json.loads(part) for part in parts)


def fields(text: str) -> list[tuple[str, str]]:
    """What stands before each field, and its name."""
    groups = [group.split(" ") for group in literal(text, "FIELDS").split(";")]
    return [(head, name) for head, *names in groups for name in names]


def messages(text: str) -> list[tuple[str, list[tuple[str, str] | None]]]:
    """The side and name of each message, and its fields by number; None: there is none."""
    known = fields(text)
    found = []
    for row in literal(text, "MESSAGES").split(" "):
        name, _, keys = row.partition(",")
        found.append((name, [None if key == GAP else known[ord(key) - FIRST] for key in keys]))
    return found


def names(fields_of_message: tuple[Field, ...]) -> list[str]:
    return [field.name for field in sorted(fields_of_message, key=lambda field: field.number)]


def test_every_case_stands_at_its_number_with_its_sides_and_fields(schema: Schema) -> None:
    rows = messages(emit_descriptor(schema))
    for case in schema.cases:
        name, found = rows[case.number]
        assert name == f"{case.from_client * 1 + case.from_server * 2}{case.name}"
        assert [each[1] for each in found if each] == names(schema.message(case.message).fields)


def test_a_number_without_a_case_stands_empty(schema: Schema) -> None:
    used = {case.number for case in schema.cases}
    rows = messages(emit_descriptor(schema))
    for number in set(range(max(used))) - used:
        assert rows[number] == ("", [])


def test_a_field_says_how_many_of_what_kind_it_holds(schema: Schema) -> None:
    rows = messages(emit_descriptor(schema))
    numbers = {case.name: case.number for case in schema.cases}

    def head(message: str, field: str) -> str:
        return next(each[0] for each in rows[numbers[message]][1] if each and each[1] == field)

    assert head("push", "entity") == "03"
    assert head("push", "request_id") == "13"
    assert head("push", "seq") == "12"
    assert head("push", "data") == "14"
    assert head("error", "retryable") == "10"
    assert head("subscribe", "entities") == "23"


def test_a_field_refers_to_its_message_its_enum_or_the_entries_of_its_map(schema: Schema) -> None:
    text = emit_descriptor(schema)
    rows = messages(text)
    numbers = {case.name: case.number for case in schema.cases}

    def reference(message: int, place: int, head: str) -> int:
        field = rows[message][1][place]
        assert field is not None
        assert field[0].startswith(head)
        return int(field[0][2:])

    limits = reference(numbers["welcome"], 4, "06")
    assert rows[limits][1][0] == ("02", "message_bytes")
    time = reference(numbers["welcome"], 5, "05")
    assert rows[time] == ("", [("02", "seconds"), ("02", "nanos")])
    entry = reference(numbers["subscribe"], 1, "56")
    assert rows[entry][1][0] == ("13", "key")
    position = reference(entry, 1, "16")
    assert [each and each[1] for each in rows[position][1]] == ["epoch", "version", "scope"]
    enum = reference(numbers["push"], 2, "01")
    lines = text.split("export const ENUMS")[1].splitlines()[1:]
    assert lines[enum] == '  ",create,update,delete".split(","),'


def test_a_field_that_many_messages_have_is_written_once(schema: Schema) -> None:
    known = fields(emit_descriptor(schema))
    assert len(known) == len(set(known))
    assert ("03", "entity") in known


def test_a_number_that_was_taken_back_leaves_a_gap(schema: Schema) -> None:
    push = schema.message("Push")
    less = dataclasses.replace(push, fields=push.fields[:1] + push.fields[2:])
    edited = dataclasses.replace(
        schema, messages=tuple(less if each is push else each for each in schema.messages)
    )
    number = next(case.number for case in schema.cases if case.message == "Push")
    found = messages(emit_descriptor(edited))[number][1]
    assert found[1] is None
    assert [each[1] for each in found if each] == names(less.fields)


def test_the_order_in_the_schema_does_not_matter_the_number_does(schema: Schema) -> None:
    sync = schema.message("Sync")
    turned = dataclasses.replace(sync, fields=sync.fields[::-1])
    edited = dataclasses.replace(
        schema, messages=tuple(turned if each is sync else each for each in schema.messages)
    )
    number = next(case.number for case in schema.cases if case.message == "Sync")
    assert [each and each[1] for each in messages(emit_descriptor(edited))[number][1]] == names(
        sync.fields
    )


def test_the_error_codes_come_from_their_table_unless_one_was_taken_back(schema: Schema) -> None:
    assert '  ["", ...Object.keys(ERRORS)],\n' in emit_descriptor(schema)
    codes = schema.enum("ErrorCode")
    less = dataclasses.replace(
        codes, values=tuple(each for each in codes.values if each.number != 2)
    )
    edited = dataclasses.replace(
        schema, enums=tuple(less if each is codes else each for each in schema.enums)
    )
    text = emit_descriptor(edited)
    assert "Object.keys" not in text
    assert "ERRORS" not in text
    assert '  ["",\n    "bad_message",\n    "",\n    "unknown_form",\n' in text
