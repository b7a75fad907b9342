from __future__ import annotations

import pytest

from codegen.model import Schema
from codegen.typescript_types import emit_types


@pytest.fixture(scope="module")
def text(schema: Schema) -> str:
    return emit_types(schema)


def test_a_case_has_its_name_as_type_and_a_part_has_none(text: str) -> None:
    tag = '  /** Which message it is. */\n  readonly type: "push";\n'
    assert f"export interface Push {{\n{tag}" in text
    assert "export interface ChangeLog {\n  /** The entity. */\n" in text


def test_a_field_is_there_or_may_lack_as_the_schema_says(text: str) -> None:
    assert "  readonly entity: string;\n" in text
    assert "  readonly seq?: number | undefined;\n" in text
    assert "  readonly data: JsonValue;\n" in text
    assert "  readonly since?: { readonly [key: string]: Position } | undefined;\n" in text
    assert "  readonly server_time?: string | undefined;\n" in text
    assert "  readonly created_at: string;\n" in text


def test_an_enum_is_the_union_of_its_spellings_with_their_comments(text: str) -> None:
    assert (
        'export type Winner =\n  /** The value that was stored. */\n  | "server"\n'
        '  /** The value that was pushed. */\n  | "client";\n'
    ) in text


def test_a_word_that_a_server_says_and_that_may_lack_may_be_a_new_one(text: str) -> None:
    assert "export type Open<T extends string> = T | (string & {});\n" in text
    assert "  readonly code?: Open<ErrorCode> | undefined;\n" in text
    assert "  readonly strategy?: Open<MergeStrategy> | undefined;\n" in text
    assert "  readonly action: ChangeAction;\n" in text
    assert "Open<ChangeAction>" not in text


def test_each_side_has_the_union_of_what_it_may_send(text: str) -> None:
    client = text.split("export type ClientMessage =")[1].split(";")[0]
    assert "\n  | Push\n" in client
    assert "PushAck" not in client


def test_comments_of_the_schema_are_kept(text: str, schema: Schema) -> None:
    for message in schema.wire_messages:
        assert message.comment.splitlines()[0] in text


def test_what_is_asked_what_answers_and_what_is_ephemeral_are_unions(
    text: str, whispering: Schema
) -> None:
    questions = "Authenticate | ValidateField | ValidateForm | History | Blame | RoomJoin"
    assert f"export type Question = {questions};\n" in text
    answers = "Authenticated", "ValidationResult", "FormValidationResult", "HistoryResult"
    listed = "".join(f"\n  | {each}" for each in (*answers, "BlameResult", "RoomJoined"))
    assert f"export type Answer ={listed};\n" in text
    told = "RoomMembers | RoomMessage | RoomClosed"
    assert f"export type Ephemeral = {told};\n" in text
    assert f"export type Ephemeral = Whisper | {told};\n" in emit_types(whispering)
