/**
 * The public face of the client.
 *
 * Knows what an application may use. Everything else is internal.
 */
export { Client, connect } from "./client.ts";
export { RhtmxError } from "./errors.ts";
export { ERRORS, SCHEMA_HASH } from "./messages/tables.ts";
export type { State } from "./events.ts";
export type { Stop } from "./listeners.ts";
export type * from "./messages/types.ts";
export type {
  ConnectOptions,
  PushFieldsOptions,
  PushFieldsResult,
  PushOptions,
  SubscribeOptions,
  SyncResult,
  ValidateFieldOptions,
  ValidateFormOptions,
} from "./options.ts";
export type { WebSocketClass, WebSocketLike } from "./socket.ts";
export type { Format } from "./wire/index.ts";
