"""The tables of the protocol: enums, error codes, close codes, schema hash.

Knows what a client must look up. Must not know the codec.
"""

from __future__ import annotations

from codegen.model import Enum, EnumValue, Schema
from codegen.typescript_layout import comment, constant, header, imports

__all__ = ["emit_tables"]

ERROR_ENUM = "ErrorCode"

ERROR_TRAITS = """\
/** What an error code means. */
export interface ErrorTraits {
  /** The number of the gRPC status code that carries it. */
  readonly grpc: number;
  /** The close code of the WebSocket, where it ends the connection; else 0. */
  readonly close: number;
  /** The same request may succeed later. */
  readonly retryable: boolean;
}
"""

CLOSE_RULE = """\
/** Close codes from here on are the protocol's own, and tell the client to reconnect. */
export const CLOSE_RECONNECT = 4000;

/** Close codes from here on tell the client not to reconnect. */
export const CLOSE_FINAL = 4500;
"""


def emit_tables(schema: Schema) -> str:
    """Make `tables.ts`."""
    enums = schema.wire_enums
    parts = [
        header("The tables of the protocol."),
        imports([each.name for each in enums], "./types.ts", types=True),
        _hash(schema),
        *(_numbers(each) for each in enums),
        ERROR_TRAITS,
        _errors(schema.enum(ERROR_ENUM)),
        CLOSE_RULE,
    ]
    return "\n".join(parts)


def _hash(schema: Schema) -> str:
    return (
        "/** The schema that this client was generated from. */\n"
        f'export const SCHEMA_HASH = "{schema.hash}";\n'
    )


def _numbers(each: Enum) -> str:
    body = "".join(f"  {value.spelling}: {value.number},\n" for value in each.spelled)
    kind = f"Readonly<Record<{each.name}, number>>"
    return (
        f"{comment(f'The numbers of `{each.name}` in protobuf.')}"
        f"export const {constant(each.name)}: {kind} = {{\n{body}}};\n"
    )


def _errors(codes: Enum) -> str:
    body = "".join(_error(value) for value in codes.spelled)
    return (
        "/** Every error code. */\n"
        f"export const ERRORS: Readonly<Record<{codes.name}, ErrorTraits>> = {{\n{body}}};\n"
    )


def _error(value: EnumValue) -> str:
    traits = value.error
    grpc, close, retryable = (
        (traits.grpc_status, traits.close_code, traits.retryable) if traits else (2, 0, False)
    )
    return (
        f"  {value.spelling}: "
        f"{{ grpc: {grpc}, close: {close}, retryable: {str(retryable).lower()} }},\n"
    )
