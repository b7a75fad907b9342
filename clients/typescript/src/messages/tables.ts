/**
 * The tables of the protocol.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */

import type { ChangeAction, ErrorCode, FieldAction, MergeStrategy, Winner } from "./types.ts";

/** The schema that this client was generated from. */
export const SCHEMA_HASH = "628339161e417df2";

/** The numbers of `ChangeAction` in protobuf. */
export const CHANGE_ACTION: Readonly<Record<ChangeAction, number>> = {
  create: 1,
  update: 2,
  delete: 3,
};

/** The numbers of `ErrorCode` in protobuf. */
export const ERROR_CODE: Readonly<Record<ErrorCode, number>> = {
  bad_message: 1,
  unknown_entity: 2,
  unknown_form: 3,
  invalid_data: 4,
  conflict: 5,
  out_of_order: 6,
  seq_reused: 7,
  client_id_taken: 8,
  superseded: 9,
  timeout: 10,
  too_many_requests: 11,
  too_many_subscriptions: 12,
  too_large: 13,
  unauthenticated: 14,
  forbidden: 15,
  not_supported: 16,
  storage_full: 17,
  storage_failed: 18,
  internal: 19,
  shutting_down: 20,
  stalled: 21,
  not_found: 22,
};

/** The numbers of `FieldAction` in protobuf. */
export const FIELD_ACTION: Readonly<Record<FieldAction, number>> = {
  update: 1,
  delete: 2,
};

/** The numbers of `MergeStrategy` in protobuf. */
export const MERGE_STRATEGY: Readonly<Record<MergeStrategy, number>> = {
  last_write_wins: 1,
  keep_both: 2,
  server_wins: 3,
  client_wins: 4,
};

/** The numbers of `Winner` in protobuf. */
export const WINNER: Readonly<Record<Winner, number>> = {
  server: 1,
  client: 2,
};

/** What an error code means. */
export interface ErrorTraits {
  /** The number of the gRPC status code that carries it. */
  readonly grpc: number;
  /** The close code of the WebSocket, where it ends the connection; else 0. */
  readonly close: number;
  /** The same request may succeed later. */
  readonly retryable: boolean;
}

/** Every error code. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorTraits>> = {
  bad_message: { grpc: 3, close: 4500, retryable: false },
  unknown_entity: { grpc: 5, close: 0, retryable: false },
  unknown_form: { grpc: 5, close: 0, retryable: false },
  invalid_data: { grpc: 9, close: 0, retryable: false },
  conflict: { grpc: 10, close: 0, retryable: false },
  out_of_order: { grpc: 9, close: 0, retryable: false },
  seq_reused: { grpc: 6, close: 0, retryable: false },
  client_id_taken: { grpc: 7, close: 4501, retryable: false },
  superseded: { grpc: 10, close: 0, retryable: false },
  timeout: { grpc: 4, close: 0, retryable: true },
  too_many_requests: { grpc: 8, close: 0, retryable: true },
  too_many_subscriptions: { grpc: 8, close: 0, retryable: false },
  too_large: { grpc: 8, close: 4502, retryable: false },
  unauthenticated: { grpc: 16, close: 4503, retryable: false },
  forbidden: { grpc: 7, close: 4504, retryable: false },
  not_supported: { grpc: 12, close: 0, retryable: false },
  storage_full: { grpc: 8, close: 0, retryable: true },
  storage_failed: { grpc: 14, close: 0, retryable: true },
  internal: { grpc: 13, close: 4400, retryable: false },
  shutting_down: { grpc: 14, close: 4000, retryable: true },
  stalled: { grpc: 14, close: 4001, retryable: true },
  not_found: { grpc: 5, close: 0, retryable: false },
};

/** Close codes from here on are the protocol's own, and tell the client to reconnect. */
export const CLOSE_RECONNECT = 4000;

/** Close codes from here on tell the client not to reconnect. */
export const CLOSE_FINAL = 4500;
