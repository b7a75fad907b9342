/**
 * The tables of the protocol.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import type { ErrorCode } from "./types.ts";

/** The schema that this client was generated from. */
export const SCHEMA_HASH = "f033099ed6c0c2eb";

/** What an error code means. */
export interface ErrorTraits {
  /** The number of the gRPC status code that carries it. */
  readonly grpc: number;
  /** The close code of the WebSocket, where it ends the connection; else 0. */
  readonly close: number;
  /** The same request may succeed later. */
  readonly retryable: boolean;
}

/** Every error code that this client knows, in the order of their numbers. */
export const ERRORS = /* @__PURE__ */ Object.fromEntries(
  (
    "bad_message 3 4500;" +
    "unknown_entity 5;" +
    "unknown_form 5;" +
    "invalid_data 9;" +
    "conflict 10;" +
    "out_of_order 9;" +
    "seq_reused 6;" +
    "client_id_taken 7 4501;" +
    "superseded 10;" +
    "timeout 4 0 1;" +
    "too_many_requests 8 0 1;" +
    "too_many_subscriptions 8;" +
    "too_large 8 4502;" +
    "unauthenticated 16 4503;" +
    "forbidden 7 4504;" +
    "not_supported 12;" +
    "storage_full 8 0 1;" +
    "storage_failed 14 0 1;" +
    "internal 13 4400;" +
    "shutting_down 14 4000 1;" +
    "stalled 14 4001 1;" +
    "not_found 5;" +
    "rate_limited 8 0 1;" +
    "invalid 3;" +
    "upgrade_required 9"
  )
    .split(";")
    .map((row) => {
      const [code, grpc, close = 0, retryable] = row.split(" ");
      return [code, { grpc: +grpc!, close: +close, retryable: !!retryable }];
    }),
) as Readonly<Record<ErrorCode, ErrorTraits> & Record<string, ErrorTraits | undefined>>;

/** Close codes from here on are the protocol's own, and tell the client to reconnect. */
export const CLOSE_RECONNECT = 4000;

/** Close codes from here on tell the client not to reconnect. */
export const CLOSE_FINAL = 4500;
