"""The tables of the protocol: error codes, close codes, schema hash.

Knows what a client must look up. Must not know the codec.
"""

from __future__ import annotations

from codegen.model import Enum, EnumValue, Schema
from codegen.typescript_layout import header, imports

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

READ_ERRORS = """\
    .split(";")
    .map((row) => {
      const [code, grpc, close = 0, retryable] = row.split(" ");
      return [code, { grpc: +grpc!, close: +close, retryable: !!retryable }];
    }),
) as Readonly<Record<ErrorCode, ErrorTraits> & Record<string, ErrorTraits | undefined>>;
"""


def emit_tables(schema: Schema) -> str:
    """Make `tables.ts`."""
    parts = [
        header("The tables of the protocol.") + imports([ERROR_ENUM], "./types.ts", types=True),
        _hash(schema),
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


def _errors(codes: Enum) -> str:
    rows = [_error(value) for value in sorted(codes.spelled, key=lambda value: value.number)]
    rows = [f'    "{row};" +\n' for row in rows[:-1]] + [f'    "{rows[-1]}"\n']
    return (
        "/** Every error code that this client knows, in the order of their numbers. */\n"
        f"export const ERRORS = /* @__PURE__ */ Object.fromEntries(\n  (\n{''.join(rows)}  )\n"
        f"{READ_ERRORS}"
    )


def _error(value: EnumValue) -> str:
    """Write the code, gRPC's status and, if there are any, the close code and `retryable`."""
    traits = value.error
    if traits is None:
        return f"{value.spelling} 2"
    words = [value.spelling, str(traits.grpc_status)]
    if traits.close_code or traits.retryable:
        words.append(str(traits.close_code))
    if traits.retryable:
        words.append("1")
    return " ".join(words)
