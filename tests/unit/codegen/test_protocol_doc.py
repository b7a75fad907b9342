from __future__ import annotations

import dataclasses
import json
import re

import pytest

from codegen.model import Schema
from codegen.protocol_doc import emit_protocol
from rhtmx import wire
from rhtmx.messages import Change, Conflict, ConflictSide, Transaction
from rhtmx.wire import Format


@pytest.fixture(scope="module")
def page(schema: Schema) -> str:
    return emit_protocol(schema)


def test_the_same_schema_gives_the_same_page(schema: Schema, page: str) -> None:
    assert emit_protocol(dataclasses.replace(schema)) == page


def test_every_message_and_enum_has_a_heading(schema: Schema, page: str) -> None:
    headings = set(re.findall(r"^### (\S+)$", page, re.MULTILINE))
    cases = {case.message: case.name for case in schema.cases}
    names = [message.name for message in schema.messages] + [enum.name for enum in schema.enums]
    for name in names:
        assert name == "Envelope" or cases.get(name, name) in headings


def test_every_link_leads_to_a_heading(page: str) -> None:
    headings = {each.lower() for each in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links
    assert links <= headings


def test_every_case_has_a_json_example(schema: Schema, page: str) -> None:
    examples = re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)
    assert [json.loads(each)["type"] for each in examples] == [case.name for case in schema.cases]


def test_the_frames_of_conflicts_are_messages(page: str) -> None:
    frames = re.findall(r"```text\n(.*?)\n```", page, re.DOTALL)
    change, transaction = (wire.decode(each.encode(), Format.JSON) for each in frames)
    assert isinstance(change, Change)
    assert change.change is not None
    kept = json.loads(change.change.data or b"")["$12"]
    assert kept.keys() <= {each.name for each in dataclasses.fields(Conflict)}
    assert kept["stored"].keys() == {each.name for each in dataclasses.fields(ConflictSide)}
    assert isinstance(transaction, Transaction)
    assert [each.if_unchanged for each in transaction.writes] == [None, True]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(page: str) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table


def test_a_field_says_its_type_and_whether_it_must_be_there(page: str) -> None:
    assert "| `entity` | string | required | 1 | The entity, 1 to 255 bytes. |" in page
    assert "| `data` | any JSON | optional | 4 | The whole record. |" in page
    assert "| `since` | object of [Position](#position) | optional | 2 |" in page
    assert "| `fields` | list of [FieldUpdate](#fieldupdate) | required | 3 |" in page


def test_an_error_code_says_what_it_means_to_the_peer(page: str) -> None:
    [row] = [line for line in page.splitlines() if line.startswith("| `shutting_down`")]
    assert row.endswith("| yes | 14 | 4000 |")


def test_a_message_says_what_answers_it_and_whether_it_is_stored(
    page: str, whispering: Schema
) -> None:
    answered = "*Client to server, answered by [validation_result](#validation_result).*"
    assert answered in page
    told = "*Both ways, to those who read its `entity` now; never stored.*"
    assert told not in page
    assert told in emit_protocol(whispering)
