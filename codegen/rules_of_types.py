"""The rules about types and the options that go with them.

Knows what the wire can carry. Must not know names, numbers or comments.
"""

from __future__ import annotations

from collections.abc import Iterator

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.problems import SchemaProblem

__all__ = [
    "fields_of",
    "options_fit_their_fields",
    "types_have_a_json_form",
    "words_can_be_new",
]

ENVELOPE = "Envelope"


def fields_of(schema: Schema) -> Iterator[tuple[Message, Field]]:
    """Walk over all fields, each with its message."""
    for message in schema.messages:
        for field in message.fields:
            yield message, field


def options_fit_their_fields(schema: Schema) -> Iterator[SchemaProblem]:
    """Find options on fields that they cannot be on."""
    for _, field in fields_of(schema):
        many = field.label in (Label.REPEATED, Label.MAP)
        if field.json and field.proto_type != "bytes":
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is marked (json) but is {field.proto_type}: make it optional "
                "bytes, or drop the option",
            )
        elif field.json and field.label is not Label.OPTIONAL:
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is marked (json) but is not optional: write optional bytes",
            )
        if field.required and (many or field.kind not in (Kind.MESSAGE, Kind.TIME)):
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is marked (required) but is not a single message: only those "
                "can be absent in protobuf, so drop the option",
            )
        if field.omittable and not many and not field.json:
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is marked (omittable) but is neither repeated, nor a map, nor "
                "(json): write optional instead",
            )


def types_have_a_json_form(schema: Schema) -> Iterator[SchemaProblem]:
    """Find fields of types that the flat JSON form does not have."""
    for message, field in fields_of(schema):
        if field.kind is Kind.BYTES and not field.json:
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is bytes, which has no JSON form: mark it (json), or use string",
            )
        elif field.kind in (Kind.UNSUPPORTED, Kind.INT32):
            yield SchemaProblem(
                field.location,
                f"'{field.name}' of {message.name} is of a type that the wire does not have "
                f"({field.proto_type}): use string, bool, int64, bytes with (json), an enum or "
                "message of this schema, google.protobuf.Timestamp, or a map with string keys",
            )
        if field.oneof and message.name != ENVELOPE:
            yield SchemaProblem(
                field.location,
                f"'{field.name}' is in a oneof: only the envelope has one, so write it optional",
            )
    for message in schema.messages:
        for name in message.nested:
            yield SchemaProblem(
                message.location,
                f"{message.name}.{name} is declared inside a message: declare it beside it",
            )


def words_can_be_new(schema: Schema) -> Iterator[SchemaProblem]:
    """Find enums that an older client could make nothing of, once they get a new value."""
    for message, field in fields_of(schema):
        if field.kind is not Kind.ENUM or field.label is Label.OPTIONAL:
            continue
        words = {value.spelling for value in schema.enum(field.type_name).values}
        has_value = any(each.kind is Kind.JSON for each in message.fields)
        if field.label is not Label.PLAIN or not ({"update", "delete"} <= words and has_value):
            yield SchemaProblem(
                field.location,
                f"'{field.name}' of {message.name} is an enum: write it optional, so that a client "
                "that does not know a later value can do without it; only an action beside a "
                "(json) value, with 'update' and 'delete', can be guessed",
            )
