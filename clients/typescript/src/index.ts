/**
 * The public face of the client.
 *
 * Knows what an application may use. Everything else is internal.
 */
export { Client, connect, type TypedOptions } from "./api/client.ts";
export type { Patch, SubscribeOptions } from "./api/collection.ts";
export { Collection } from "./api/collection.ts";
export { Form } from "./api/form.ts";
export type { OpenConflicts } from "./api/open-conflicts.ts";
export { type Member, Room } from "./api/room.ts";
export type { TransactionWrites } from "./api/transaction.ts";
export type { TypedCollection, Unreadable } from "./api/typed-collection.ts";
export type { Fields } from "./core/build-message.ts";
export type { Conflict, ConflictSide } from "./core/conflict.ts";
export type { HistoryOptions, RecordCommit, RecordHistory } from "./core/history.ts";
export type {
  AnyValue,
  Element,
  Operation,
  OperationAction,
  OperationOn,
  OperationOnItems,
} from "./core/operations.ts";
export { add, append, deleteKey, inc, max, min, remove, setKey } from "./core/operations.ts";
export type {
  ChangesOptions,
  CollectionOptions,
  ConnectOptions,
  FormValue,
  FormValues,
  Info,
  OpenConflict,
  PatchOptions,
  Rejected,
  Stop,
  TransactionResult,
  ValidateFieldOptions,
  ValidateFormOptions,
  WebSocketClass,
  WebSocketLike,
  WriteOptions,
} from "./core/options.ts";
export type { Row } from "./core/overlay.ts";
export type { PartValue, Where } from "./core/part.ts";
export type { Progress } from "./core/progress.ts";
export type { Mutation, Pending } from "./core/storage-ops.ts";
export type { State } from "./core/tab-messages.ts";
export type { Traceparent } from "./core/traceparent.ts";
export { type ErrorContext, RhtmxError, type Violation } from "./errors.ts";
export { ERRORS, type ErrorTraits, SCHEMA_HASH } from "./messages/tables.ts";
export type * from "./messages/types.ts";
export type { Format, Frame } from "./wire/index.ts";
