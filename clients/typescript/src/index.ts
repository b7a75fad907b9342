/**
 * The public face of the client.
 *
 * Knows what an application may use. Everything else is internal.
 */
export { Client, connect } from "./client.ts";
export { Collection } from "./collection.ts";
export { RhtmxError } from "./errors.ts";
export { Form } from "./form.ts";
export { ERRORS, SCHEMA_HASH } from "./messages/tables.ts";
export type { SubscribeOptions } from "./collection.ts";
export type { Conflict } from "./conflict.ts";
export type { State } from "./events.ts";
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
} from "./options.ts";
export type { Row } from "./overlay.ts";
export type { WebSocketClass, WebSocketLike } from "./socket.ts";
export type { Pending } from "./store.ts";
export type { Format } from "./wire/index.ts";
