"""TypeScript from the schema: types, tables and what the codec works from.

Knows which files the TypeScript client is given. Must not know how the text of
each is made (one module each), nor touch a file: `Schema` in, text out.
"""

from __future__ import annotations

from codegen.model import Field, Kind, Label, Schema
from codegen.typescript_descriptor import emit_descriptor
from codegen.typescript_tables import emit_tables
from codegen.typescript_types import emit_types

__all__ = ["emit"]

SOURCE = "clients/typescript/src"

SUPPORTED = {
    Label.PLAIN: {Kind.STRING, Kind.BOOL, Kind.INT64, Kind.JSON, Kind.ENUM},
    Label.OPTIONAL: set(Kind) - {Kind.BYTES, Kind.INT32, Kind.UNSUPPORTED},
    Label.REQUIRED: {Kind.MESSAGE, Kind.TIME},
    Label.REPEATED: {Kind.STRING, Kind.MESSAGE},
    Label.MAP: {Kind.MESSAGE},
}


def emit(schema: Schema) -> dict[str, str]:
    """Make all generated TypeScript.

    Args:
        schema: the schema, already accepted by the rules.

    Returns:
        The files by path, relative to the root of the repository; formatted,
        and the same for the same schema.

    Raises:
        ValueError: a field is of a kind that the TypeScript codec cannot carry
            yet; names the place and what to do.
    """
    _refuse_unsupported(schema)
    return {
        f"{SOURCE}/messages/types.ts": emit_types(schema),
        f"{SOURCE}/messages/tables.ts": emit_tables(schema),
        f"{SOURCE}/wire/generated/descriptor.ts": emit_descriptor(schema),
    }


def _refuse_unsupported(schema: Schema) -> None:
    cases = {case.message for case in schema.cases}
    for message in schema.wire_messages:
        for field in message.fields:
            if field.kind not in SUPPORTED[field.label]:
                raise ValueError(_unsupported(field))
            if field.kind is Kind.MESSAGE and field.type_name in cases:
                raise ValueError(
                    f"{field.location}: {field.type_name} is a case of the envelope, so it cannot "
                    f"be a field of {message.name} too: give one of them a message of its own"
                )


def _unsupported(field: Field) -> str:
    return (
        f"{field.location}: the TypeScript codec has no {field.label.value} {field.proto_type}: "
        "use another type, or add it to clients/typescript/src/wire and codegen/typescript_*.py"
    )
