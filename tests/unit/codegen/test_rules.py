from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from codegen.model import Direction, Field, Schema
from codegen.rules import check, explain_compiler


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("string type = 1", "field 'type' of Broken would hide"),
        ("no_comment = 11", "field 'no_comment' of Broken has no comment"),
        ("message Undocumented", "message Undocumented has no comment"),
        ("WORD_UNSPELLED", 'WORD_UNSPELLED has no JSON spelling: add [(spelling) = "unspelled"]'),
        ("WORD_SECOND", "WORD_SECOND is spelled 'same' like WORD_FIRST"),
        ("WORD_SILENT", "enum value WORD_SILENT has no comment"),
        ("rpc Open", "method Door.Open has no comment"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(
    problems: list[str], place: Callable[[str], str], marker: str, words: str
) -> None:
    assert [line for line in problems if line.startswith(f"{place(marker)}: {words}")]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("envelope.proto", "case 'broken' of the envelope does not say who may send it"),
        ("errors.proto", "ERROR_CODE_NOT_SUPPORTED has gRPC status 99"),
        ("errors.proto", "ERROR_CODE_FORBIDDEN has close code 1000"),
        ("errors.proto", "ERROR_CODE_SUPERSEDED does not say what it means to the peer"),
    ],
)
def test_faults_of_the_real_files_are_named_there(
    problems: list[str], file: str, words: str
) -> None:
    found = [line for line in problems if words in line]
    assert len(found) == 1
    assert found[0].startswith(f"proto/rhtmx/v1/{file}:")


def test_nothing_else_is_refused(problems: list[str]) -> None:
    assert len(problems) == 18 + 7


def test_problems_come_in_the_order_of_the_source(problems: list[str]) -> None:
    def key(problem: str) -> tuple[str, int]:
        file, line, _ = problem.split(":", 2)
        return file, int(line)

    assert [key(problem) for problem in problems] == sorted(key(problem) for problem in problems)


def test_the_real_schema_keeps_every_rule(schema: Schema) -> None:
    assert check(schema) == []


def with_first_field(schema: Schema, message: str, **changes: object) -> Schema:
    """The schema with the first field of a message changed."""

    def changed(field: Field) -> Field:
        return dataclasses.replace(field, **changes)  # type: ignore[arg-type]

    messages = tuple(
        dataclasses.replace(each, fields=(changed(each.fields[0]), *each.fields[1:]))
        if each.name == message
        else each
        for each in schema.messages
    )
    return dataclasses.replace(schema, messages=messages)


def test_a_number_used_twice_is_refused(schema: Schema) -> None:
    broken = with_first_field(schema, "Position", number=2)
    [problem] = check(broken)
    assert "number 2 of 'version' is already used by 'epoch' in Position" in str(problem)
    assert str(problem.location).startswith("proto/rhtmx/v1/session.proto:")


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 5), (0, 1)])
def test_a_reserved_number_is_refused(schema: Schema, low: int, high: int) -> None:
    broken = dataclasses.replace(
        schema,
        messages=tuple(
            dataclasses.replace(each, reserved=((low, high),))
            if each.name == "Authenticate"
            else each
            for each in schema.messages
        ),
    )
    assert "number 1 of 'token' is reserved in Authenticate" in str(check(broken)[0])


def test_a_reserved_name_is_refused(schema: Schema) -> None:
    broken = dataclasses.replace(
        schema,
        messages=tuple(
            dataclasses.replace(each, reserved_names=("token",)) if each.name == "Hello" else each
            for each in schema.messages
        ),
    )
    [problem] = check(broken)
    assert "the name 'token' is reserved in Hello" in problem.words


def test_an_enum_number_used_twice_or_reserved_is_refused(schema: Schema) -> None:
    winner = schema.enum("Winner")
    values = (
        *winner.values,
        dataclasses.replace(winner.values[1], name="WINNER_NOBODY", spelling="x"),
    )
    broken = dataclasses.replace(
        schema,
        enums=tuple(
            dataclasses.replace(each, values=values, reserved=((2, 2),)) if each is winner else each
            for each in schema.enums
        ),
    )
    words = [problem.words for problem in check(broken)]
    assert any(
        "number 1 of WINNER_NOBODY is already used by WINNER_SERVER" in each for each in words
    )
    assert any("number 2 of WINNER_CLIENT is reserved" in each for each in words)


def test_a_case_that_is_no_message_is_refused(schema: Schema) -> None:
    case = dataclasses.replace(schema.cases[0], message="")
    broken = dataclasses.replace(schema, cases=(case, *schema.cases[1:]))
    assert "case 'hello' of the envelope is not a message" in check(broken)[0].words


def test_the_compiler_says_what_to_do_about_a_number_used_twice() -> None:
    explained = explain_compiler(
        "a.proto:5:3:field number `4` used more than once\nb.proto:1:1:x\n"
    )
    assert explained.splitlines() == [
        "a.proto:5:3:field number `4` used more than once: a number means one thing for ever, "
        "take one that was never used",
        "b.proto:1:1:x",
    ]


def changed_case(schema: Schema, name: str, **what: object) -> Schema:
    """The schema with one case otherwise."""
    cases = tuple(
        dataclasses.replace(case, **what) if case.name == name else case  # type: ignore[arg-type]
        for case in schema.cases
    )
    return dataclasses.replace(schema, cases=cases)


def without_field(schema: Schema, message: str, field: str) -> Schema:
    """The schema with one field less."""

    def less(fields: tuple[Field, ...]) -> tuple[Field, ...]:
        return tuple(each for each in fields if each.name != field)

    messages = tuple(
        dataclasses.replace(each, fields=less(each.fields)) if each.name == message else each
        for each in schema.messages
    )
    return dataclasses.replace(schema, messages=messages)


@pytest.mark.parametrize(
    ("case", "answer"), [("validate_form", "yes"), ("validate_form", "push"), ("pong", "error")]
)
def test_an_answer_is_a_case_that_a_server_sends_to_what_a_client_asks(
    schema: Schema, case: str, answer: str
) -> None:
    asked = changed_case(schema, case, answer=answer)
    if case == "pong":  # from a server alone
        asked = changed_case(asked, case, direction=Direction.SERVER)
    (problem,) = check(asked)
    assert problem.words.startswith(f"case '{case}' is answered by '{answer}': name a case")
    assert problem.location.file.endswith("envelope.proto")


@pytest.mark.parametrize("message", ["ValidateForm", "FormValidationResult"])
def test_a_question_and_its_answer_have_an_id_in_common(schema: Schema, message: str) -> None:
    (problem,) = check(without_field(schema, message, "request_id"))
    assert "has no string request_id" in problem.words


def test_what_is_ephemeral_may_be_in_the_schema(whispering: Schema) -> None:
    assert check(whispering) == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"direction": Direction.CLIENT}, "give it a string entity, and (direction)"),
        ({"answer": "pong"}, "which nothing answers"),
        ({"message": "Ping"}, "give it a string entity"),
        ({"message": "SyncComplete"}, "which nothing answers"),
    ],
    ids=str,
)
def test_what_is_ephemeral_names_its_readers_and_has_no_answer(
    whispering: Schema, what: dict[str, object], words: str
) -> None:
    found = [each.words for each in check(changed_case(whispering, "whisper", **what))]
    assert [each for each in found if "'whisper' is (ephemeral)" in each and words in each]
