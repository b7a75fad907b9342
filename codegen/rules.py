"""What the schema must keep to, beyond what protobuf itself asks for.

Knows every rule and says where it is broken and what to do. Must not know how
the schema was read, nor what is emitted from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from codegen.model import Case, Direction, Enum, Field, Kind, Label, Location, Message, Schema
from codegen.problems import SchemaProblem
from codegen.rules_of_types import (
    fields_of,
    options_fit_their_fields,
    types_have_a_json_form,
    words_can_be_new,
)

__all__ = ["check", "explain_compiler"]

CLOSE_CODES = range(4000, 5000)
GRPC_STATUSES = range(1, 17)
ERROR_ENUM = "ErrorCode"


def check(schema: Schema) -> list[SchemaProblem]:
    """Find every broken rule, in the order of the source.

    Returns:
        The problems; empty if the schema may be turned into code.
    """
    found = [problem for rule in _RULES for problem in rule(schema)]
    return sorted(found, key=lambda each: (each.location.file, each.location.line, each.words))


def explain_compiler(output: str) -> str:
    """Add to the compiler's own errors what to do about a number used twice.

    Args:
        output: what `buf build` wrote to standard error: `file:line:column:words`.
    """
    lines = []
    for line in output.strip().splitlines():
        hint = ""
        if "used more than once" in line or "reserved field" in line:
            hint = ": a number means one thing for ever, take one that was never used"
        lines.append(line + hint)
    return "\n".join(lines)


def _no_field_is_called_type(schema: Schema) -> Iterator[SchemaProblem]:
    cases = {case.message: case.name for case in schema.cases}
    for message, field in fields_of(schema):
        if field.name == "type" and message.name in cases:
            yield SchemaProblem(
                field.location,
                f"field 'type' of {message.name} would hide the message's own name in the flat "
                f'JSON form ({{"type": "{cases[message.name]}"}}): give it another name',
            )


def _numbers_are_used_once(schema: Schema) -> Iterator[SchemaProblem]:
    for message in schema.messages:
        names: dict[int, str] = {}
        for field in message.fields:
            owner = names.setdefault(field.number, field.name)
            if owner != field.name:
                yield SchemaProblem(
                    field.location,
                    f"number {field.number} of '{field.name}' is already used by '{owner}' in "
                    f"{message.name}: take one that was never used",
                )
            yield from _reserved(message, field)
    for enum in schema.enums:
        yield from _enum_numbers(enum)


def _reserved(message: Message, field: Field) -> Iterator[SchemaProblem]:
    if any(low <= field.number <= high for low, high in message.reserved):
        yield SchemaProblem(
            field.location,
            f"number {field.number} of '{field.name}' is reserved in {message.name}, it once "
            "meant something else: take one that was never used",
        )
    if field.name in message.reserved_names:
        yield SchemaProblem(
            field.location,
            f"the name '{field.name}' is reserved in {message.name}, it once meant something "
            "else: take another name",
        )


def _enum_numbers(enum: Enum) -> Iterator[SchemaProblem]:
    names: dict[int, str] = {}
    for value in enum.values:
        owner = names.setdefault(value.number, value.name)
        if owner != value.name:
            yield SchemaProblem(
                value.location,
                f"number {value.number} of {value.name} is already used by {owner}: take one "
                "that was never used",
            )
        if any(low <= value.number <= high for low, high in enum.reserved):
            yield SchemaProblem(
                value.location,
                f"number {value.number} of {value.name} is reserved, it once meant something "
                "else: take one that was never used",
            )


def _enum_values_are_spelled(schema: Schema) -> Iterator[SchemaProblem]:
    for enum in schema.enums:
        spellings: dict[str, str] = {}
        for value in enum.spelled:
            if not value.spelling:
                yield SchemaProblem(
                    value.location,
                    f"{value.name} has no JSON spelling: add [(spelling) = "
                    f'"{enum.short_name(value).lower()}"]',
                )
                continue
            owner = spellings.setdefault(value.spelling, value.name)
            if owner != value.name:
                yield SchemaProblem(
                    value.location,
                    f"{value.name} is spelled '{value.spelling}' like {owner}: spell it otherwise",
                )


def _error_codes_have_traits(schema: Schema) -> Iterator[SchemaProblem]:
    for enum in schema.enums:
        for value in enum.spelled:
            if enum.name != ERROR_ENUM:
                continue
            if value.error is None:
                yield SchemaProblem(
                    value.location,
                    f"{value.name} does not say what it means to the peer: add "
                    "(error) = {grpc_status: ...}",
                )
                continue
            if value.error.grpc_status not in GRPC_STATUSES:
                yield SchemaProblem(
                    value.location,
                    f"{value.name} has gRPC status {value.error.grpc_status}: a number from 1 "
                    "to 16 is needed",
                )
            if value.error.close_code and value.error.close_code not in CLOSE_CODES:
                yield SchemaProblem(
                    value.location,
                    f"{value.name} has close code {value.error.close_code}: use 4000 to 4499 "
                    "(reconnect) or 4500 to 4999 (do not)",
                )


def _cases_have_a_direction(schema: Schema) -> Iterator[SchemaProblem]:
    for case in schema.cases:
        if case.direction is Direction.UNSPECIFIED:
            yield SchemaProblem(
                case.location,
                f"case '{case.name}' of the envelope does not say who may send it: add "
                "[(direction) = DIRECTION_CLIENT], ..._SERVER or ..._BOTH",
            )
        if not case.message:
            yield SchemaProblem(
                case.location,
                f"case '{case.name}' of the envelope is not a message of this schema: make it one",
            )


def _answers_have_a_question(schema: Schema) -> Iterator[SchemaProblem]:
    for case in schema.cases:
        if not case.answer:
            continue
        answer = schema.case(case.answer)
        if answer is None or not answer.from_server or not case.from_client:
            yield SchemaProblem(
                case.location,
                f"case '{case.name}' is answered by '{case.answer}': name a case that a server "
                "sends, and ask only what a client sends",
            )
            continue
        for each in (case, answer):
            if not _has_text(schema, each, "request_id"):
                yield SchemaProblem(
                    each.location,
                    f"case '{each.name}' has no string request_id: without it nobody knows which "
                    f"'{case.name}' a '{case.answer}' answers",
                )


def _what_is_ephemeral_has_readers(schema: Schema) -> Iterator[SchemaProblem]:
    for case in schema.ephemeral:
        if not case.from_server or not _has_text(schema, case, "entity"):
            yield SchemaProblem(
                case.location,
                f"case '{case.name}' is (ephemeral), so a server tells it to those who read its "
                "entity: give it a string entity, and (direction) = DIRECTION_BOTH or ..._SERVER",
            )
        if _has_text(schema, case, "request_id") or case.answer:
            yield SchemaProblem(
                case.location,
                f"case '{case.name}' is (ephemeral), which nothing answers: leave out its "
                "request_id and (answer)",
            )


def _has_text(schema: Schema, case: Case, name: str) -> bool:
    fields = schema.message(case.message).fields if case.message else ()
    return any(
        field.name == name
        and field.kind is Kind.STRING
        and field.label in (Label.PLAIN, Label.OPTIONAL)
        for field in fields
    )


def _everything_is_documented(schema: Schema) -> Iterator[SchemaProblem]:
    for message in schema.messages:
        yield from _documented(message.comment, f"message {message.name}", message.location)
        for field in message.fields:
            what = f"field '{field.name}' of {message.name}"
            yield from _documented(field.comment, what, field.location)
    for enum in schema.enums:
        yield from _documented(enum.comment, f"enum {enum.name}", enum.location)
        for value in enum.values:
            yield from _documented(value.comment, f"enum value {value.name}", value.location)
    for service in schema.services:
        yield from _documented(service.comment, f"service {service.name}", service.location)
        for method in service.methods:
            what = f"method {service.name}.{method.name}"
            yield from _documented(method.comment, what, method.location)


def _documented(comment: str, what: str, location: Location) -> Iterator[SchemaProblem]:
    if not comment.strip():
        yield SchemaProblem(
            location, f"{what} has no comment above it: say what it is, the reference is made of it"
        )


_RULES: tuple[Callable[[Schema], Iterator[SchemaProblem]], ...] = (
    _no_field_is_called_type,
    _numbers_are_used_once,
    _enum_values_are_spelled,
    _error_codes_have_traits,
    _cases_have_a_direction,
    _answers_have_a_question,
    _what_is_ephemeral_has_readers,
    options_fit_their_fields,
    types_have_a_json_form,
    words_can_be_new,
    _everything_is_documented,
)
