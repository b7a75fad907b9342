/**
 * The public face of the client.
 *
 * Knows what an application may use. Everything else is internal.
 */
export { Client, connect } from "./api/client.ts";
export { Collection } from "./api/collection.ts";
export { RhtmxError, type ErrorContext } from "./errors.ts";
export { Form } from "./api/form.ts";
export { ERRORS, SCHEMA_HASH, type ErrorTraits } from "./messages/tables.ts";
export type { SubscribeOptions } from "./api/collection.ts";
export type { Fields } from "./core/build-message.ts";
export type { Conflict } from "./core/conflict.ts";
export type { State } from "./core/tab-channel.ts";
export type * from "./messages/types.ts";
export type {
  CollectionOptions,
  ConnectOptions,
  FormValue,
  FormValues,
  Info,
  OpenConflict,
  PatchOptions,
  Rejected,
  Stop,
  ValidateFieldOptions,
  ValidateFormOptions,
  WriteOptions,
} from "./core/options.ts";
export type { Row } from "./core/overlay.ts";
export type { WebSocketClass, WebSocketLike } from "./core/options.ts";
export type { Pending } from "./core/storage-ops.ts";
export type { Format, Frame } from "./wire/index.ts";
